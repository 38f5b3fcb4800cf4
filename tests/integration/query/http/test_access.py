"""Nobody learns over HTTP of what they may not see."""

from __future__ import annotations

import random
from typing import Any
from uuid import uuid4

import httpx

from tests.integration.query.http.conftest import Service

GROUPS = ["hr", "legal", "dev"]
WORDS = ["tea", "coffee", "water", "milk"]


def test_random_callers_find_read_and_count_what_they_may(service: Service, corpus: Any) -> None:
    chance = random.Random(3)
    documents: dict[str, frozenset[str]] = {}
    for number in range(40):
        acl = chance.choice([[], ["!nobody"], [chance.choice(GROUPS)], chance.sample(GROUPS, 2)])
        words = chance.sample(WORDS, 2)
        made = corpus.add(f"{words[0]} {words[1]} {number}", acl=acl, source=f"s{number % 3}")
        documents[str(made.doc_id)] = frozenset(acl)
    callers: dict[tuple[str, ...], httpx.Client] = {}
    for _ in range(250):
        groups = tuple(chance.sample([*GROUPS, "!nobody"], chance.randint(0, 3)))
        caller = callers.setdefault(groups, service.client(f"user of {groups}", groups))
        visible = {
            doc for doc, acl in documents.items() if not acl or acl & (set(groups) - {"!nobody"})
        }
        word, doc = chance.choice(WORDS), chance.choice(list(documents))
        asked = {"query": word, "top_k": 200, "mode": "lexical", "as_typed": True}
        found = caller.post("/v1/search", json=asked).json()
        assert {hit["doc_id"] for hit in found["hits"]} <= visible
        assert sum(value["count"] for value in found["facets"]["source"]) == len(found["hits"])
        read = caller.get(f"/v1/documents/{doc}")
        assert read.status_code == (200 if doc in visible else 404)


def test_what_is_hidden_looks_like_what_is_not_there(service: Service, corpus: Any) -> None:
    hidden = corpus.add("tea", acl=["hr"]).doc_id
    bob = service.client("bob", ["legal"])
    answers = [bob.get(f"/v1/documents/{doc}") for doc in (hidden, uuid4())]

    bodies = [{**answer.json(), "request_id": None} for answer in answers]
    assert bodies[0] == bodies[1]
    names = [sorted(answer.headers) for answer in answers]
    assert names[0] == names[1]
    assert answers[0].headers["content-length"] == answers[1].headers["content-length"]


def test_a_group_that_only_the_service_gives_is_given_by_no_token(
    service: Service, corpus: Any
) -> None:
    hidden = corpus.add("tea", acl=["conversation:1", "user:bob"]).doc_id
    bob = service.client("bob", ["conversation:1", "user:bob"])

    assert bob.get(f"/v1/documents/{hidden}").status_code == 404
    assert bob.post("/v1/search", json={"query": "tea"}).json()["hits"] == []


def test_conversations_are_their_owners_alone(service: Service, corpus: Any) -> None:
    corpus.add("Tea is made of leaves.")
    ann, bob = service.client("ann"), service.client("bob")
    said = ann.post("/v1/answer", json={"query": "What is tea made of?"}).json()
    own, other = said["conversation_id"], str(uuid4())

    assert [c["conversation_id"] for c in ann.get("/v1/conversations").json()["conversations"]] == [
        own
    ]
    assert bob.get("/v1/conversations").json() == {"conversations": []}
    for method in ("GET", "DELETE"):
        theirs, none = (bob.request(method, f"/v1/conversations/{name}") for name in (own, other))
        assert theirs.status_code == none.status_code == 404
        assert theirs.json()["detail"] == none.json()["detail"]
    followed = bob.post("/v1/answer", json={"query": "And coffee?", "conversation_id": own})
    assert followed.status_code == 404
    verdict = {"answer_id": said["answer_id"], "rating": "down"}
    assert bob.post("/v1/feedback", json=verdict).status_code == 404

    turns = ann.get(f"/v1/conversations/{own}").json()["turns"]
    assert [turn["query"] for turn in turns] == ["What is tea made of?"]
    assert ann.post("/v1/feedback", json=verdict).status_code == 204
    asked = "select query from serving.query_log where kind = 'answer' and user_name = 'ann'"
    assert service.rows(asked) == [("What is tea made of?",)]
    assert ann.delete(f"/v1/conversations/{own}").status_code == 204
    assert service.rows(asked) == [("",)]
    assert service.rows("select * from serving.feedback") == []
    assert ann.get(f"/v1/conversations/{own}").status_code == 404


def test_only_monitors_see_metrics(service: Service) -> None:
    assert service.client("ann", ["hr"]).get("/metrics").status_code == 403
    seen = service.client("prometheus", roles=["monitor"]).get("/metrics")
    assert seen.status_code == 200
    assert seen.headers["content-type"].startswith("text/plain")


def test_metrics_hold_names_of_ours_alone(service: Service, corpus: Any) -> None:
    secret = "zanzibar"
    corpus.add(secret)
    ann = service.client(secret, [secret])
    ann.post("/v1/search", json={"query": secret, "filters": {secret: secret}})
    ann.get(f"/{secret}")
    ann.get(f"/v1/documents/{secret}")
    ann.request(secret.upper(), "/")
    shown = service.client("prometheus", roles=["monitor"]).get("/metrics").text

    assert 'route="/v1/search"' in shown
    assert secret not in shown.lower()
