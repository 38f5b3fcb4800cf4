"""Runs through the batch APIs of four providers: bought once, whatever fails in between."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from include.errors import ConfigurationError, UnavailableError
from include.generation.batch.contract import Limits
from include.generation.batch.gemini import GeminiBatches
from include.generation.batch.openai import OpenAIBatches
from include.pipeline.generation import batches
from include.pipeline.generation.local import generate_all
from include.pipeline.generation.plan import plan
from include.settings import settings
from tests.fake_batch_rows import Kind
from tests.fake_batches import BUCKET, FakeBatches
from tests.integration.generation.conftest import Corpus
from tests.model_replies import summary_of

KINDS: tuple[Kind, ...] = ("openai", "anthropic", "gemini", "vertex")
SOME = ["openai", *(pytest.param(kind, marks=pytest.mark.faults) for kind in KINDS[1:])]
"""What does not depend on the protocol is tried over one in CI, over all by `make faults`."""
DOCUMENTS = 8
Provider = Callable[..., AbstractContextManager[FakeBatches]]


@pytest.fixture
def documents(corpus: Corpus) -> Corpus:
    for number in range(DOCUMENTS):
        corpus.put(f"berth {number}", f"Berth {number} of the harbour is {number + 4} metres deep.")
    return corpus


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    @contextmanager
    def use(kind: Kind, **options: Any) -> Generator[FakeBatches]:
        with FakeBatches(kind, summary_of, **options) as fake:
            monkeypatch.setattr(batches, "_LEAST_SETTLING", 0.2)
            monkeypatch.setenv("TIDEMARK_LLM_BATCH", kind)
            monkeypatch.setenv("TIDEMARK_LLM_BATCH_URL", fake.url)
            monkeypatch.setenv("TIDEMARK_LLM_BATCH_FOLDER", f"gs://{BUCKET}/kept")
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.root)
            monkeypatch.setenv("TIDEMARK_LLM_BATCH_POLL_SECONDS", "0.05")
            settings.cache_clear()
            try:
                yield fake
            finally:
                settings.cache_clear()

    return use


def ask(corpus: Corpus, **options: Any) -> bool:
    """Bring about all replies without judging them; return whether a budget stopped it."""
    context = corpus.context(**options)
    shards = plan(context).facts["batches"]
    generate_all(context, shards, lambda *_: None)
    made = (context.staging.manifest("generated", shard) for shard in range(shards))
    return any(manifest.facts["stopped"] for manifest in made)


def outcomes(corpus: Corpus) -> dict[str, int]:
    rows = corpus.query("select outcome, count(*) as n from ops.llm_request group by outcome")
    return {row["outcome"]: row["n"] for row in rows}


def assert_settled(corpus: Corpus) -> None:
    """Nothing is open, and what is committed is what the ledger says was spent."""
    open_ = corpus.query("select from ops.llm_batch where state not in ('ended', 'unsent')")
    assert open_ == []
    assert corpus.query("select from ops.llm_call where ended_at is null") == []
    (sums,) = corpus.query(
        "select (select sum(cost_usd) from ops.llm_call) as spent, "
        "(select sum(committed_usd) from ops.generation_run) as runs, "
        "(select sum(committed_usd) from ops.llm_month) as months"
    )
    assert sums["spent"] == sums["runs"] == sums["months"]


@pytest.mark.parametrize("kind", KINDS)
def test_documents_go_through_the_batch_api_at_its_price(
    documents: Corpus, provider: Provider, kind: Kind
) -> None:
    with provider(kind) as fake:
        state, counted = documents.run()
        assert (state, counted["clean"]) == ("success", DOCUMENTS)
        assert documents.run() == ("success", {})
    assert set(fake.created.values()) == {1}
    assert set(fake.succeeded.values()) == {1}
    assert len(fake.succeeded) == DOCUMENTS
    assert documents.endpoint.counts.calls.total() == 0
    assert "4 metres" in documents.published()["berth 0"]["summary"]
    assert_settled(documents)
    cached = 10 if kind == "anthropic" else 0
    rows = documents.query("select * from ops.llm_call")
    # 100 tokens read at 1 USD a million, 50 written at 2; batches cost half.
    assert {row["cost_usd"] for row in rows} == {Decimal("0.0001")}
    assert {row["cached_tokens"] for row in rows} == {cached}


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_is_lost_buys_nothing_twice(
    documents: Corpus, provider: Provider, kind: Kind
) -> None:
    first = ("drop_after", None, "broken", "drop_after", "html", "drop", "busy")
    with provider(kind, first=first) as fake:
        ask(documents)
    assert not fake.first
    assert outcomes(documents) == {"success": DOCUMENTS}
    assert set(fake.created.values()) == {1}
    assert set(fake.succeeded.values()) == {1}
    assert_settled(documents)


def test_a_provider_that_does_not_answer_in_time_is_asked_what_it_has(
    documents: Corpus, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = replace(documents.endpoint.endpoint, seconds=0.5)
    monkeypatch.setattr(type(documents.endpoint), "endpoint", endpoint)
    with provider("openai", first=("hang",)) as fake:
        ask(documents)
    assert outcomes(documents) == {"success": DOCUMENTS}
    assert set(fake.sent.values()) == {1}


@pytest.mark.parametrize("kind", SOME)
def test_a_provider_that_fails_often_loses_and_doubles_nothing(
    documents: Corpus, provider: Provider, kind: Kind
) -> None:
    faults = {"busy": 0.08, "broken": 0.08, "drop": 0.05, "drop_after": 0.08, "html": 0.05}
    spoils = {"error": 0.1, "missing": 0.1, "duplicate": 0.1, "stranger": 0.1}
    with provider(kind, faults=faults, spoils=spoils, seed=4) as fake:
        for _ in range(6):
            with suppress(UnavailableError):
                ask(documents)
            if outcomes(documents) == {"success": DOCUMENTS}:
                break
    assert outcomes(documents) == {"success": DOCUMENTS}
    assert set(fake.created.values()) == {1}
    lost = fake.met["missing"]
    assert sum(fake.succeeded.values()) <= DOCUMENTS
    assert sum(fake.sent.values()) <= DOCUMENTS + lost + fake.met["error"]
    assert_settled(documents)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_broken_off_batch_replied_is_kept_and_the_rest_sent_again(
    documents: Corpus, provider: Provider, kind: Kind
) -> None:
    ends = ("expired", "cancelled", "failed")
    with provider(kind, ends=ends) as fake:
        ask(documents)
    assert outcomes(documents) == {"success": DOCUMENTS}
    cut = sum(batch.counts[end] for batch in fake.batches.values() for end in ends)
    assert sum(fake.sent.values()) == DOCUMENTS + cut > DOCUMENTS
    assert set(fake.succeeded.values()) == {1}
    calls = documents.query("select status, sum(cost_usd) as cost from ops.llm_call group by 1")
    costs = {row["status"]: row["cost"] for row in calls}
    assert costs.keys() == {"success", "expired", "cancelled", "error"}
    assert costs["expired"] == costs["cancelled"] == costs["error"] == 0
    assert_settled(documents)


@pytest.mark.parametrize("kind", SOME)
def test_rows_without_end_are_given_up_and_tried_by_a_later_run(
    documents: Corpus, provider: Provider, kind: Kind
) -> None:
    with provider(kind, spoils={"missing": 1.0}) as fake:
        ask(documents, limit=1)
        assert outcomes(documents) == {"missing": 1}
        assert set(fake.sent.values()) == {3}
        # Nobody knows whether a lost reply was paid for: the most counts.
        spent = documents.query("select sum(cost_usd - reserved_usd) as n from ops.llm_call")
        assert spent[0]["n"] == 0
        fake.spoils = {}
        ask(documents, limit=1)
        assert outcomes(documents) == {"success": 1}
    assert_settled(documents)


@pytest.mark.parametrize("kind", SOME)
def test_replies_that_break_the_schema_are_corrected_once_and_refusals_stand(
    documents: Corpus, provider: Provider, kind: Kind
) -> None:
    with provider(kind, spoils={"invalid": 1.0}) as fake:
        ask(documents, limit=1)
        assert set(fake.sent.values()) == {2}
        assert outcomes(documents) == {"invalid_output": 1}
        last = list(fake.batches.values())[-1].lines[0]
        assert "does not follow the JSON schema" in str(last)
        fake.spoils = {"refused": 1.0}
        documents.put("new", "A new berth was dug.")
        ask(documents, limit=1)
        assert outcomes(documents) == {"invalid_output": 1, "refused": 1}
    assert_settled(documents)
    told = documents.query("select detail from ops.llm_request where outcome = 'refused'")
    assert told == [{"detail": "the model declined"}]


@pytest.mark.parametrize("kind", SOME)
def test_a_budget_holds_back_what_it_does_not_allow(
    documents: Corpus, provider: Provider, kind: Kind
) -> None:
    budget = Decimal("0.0024")
    with provider(kind) as fake:
        assert ask(documents, budget=budget)
        held = outcomes(documents)["cancelled"]
        assert 0 < held < DOCUMENTS
        assert len(fake.sent) == DOCUMENTS - held
        (sums,) = documents.query(
            "select (select sum(cost_usd) from ops.llm_call) as spent, "
            "(select max(committed_usd) from ops.generation_run) as committed"
        )
        assert 0 < sums["spent"] <= sums["committed"] <= budget
        assert not ask(documents, budget=Decimal(1))
        assert outcomes(documents) == {"success": DOCUMENTS}
    assert set(fake.sent.values()) == {1}
    assert_settled(documents)


def test_a_month_budget_holds_batches_back_and_lets_them_go_on(
    documents: Corpus, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with provider("openai") as fake:
        monkeypatch.setenv("TIDEMARK_MONTH_BUDGET", "0.0024")
        settings.cache_clear()
        assert ask(documents)
        assert 0 < len(fake.sent) < DOCUMENTS
        monkeypatch.setenv("TIDEMARK_MONTH_BUDGET", "1")
        settings.cache_clear()
        assert not ask(documents)
        assert outcomes(documents) == {"success": DOCUMENTS}
    assert set(fake.sent.values()) == {1}
    assert_settled(documents)


def test_batches_are_cut_at_the_limits_of_the_provider(
    documents: Corpus, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAIBatches, "limits", Limits(1, 10**9))
    with provider("openai") as fake:
        ask(documents, again=True)
        assert [len(batch.lines) for batch in fake.batches.values()] == [1] * DOCUMENTS
    monkeypatch.setattr(GeminiBatches, "limits", Limits(50_000, 5_000))
    with provider("gemini") as fake:
        ask(documents, again=True)
        sizes = [sum(len(str(line)) for line in one.lines) for one in fake.batches.values()]
        assert len(sizes) == DOCUMENTS
        assert max(sizes) <= 5_000
    assert outcomes(documents) == {"success": 2 * DOCUMENTS}


def test_long_documents_are_merged_by_a_batch_of_their_own(
    corpus: Corpus, provider: Provider
) -> None:
    lines = [f"Paragraph {n} tells of berth {n} and its depth of {n} metres." for n in range(400)]
    corpus.put("long", "\n".join(lines))
    with provider("anthropic") as fake:
        ask(corpus)
    assert len(fake.batches) == 2
    parts = corpus.query("select part from ops.llm_request where outcome = 'success'")
    assert {"merge", "part 0", "part 1"} <= {row["part"] for row in parts}


def test_a_wrong_key_or_a_changed_provider_is_told_with_its_remedy(
    documents: Corpus, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = replace(documents.endpoint.endpoint, api_key="wrong")
    monkeypatch.setattr(type(documents.endpoint), "endpoint", endpoint)
    with provider("openai"), pytest.raises(ConfigurationError, match="TIDEMARK_LLM_API_KEY"):
        ask(documents)
    monkeypatch.undo()
    assert_settled(documents)
