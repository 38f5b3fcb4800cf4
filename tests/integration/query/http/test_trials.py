"""Random callers, random calls: nothing that is sent back holds what the caller may not see."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.fake_llm import FakeLLM
from tests.integration.query.http.conftest import Service

GROUPS = ["hr", "legal", "dev"]
WORDS = ["tea", "coffee", "water", "milk"]
DOCUMENTS = 40


@dataclass
class World:
    """Documents that each hold a word of their own, who may see them, and who has asked."""

    service: Service
    chance: random.Random
    lists: dict[str, frozenset[str]] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    conversations: dict[str, set[str]] = field(default_factory=dict)
    clients: dict[str, httpx.Client] = field(default_factory=dict)

    def fill(self, corpus: Any) -> None:
        for number in range(DOCUMENTS):
            groups = self.chance.sample(GROUPS, self.chance.randint(1, 2))
            acl = self.chance.choice([[], ["!nobody"], groups, groups])
            first, second = self.chance.sample(WORDS, 2)
            mark = f"zq{number:03}x"
            made = corpus.add(
                f"The {first} of {mark} is served with {second}.",
                title=f"About {mark}",
                acl=acl,
                source=f"s{number % 3}",
                metadata={"owner": mark},
                entities=[mark.upper()],
            )
            self.lists[str(made.doc_id)] = frozenset(acl)
            self.marks[str(made.doc_id)] = mark

    def visible(self, groups: set[str]) -> set[str]:
        held = groups - {"!nobody"}
        return {doc for doc, acl in self.lists.items() if not acl or acl & held}

    def client(self, groups: tuple[str, ...]) -> tuple[str, httpx.Client]:
        user = f"user of {'-'.join(sorted(groups))}"
        if user not in self.clients:
            self.clients[user] = self.service.client(user, groups)
        return user, self.clients[user]


def trial(world: World, llm: FakeLLM) -> None:
    """Let one caller do one thing; check all that comes back, and all that a model was told."""
    chance = world.chance
    groups = tuple(chance.sample([*GROUPS, "!nobody"], chance.randint(0, 3)))
    user, client = world.client(groups)
    seen = world.visible(set(groups))
    llm.requests.clear()
    act = chance.choices(ACTS, WEIGHTS)[0]
    answer, asked = act(world, user, client, seen)
    # What one types comes back to one.
    told = "".join((answer.text, *(str(request) for request in llm.requests))).replace(asked, "")
    leaked = [world.marks[doc] for doc in world.lists.keys() - seen if world.marks[doc] in told]
    assert not leaked, (act.__name__, groups, answer.request.content)
    for doc in world.lists.keys() - seen:
        assert doc not in told.replace(str(answer.url), "") or doc in asked, act.__name__


def _search(
    world: World, _: str, client: httpx.Client, seen: set[str]
) -> tuple[httpx.Response, str]:
    chance = world.chance
    mark = chance.choice(list(world.marks.values()))
    body: dict[str, Any] = {
        "query": chance.choice([*WORDS, mark, f"the {chance.choice(WORDS)} of {mark}"]),
        "mode": chance.choice(["hybrid", "lexical", "dense"]),
        "top_k": chance.choice([1, 10, 200]),
        "as_typed": chance.random() < 0.5,
    }
    if chance.random() < 0.5:
        body["filters"] = chance.choice(
            [{"source": "s1"}, {"owner": mark}, {"entity": mark.upper()}, {"type": "text"}]
        )
    answer = client.post("/v1/search", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert {hit["doc_id"] for hit in found["hits"]} <= seen
    counted = sum(value["count"] for value in found["facets"]["source"])
    assert counted <= len(seen)
    # One's own words return as the query and as what was read out of it.
    return answer, mark if mark in str(body) else "\0"


def _document(
    world: World, _: str, client: httpx.Client, seen: set[str]
) -> tuple[httpx.Response, str]:
    doc = world.chance.choice(list(world.lists))
    answer = client.get(f"/v1/documents/{doc}")
    assert answer.status_code == (200 if doc in seen else 404)
    return answer, doc


def _answer(
    world: World, user: str, client: httpx.Client, seen: set[str]
) -> tuple[httpx.Response, str]:
    body: dict[str, Any] = {"query": f"What is the {world.chance.choice(WORDS)} served with?"}
    own = world.conversations.setdefault(user, set())
    others = [name for names in world.conversations.values() for name in names if name not in own]
    if others and world.chance.random() < 0.3:
        body["conversation_id"] = world.chance.choice(others)
        answer = client.post("/v1/answer", json=body)
        assert answer.status_code == 404
        return answer, "\0"
    if own and world.chance.random() < 0.3:
        body["conversation_id"] = world.chance.choice(sorted(own))
    body["history"] = {"documents": world.chance.sample(list(world.lists), 2)}
    answer = client.post("/v1/answer", json=body)
    assert answer.status_code == 200, answer.text
    given = answer.json()
    own.add(given["conversation_id"])
    assert {citation["doc_id"] for citation in given["citations"]} <= seen
    return answer, "\0"


def _conversation(
    world: World, user: str, client: httpx.Client, _: set[str]
) -> tuple[httpx.Response, str]:
    names = [name for names in world.conversations.values() for name in names] or [str(uuid4())]
    name = world.chance.choice(sorted(names))
    answer = client.get(f"/v1/conversations/{name}")
    own = world.conversations.get(user, set())
    assert answer.status_code == (200 if name in own else 404)
    return answer, "\0"


Act = Callable[[World, str, httpx.Client, set[str]], tuple[httpx.Response, str]]
ACTS: list[Act] = [_search, _document, _answer, _conversation]
WEIGHTS = [6, 2, 1, 1]


@pytest.mark.parametrize(
    "trials",
    [
        200,
        pytest.param(10_000, marks=[pytest.mark.faults, pytest.mark.timeout(3600)]),
    ],
)
def test_nobody_is_told_of_what_is_hidden(
    service: Service, corpus: Any, llm: FakeLLM, trials: int
) -> None:
    world = World(service, random.Random(trials))
    world.fill(corpus)
    llm.script = lambda messages: messages[-1]["content"]
    for _ in range(trials):
        trial(world, llm)
