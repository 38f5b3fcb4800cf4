"""Enrichment of one batch: language, passages, entities, injection flags and lexical terms."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any
from uuid import UUID

from include import chunking, embedding, enrichment, ids, lexical, safety
from include.models import Flag, Heading, Passage
from include.pipeline import shards
from include.pipeline.context import RunContext
from include.pipeline.versions import current_versions
from include.settings import settings
from include.staging import Manifest, Row
from include.store import runs
from include.store.database import connect

logger = logging.getLogger(__name__)

_DOCUMENTS_AT_A_TIME = 32
_MOST_TERMS = 16_000
_MOST_FREQUENCY = 32_767


def enrich(context: RunContext, shard: int) -> Manifest:
    """Enrich one batch of documents.

    Returns:
        The manifest, with the file ``documents``.
    """
    started = time.monotonic()
    work = context.staging.manifest("deduplicate")
    versions = json.dumps(current_versions())
    passages = 0
    with context.staging.attempt("enrich", shard) as attempt:
        writer = attempt.writer("documents", shards.enriched())
        rows = context.staging.rows(work, f"enrich-{shard:05d}")
        while page := list(islice(rows, _DOCUMENTS_AT_A_TIME)):
            for row in _enriched(page):
                passages += row.pop("passage_count")
                writer.write({**row, "versions": versions}, shards.image_bytes(row))
        manifest = attempt.commit()
    seconds = time.monotonic() - started
    with connect(context.dsn) as connection:
        runs.record_stage(
            connection, context.run_id, "enrich", shard, manifest.counts["documents"], seconds
        )
    logger.info(
        "batch %s: enriched %s documents into %s passages, in %.1f s",
        shard,
        manifest.counts["documents"],
        passages,
        seconds,
    )
    return manifest


@cache
def recognizer() -> enrichment.EntityRecognizer:
    """Return this process's recogniser; the model loads with the first text."""
    return enrichment.EntityRecognizer(settings().spacy_model)


@cache
def _chunker() -> chunking.Chunker:
    return chunking.Chunker(*embedding.load_tokenizer())


def _enriched(page: Sequence[Row]) -> Iterator[Row]:
    languages = [enrichment.detect(row["text"]) for row in page]
    mentions = _mentions(page, languages)
    for row, language, found in zip(page, languages, mentions, strict=True):
        cut = _passages(row)
        staged = {name: row[name] for name in shards.documents().names if name in row}
        yield {
            **staged,
            "language": language,
            "passages": json.dumps(cut, ensure_ascii=False),
            "mentions": found,
            "passage_count": len(cut),
        }


def _mentions(page: Sequence[Row], languages: Sequence[str]) -> list[str | None]:
    """Return mentions as JSON, or None for documents that keep those that are stored."""
    wanted = [number for number, row in enumerate(page) if not row["keep_mentions"]]
    recognised = recognizer().recognize(
        [page[number]["text"] for number in wanted], [languages[number] for number in wanted]
    )
    found: list[str | None] = [None] * len(page)
    for number, mentions in zip(wanted, recognised, strict=True):
        found[number] = json.dumps(
            [
                [m.start_char, m.end_char, m.text, m.label, str(m.entity_id), m.name]
                for m in mentions
            ],
            ensure_ascii=False,
        )
    return found


def _passages(row: Row) -> list[dict[str, Any]]:
    headings = [Heading(*heading) for heading in json.loads(row["headings"])]
    flags = safety.find_injections(row["text"])
    seen: Counter[str] = Counter()
    cut = []
    for passage in _chunker().chunk(row["title"], row["text"], headings, row["pages"]):
        digest = ids.text_hash(passage.text)
        seen[digest] += 1
        chunk = ids.chunk_id(UUID(row["doc_id"]), digest, seen[digest])
        cut.append(_passage(row["title"], passage, str(chunk), flags))
    return cut


def _passage(title: str, passage: Passage, chunk_id: str, flags: Sequence[Flag]) -> dict[str, Any]:
    text = chunking.embedding_input(title, passage.heading_path, passage.text)
    counts = lexical.term_counts(text)
    kept = sorted(sorted(counts, key=lambda term: -counts[term])[:_MOST_TERMS])
    touching = [
        flag
        for flag in flags
        if flag.start_char < passage.end_char and flag.end_char > passage.start_char
    ]
    return {
        "chunk_id": chunk_id,
        "ordinal": passage.ordinal,
        "start_char": passage.start_char,
        "end_char": passage.end_char,
        "page": passage.page,
        "heading_path": list(passage.heading_path),
        "flags": sorted({flag.kind for flag in touching}),
        "flag_spans": [
            {
                "kind": flag.kind,
                "rule": flag.rule,
                "start_char": flag.start_char,
                "end_char": flag.end_char,
            }
            for flag in touching
        ],
        "input_hash": ids.text_hash("input", text),
        "length": sum(counts.values()),
        "terms": kept,
        "frequencies": [min(counts[term], _MOST_FREQUENCY) for term in kept],
    }
