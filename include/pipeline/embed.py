"""Embedding of one batch: a vector for every passage, and flags by what sentences are about."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from itertools import islice

from include import chunking, embedding
from include.pipeline import shards
from include.pipeline.context import RunContext
from include.safety.classifier import load_classifier
from include.staging import Attempt, Manifest, Row
from include.store import runs, vectors
from include.store.database import Connection, connect

logger = logging.getLogger(__name__)

_TEXTS_AT_A_TIME = 256
_DOCUMENTS_AT_A_TIME = 128


@cache
def embedder(threads: int = 0) -> embedding.Embedder:
    """Return this process's embedder; loading it checks it against reference vectors."""
    return embedding.load_embedder(threads=threads)


def embed(context: RunContext, shard: int) -> Manifest:
    """Embed the passages of one enriched batch.

    A batch on its own takes all cores; of several, each takes one, and others run beside it.

    Returns:
        The manifest: files ``vectors`` (one row a distinct input) and ``flags`` (one row a
        passage with injected instructions), facts ``model_id``, ``dimension`` and ``computed``.
    """
    started = time.monotonic()
    enriched = context.staging.manifest("enrich", shard)
    threads = 0 if context.staging.manifest("deduplicate").facts["batches"] == 1 else 1
    with (
        connect(context.dsn) as connection,
        context.staging.attempt("embed", shard) as attempt,
    ):
        attempt.writer("vectors", shards.vectors())
        identity = embedding.model_identity()
        vectors.register(connection, identity.model_id, asdict(identity), identity.dimension)
        computed = 0
        for page in _pages(_inputs(context, enriched)):
            computed += _embed_page(connection, attempt, page, identity.model_id, threads)
        _flag(
            attempt,
            context.staging.rows(enriched, "documents", shards.IMAGES),
            identity.model_id,
            threads,
        )
        manifest = attempt.commit(
            {
                "model_id": identity.model_id,
                "dimension": identity.dimension,
                "computed": computed,
            }
        )
        seconds = time.monotonic() - started
        count = manifest.counts["vectors"]
        runs.record_stage(connection, context.run_id, "embed", shard, count, seconds)
    logger.info(
        "batch %s: %s vectors, %s of them computed, in %.1f s", shard, count, computed, seconds
    )
    return manifest


def _inputs(context: RunContext, enriched: Manifest) -> Iterator[tuple[str, str]]:
    """Yield each distinct input of the batch: its hash and its text."""
    seen: set[str] = set()
    for row in context.staging.rows(enriched, "documents", shards.IMAGES):
        for passage in json.loads(row["passages"]):
            if passage["input_hash"] in seen:
                continue
            seen.add(passage["input_hash"])
            text = row["text"][passage["start_char"] : passage["end_char"]]
            yield (
                passage["input_hash"],
                chunking.embedding_input(row["title"], passage["heading_path"], text),
            )


def _pages(inputs: Iterator[tuple[str, str]]) -> Iterator[dict[str, str]]:
    page: dict[str, str] = {}
    for digest, text in inputs:
        page[digest] = text
        if len(page) == _TEXTS_AT_A_TIME:
            yield page
            page = {}
    if page:
        yield page


def _embed_page(
    connection: Connection,
    attempt: Attempt,
    page: dict[str, str],
    model_id: str,
    threads: int,
) -> int:
    """Stage the vectors of some inputs and return how many had to be computed."""
    known = vectors.cached(connection, model_id, list(page))
    missing = [digest for digest in page if digest not in known]
    if missing:
        computed = embedder(threads).embed([page[digest] for digest in missing])
        vectors.add_to_cache(connection, model_id, missing, computed)
        known.update(zip(missing, computed.tolist(), strict=True))
    writer = attempt.writer("vectors", shards.vectors())
    for digest in page:
        writer.write({"input_hash": digest, "vector": known[digest]})
    return len(missing)


def _flag(attempt: Attempt, rows: Iterator[Row], model_id: str, threads: int) -> None:
    """Stage what the injection classifier adds to the flags that rules have set.

    Only sentences whose words make them candidates are embedded, a few in a hundred.
    """
    writer = attempt.writer("flags", shards.flags())
    classifier = load_classifier(model_id)
    if classifier is None:
        return
    while page := list(islice(rows, _DOCUMENTS_AT_A_TIME)):
        found = classifier.flags(
            [row["text"] for row in page], lambda texts: embedder(threads).embed(texts)
        )
        for row, flags in zip(page, found, strict=True):
            for passage in json.loads(row["passages"]) if flags else ():
                ruled = {(span["start_char"], span["end_char"]) for span in passage["flag_spans"]}
                spans = [
                    asdict(flag)
                    for flag, _ in flags
                    if flag.start_char < passage["end_char"]
                    and flag.end_char > passage["start_char"]
                    and (flag.start_char, flag.end_char) not in ruled
                ]
                if spans:
                    writer.write({"chunk_id": passage["chunk_id"], "spans": json.dumps(spans)})
