"""Images over HTTP: listed, served to whoever sees the document, shown with answers."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.fake_llm import FakeLLM
from tests.integration.query.http.conftest import Service

FACT = "The Nile is 6650 kilometres long."
OTHER = "The Rhine is 1230 kilometres long."
QUESTION = {"query": "How long is the Nile?"}


def test_a_document_lists_its_images_and_each_can_be_had(service: Service, corpus: Any) -> None:
    row = corpus.add(FACT, OTHER, title="Rivers")
    first = corpus.add_image(row, len(FACT), "A map of the Nile", "Figure 1")
    corpus.add_image(row, len(FACT) + 1 + len(OTHER))
    ann = service.client("ann")
    told = ann.get(f"/v1/documents/{row.doc_id}").json()
    assert told["images"][0] == {
        "url": f"v1/documents/{row.doc_id}/images/0",
        "alt": "A map of the Nile",
        "caption": "Figure 1",
        "start_char": len(FACT),
        "width": 96,
        "height": 64,
    }
    assert [image["url"][-1] for image in told["images"]] == ["0", "1"]

    served = ann.get(f"/{told['images'][0]['url']}")
    assert served.status_code == 200
    assert served.content == first
    assert served.headers["content-type"] == "image/webp"
    assert served.headers["x-content-type-options"] == "nosniff"
    assert served.headers["cache-control"] == "private, no-cache"
    assert served.headers["content-security-policy"].startswith("default-src 'none'")
    again = ann.get(
        f"/{told['images'][0]['url']}", headers={"If-None-Match": served.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    other = ann.get(f"/{told['images'][0]['url']}", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


def test_an_image_is_served_to_whoever_sees_its_document(service: Service, corpus: Any) -> None:
    row = corpus.add(FACT, acl=["hr"])
    corpus.add_image(row, 3, "secret")
    address = f"/v1/documents/{row.doc_id}/images/0"
    etag = service.client("ann", ["hr"]).get(address).headers["etag"]
    assert service.client().get(address).status_code == 401
    bob = service.client("bob", ["legal"])
    refused = [
        bob.get(address, headers={"If-None-Match": etag}),
        bob.get(f"/v1/documents/{uuid4()}/images/0"),
    ]
    assert [answer.status_code for answer in refused] == [404, 404]
    bodies = [{**answer.json(), "request_id": None} for answer in refused]
    assert bodies[0] == bodies[1]
    assert service.client("ann", ["hr"]).get(address[:-1] + "1").status_code == 404

    service.rows("update corpus.document set acl = '{legal}' returning 1")
    assert service.client("ann", ["hr"]).get(address, headers={"If-None-Match": etag}).is_error
    assert bob.get(address).status_code == 200


@pytest.mark.parametrize("number", ["-1", "x", "99999999999999999999"])
def test_what_is_no_number_is_refused(service: Service, corpus: Any, number: str) -> None:
    row = corpus.add(FACT)
    answer = service.client("ann").get(f"/v1/documents/{row.doc_id}/images/{number}")
    assert answer.status_code == 422


def test_the_image_of_a_duplicate_is_not_served(service: Service, corpus: Any) -> None:
    row = corpus.add(FACT, status="duplicate")
    corpus.add_image(row, 3)
    address = f"/v1/documents/{row.doc_id}/images/0"
    assert service.client("ann").get(address).status_code == 404


def test_an_answer_shows_the_images_of_what_it_cites(
    service: Service, corpus: Any, llm: FakeLLM
) -> None:
    llm.say(FACT)
    row = corpus.add(FACT, OTHER, title="Rivers")
    corpus.add_image(row, 0, "Before all text")
    corpus.add_image(row, len(FACT), "A map of the Nile")
    corpus.add_image(row, len(FACT) + 1 + len(OTHER), "A map of the Rhine")
    ann = service.client("ann")
    told = ann.post("/v1/answer", json=QUESTION).json()
    assert [image["alt"] for image in told["images"]] == ["Before all text", "A map of the Nile"]
    citation = told["citations"][0]
    for image in told["images"]:
        assert image["marker"] == citation["marker"]
        assert (image["doc_id"], image["chunk_id"]) == (citation["doc_id"], citation["chunk_id"])
        assert ann.get(f"/{image['url']}").status_code == 200

    # Given again, from the cache and in its conversation.
    assert ann.post("/v1/answer", json=QUESTION).json()["images"] == told["images"]
    kept = ann.get(f"/v1/conversations/{told['conversation_id']}").json()["turns"]
    assert kept[0]["answer"]["images"] == told["images"]
    service.rows("delete from corpus.image returning 1")
    kept = ann.get(f"/v1/conversations/{told['conversation_id']}").json()["turns"]
    assert kept[0]["answer"]["images"] == []


def test_an_answer_without_a_source_shows_nothing(
    service: Service, corpus: Any, llm: FakeLLM
) -> None:
    corpus.add_image(corpus.add("Tea is made of leaves."), 0, "Tea")
    told = service.client("ann").post("/v1/answer", json={"query": "Who won in 1998?"}).json()
    assert told["refused"]
    assert told["images"] == []
