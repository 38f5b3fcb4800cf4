"""Dropping a document on a conversation, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.query.http.conftest import Service

FILE = ("minutes.md", b"# Minutes\n\nThe committee met in Oslo.\n")


def drop(
    client: httpx.Client, file: tuple[str, bytes] = FILE, conversation: Any = None
) -> httpx.Response:
    fields = {"conversation_id": str(conversation)} if conversation else {}
    return client.post("/v1/uploads", files={"file": file}, data=fields)


def test_the_first_document_begins_a_conversation_and_the_next_joins_it(service: Service) -> None:
    anna = service.client("anna")
    answer = drop(anna)
    assert answer.status_code == 202
    first = answer.json()
    assert (first["name"], first["state"], first["reason"]) == ("minutes.md", "queued", None)
    second = drop(anna, ("plan.txt", b"Plan."), first["conversation_id"]).json()
    assert second["conversation_id"] == first["conversation_id"]
    assert anna.get(f"/v1/uploads/{first['upload_id']}").json() == first
    told = anna.get(f"/v1/conversations/{first['conversation_id']}").json()
    assert told["uploads"] == [first, second]
    assert drop(anna, FILE, first["conversation_id"]).status_code == 409


def test_others_see_nothing_of_it(service: Service) -> None:
    upload = drop(service.client("anna")).json()
    ben = service.client("ben")
    hidden = ben.get(f"/v1/uploads/{upload['upload_id']}")
    missing = ben.get(f"/v1/uploads/{uuid4()}")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json()["detail"] == missing.json()["detail"]
    assert drop(ben, FILE, upload["conversation_id"]).status_code == 404
    assert drop(ben, FILE, uuid4()).status_code == 404
    assert drop(service.client()).status_code == 401
    assert service.client().get(f"/v1/uploads/{upload['upload_id']}").status_code == 401


@pytest.mark.parametrize(
    ("file", "status"),
    [
        (("archive.zip", b"PK"), 415),
        (("rows.jsonl", b"{}"), 415),
        (("noname", b"text"), 415),
        (("empty.txt", b""), 422),
        (("large.txt", b"x" * 20_001), 413),
        (("huge.txt", b"x" * 2_000_000), 413),
    ],
)
def test_what_is_not_taken_says_so_and_leaves_no_conversation(
    service: Service, file: tuple[str, bytes], status: int
) -> None:
    anna = service.client("anna")
    answer = drop(anna, file)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert anna.get("/v1/conversations").json() == {"conversations": []}


def test_forms_without_a_file_are_refused(service: Service) -> None:
    anna = service.client("anna")
    assert anna.post("/v1/uploads", data={"conversation_id": "x"}).status_code == 422
    assert anna.post("/v1/uploads", json={}).status_code == 422
    broken = {"Content-Type": "multipart/form-data; boundary=b"}
    assert anna.post("/v1/uploads", content=b"nonsense", headers=broken).status_code == 400


def test_documents_go_with_their_conversation(service: Service) -> None:
    anna = service.client("anna")
    upload = drop(anna).json()
    assert anna.delete(f"/v1/conversations/{upload['conversation_id']}").status_code == 204
    assert anna.get(f"/v1/uploads/{upload['upload_id']}").status_code == 404
    assert service.rows("select * from serving.upload") == []
