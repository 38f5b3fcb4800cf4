"""Answers over HTTP, as one object and as events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

from include.query.http.models import AnswerResponse
from tests.fake_llm import FakeLLM, Reply
from tests.integration.query.http.conftest import MakeService, Service

FACT = "The Nile is 6650 kilometres long."
QUESTION = {"query": "How long is the Nile?", "style": "short"}


def soon(look: Callable[[], Any]) -> Any:
    """Wait until there is something to see."""
    for _ in range(1000):
        if seen := look():
            return seen
        time.sleep(0.01)
    raise AssertionError("it did not come")


def events(client: httpx.Client, asked: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    with client.stream(
        "POST", "/v1/answer", json=asked, headers={"Accept": "text/event-stream"}
    ) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        read, name = [], ""
        for line in response.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                read.append((name, json.loads(value)))
        return read


def test_an_answer_as_one_object(service: Service, corpus: Any, llm: FakeLLM) -> None:
    corpus.add(FACT, title="Rivers")
    llm.say(FACT)
    said = service.client("ann").post("/v1/answer", json=QUESTION)

    assert said.status_code == 200
    body = said.json()
    AnswerResponse.model_validate(body)
    assert "6650" in body["answer"]
    assert [citation["verified"] for citation in body["citations"]] == [True]
    assert body["citations"][0]["quote"] in FACT
    assert not body["refused"]
    assert not body["degraded"]


def test_an_answer_as_events(service: Service, corpus: Any, llm: FakeLLM) -> None:
    made = corpus.add(FACT, title="Rivers")
    llm.say(FACT)
    read = events(service.client("ann"), QUESTION)

    names = [name for name, _ in read]
    assert names[0] == "hits"
    assert names[-1] == "done"
    assert "token" in names
    assert "citation" in names
    assert read[0][1]["hits"][0]["doc_id"] == str(made.doc_id)
    AnswerResponse.model_validate(read[-1][1])
    assert "6650" in read[-1][1]["answer"]


def test_a_model_that_is_down_degrades_and_does_not_fail(
    service: Service, corpus: Any, llm: FakeLLM
) -> None:
    corpus.add(FACT, title="Rivers")
    llm.stop()
    said = service.client("ann").post("/v1/answer", json=QUESTION)

    assert said.status_code == 200
    assert said.json()["degraded"]
    assert "6650" in said.json()["answer"]


def test_a_client_that_leaves_stops_the_model(service: Service, corpus: Any, llm: FakeLLM) -> None:
    corpus.add(FACT, title="Rivers")
    llm.say(Reply(fault="hang"))
    ann = service.client("ann")
    with ann.stream(
        "POST", "/v1/answer", json=QUESTION, headers={"Accept": "text/event-stream"}
    ) as response:
        lines = response.iter_lines()
        assert next(lines) == "event: hits"
        soon(lambda: llm.requests)
    soon(lambda: llm.left)
    logged = soon(lambda: service.rows("select outcome from serving.query_log"))
    assert logged == [("left",)]


def test_what_fails_before_the_first_event_has_a_status(service: Service) -> None:
    ann = service.client("ann", Accept="text/event-stream")
    unknown = ann.post("/v1/answer", json=QUESTION | {"conversation_id": str(uuid4())})
    empty = ann.post("/v1/answer", json={"query": " "})

    assert unknown.status_code == 404
    assert empty.status_code == 422
    for refused in (unknown, empty):
        assert refused.headers["content-type"] == "application/problem+json"


def test_more_answers_than_can_be_written_are_put_off(
    make_service: MakeService, corpus: Any, llm: FakeLLM
) -> None:
    service = make_service(answers_at_once=1, waiting=0)
    corpus.add(FACT, title="Rivers")
    llm.say(Reply(fault="hang"))
    ann, bob = service.client("ann"), service.client("bob")
    with ann.stream(
        "POST", "/v1/answer", json=QUESTION, headers={"Accept": "text/event-stream"}
    ) as response:
        lines = response.iter_lines()
        assert next(lines) == "event: hits"
        refused = bob.post("/v1/answer", json=QUESTION)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["status"] == 503


def test_an_answer_is_given_again_while_nothing_has_changed(
    service: Service, corpus: Any, llm: FakeLLM
) -> None:
    corpus.add(FACT, title="Rivers", acl=["hr"])
    llm.say(FACT)
    ann, bea = service.client("ann", ["hr"]), service.client("bea", ["hr"])
    first = ann.post("/v1/answer", json=QUESTION).json()
    asked = len(llm.requests)
    again = events(bea, QUESTION)

    assert len(llm.requests) == asked
    assert again[0][0] == "hits"
    second = again[-1][1]
    assert second["answer"] == first["answer"]
    assert second["citations"] == first["citations"]
    # It is an answer of her own: with its conversation, and nobody else's verdict counts.
    assert second["answer_id"] != first["answer_id"]
    owned = bea.get("/v1/conversations").json()["conversations"]
    assert [listed["conversation_id"] for listed in owned] == [second["conversation_id"]]
    followed = {"query": "And the Amazon?", "conversation_id": second["conversation_id"]}
    assert bea.post("/v1/answer", json=followed).status_code == 200
    assert ann.post("/v1/answer", json=followed).status_code == 404

    stranger = service.client("eve", ["legal"]).post("/v1/answer", json=QUESTION).json()
    assert "6650" not in stranger["answer"]
    assert stranger["citations"] == []

    corpus.connection.execute("delete from corpus.document")
    gone = ann.post("/v1/answer", json=QUESTION).json()
    assert "6650" not in gone["answer"]


def test_an_answer_of_a_model_in_trouble_is_not_given_again(
    service: Service, corpus: Any, llm: FakeLLM
) -> None:
    corpus.add(FACT, title="Rivers")
    ann = service.client("ann")
    llm.say(Reply(fault="refuse"))
    assert ann.post("/v1/answer", json=QUESTION).json()["degraded"]
    llm.say(FACT)
    for _ in range(300):
        # The breaker gives the model some time before it is asked again.
        if not ann.post("/v1/answer", json=QUESTION).json()["degraded"]:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("it is degraded for ever")
