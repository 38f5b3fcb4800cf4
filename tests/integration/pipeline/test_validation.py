"""What validation withholds, and what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.pipeline import enrich as enrichment_stage
from include.pipeline.validate import ValidationError

HARBOUR = "The harbour master keeps the tide tables of the northern quay."
LIGHT = "The lighthouse was rebuilt in 1911 after the great storm of the previous winter."


def test_what_fails_before_loading_is_withheld_and_named(
    deployment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = enrichment_stage._passages

    def damaged(row: dict[str, Any]) -> list[dict[str, Any]]:
        passages = whole(row)
        if "lighthouse" in row["text"]:
            passages[0]["end_char"] += 1000
        return passages

    monkeypatch.setattr(enrichment_stage, "_passages", damaged)
    deployment.add_source("docs")
    deployment.write("a.txt", HARBOUR)
    deployment.write("b.txt", LIGHT)
    assert deployment.ingest() == {"added": 1, "quarantined": 1}
    assert deployment.documents().keys() == {"a.txt"}
    row = deployment.query("select stage, reason, detail from ops.quarantine")[0]
    assert (row["stage"], row["reason"]) == ("validate", "invalid")
    assert "offsets lie inside the text" in row["detail"]


def test_what_does_not_hold_after_loading_fails_the_run(
    deployment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from include.pipeline import local

    load = local.load

    def lossy(context: Any) -> Any:
        manifest = load(context)
        deployment.query("delete from corpus.chunk_lexical returning chunk_id")
        return manifest

    monkeypatch.setattr(local, "load", lossy)
    deployment.add_source("docs")
    deployment.write("a.txt", HARBOUR)
    with pytest.raises(ValidationError, match="every passage has its terms") as caught:
        deployment.ingest()
    doc_id = str(deployment.documents()["a.txt"]["doc_id"])
    assert doc_id in str(caught.value)
    state = deployment.query("select state from ops.run where run_id = %s", deployment.last_run)
    assert state == [{"state": "failed"}]


def test_no_text_of_documents_reaches_run_or_quarantine(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.jsonl", '{"id": "a", "text": "the secret of the quay"\n{"id": {}}\n')
    deployment.ingest()
    told = json.dumps(
        deployment.query("select to_jsonb(q) as row from ops.quarantine as q")
        + deployment.query("select to_jsonb(r) as row from ops.run as r"),
        default=str,
    )
    assert "secret" not in told
