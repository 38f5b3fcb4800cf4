"""Embedding speed: the product's runtime against ``SentenceTransformer.encode``, in one run.

``python -m benchmarks.embed --data corpus.jsonl`` takes texts of a BEIR-like corpus; without it,
documentation that ships in installed packages is taken. ``--qrels qrels.tsv`` adds the retrieval
quality of both over the whole corpus, with the ``queries.jsonl`` beside that file.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib.metadata import distributions
from pathlib import Path

import numpy as np

from benchmarks.deployment import processor
from include.chunking import Chunker, embedding_input
from include.embedding import Embedder, Vectors, load_embedder
from include.embedding.model_folder import locate_model
from include.embedding.torch_runtime import load_sentence_transformer
from include.errors import ConfigurationError, TidemarkError
from include.settings import settings

Encode = Callable[[Sequence[str]], Vectors]
Document = tuple[str, str, str]
"""Identity, title and text."""
BASELINE_BATCH = 32


def run(
    data: Path | None = None,
    *,
    documents: int = 500,
    rounds: int = 3,
    threads: int = 0,
    runtime: str | None = None,
    qrels: Path | None = None,
    as_json: bool = False,
) -> int:
    """Compare the embedder with the library's own ``encode`` and print the result.

    Args:
        data: a BEIR-like ``corpus.jsonl`` (``_id``, ``title``, ``text``) or the folder of one.
        documents: how many texts to time.
        rounds: how often each side embeds them, in turns, so that both meet the same machine.
        threads: cores that the embedder uses; 0 means all.
        runtime: ``auto``, ``openvino`` or ``torch``; default from the settings.
        qrels: judgements (tab-separated query, document, score); adds nDCG@10 of both sides.
        as_json: print one JSON object in place of the table.

    Returns:
        Exit code 0.
    """
    corpus = read_corpus(data) if data else packaged_documents()
    step = max(len(corpus) // documents, 1)
    texts = [embedding_input(title, (), text) for _, title, text in corpus[::step][:documents]]
    embedder = load_embedder(runtime=runtime, threads=threads)
    baseline = _baseline()
    embedder.embed(texts[:32])
    baseline(texts[:32])
    sides = {"baseline": baseline, "embedder": embedder.embed}
    seconds, cpu_seconds, vectors = _race(texts, sides, rounds)
    cosine = np.sum(vectors["baseline"] * vectors["embedder"], axis=1)
    model, flags = processor()
    report: dict[str, object] = {
        "cpu": model,
        "flags": flags,
        "cores": len(os.sched_getaffinity(0)),
        "model": embedder.identity.model_id,
        "runtime": embedder.runtime,
        "texts": len(texts),
        "tokens": _token_count(embedder, texts),
        "baseline_texts_per_second": _rates(len(texts), seconds["baseline"]),
        "embedder_texts_per_second": _rates(len(texts), seconds["embedder"]),
        "ratio": round(min(seconds["baseline"]) / min(seconds["embedder"]), 2),
        "ratio_of_cpu_time": round(min(cpu_seconds["baseline"]) / min(cpu_seconds["embedder"]), 2),
        "cosine_min": round(float(cosine.min()), 6),
        "cosine_mean": round(float(cosine.mean()), 6),
    }
    if qrels is not None:
        report |= _quality(corpus, qrels, embedder, baseline)
    print(json.dumps(report) if as_json else _table(report))
    return 0


def read_corpus(path: Path) -> list[Document]:
    """Read a BEIR-like corpus."""
    file = path / "corpus.jsonl" if path.is_dir() else path
    try:
        with file.open(encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines if line.strip()]
        return [(str(r["_id"]), r.get("title") or "", r["text"]) for r in records]
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"{file} cannot be read as a corpus ({type(error).__name__}: {error}); it needs one "
            "JSON object a line with _id, title and text."
        ) from error


def packaged_documents() -> list[Document]:
    """Return pieces of the documentation of the installed packages, about an abstract long."""
    found: dict[str, Document] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        words = (distribution.read_text("METADATA") or "").partition("\n\n")[2].split()
        for start in range(0, min(len(words), 4000), 160):
            key = f"{name}-{start}"
            found[key] = (key, name, " ".join(words[start : start + 160]))
    return [found[key] for key in sorted(found)]


def ndcg_at_10(ranking: Sequence[str], judged: dict[str, int]) -> float:
    """Return the normalised discounted cumulative gain of the first ten (linear gains)."""
    gain = sum(judged.get(d, 0) / math.log2(rank + 2) for rank, d in enumerate(ranking[:10]))
    best = sorted(judged.values(), reverse=True)[:10]
    ideal = sum(score / math.log2(rank + 2) for rank, score in enumerate(best))
    return gain / ideal if ideal else 0.0


def _baseline() -> Encode:
    model = load_sentence_transformer(locate_model(settings().embedding_model))

    def encode(texts: Sequence[str]) -> Vectors:
        vectors = model.encode(
            list(texts),
            batch_size=BASELINE_BATCH,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)

    return encode


def _race(
    texts: Sequence[str], sides: dict[str, Encode], rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, Vectors]]:
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    cpu_seconds: dict[str, list[float]] = {name: [] for name in sides}
    vectors: dict[str, Vectors] = {}
    for turn in range(rounds):
        # The order turns about: a CPU that slows down as it warms favours nobody.
        for name in sorted(sides, reverse=bool(turn % 2)):
            begun, cpu_begun = time.perf_counter(), time.process_time()
            vectors[name] = sides[name](texts)
            seconds[name].append(time.perf_counter() - begun)
            cpu_seconds[name].append(time.process_time() - cpu_begun)
            print(f"round {turn + 1} {name}: {seconds[name][-1]:.1f} s", file=sys.stderr)
    return seconds, cpu_seconds, vectors


def _quality(
    corpus: Sequence[Document], qrels: Path, embedder: Embedder, baseline: Encode
) -> dict[str, object]:
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    with qrels.open(encoding="utf-8") as lines:
        for row in csv.reader(lines, delimiter="\t"):
            if len(row) == 3 and row[2].lstrip("-").isdigit():
                judged[row[0]][row[1]] = int(row[2])
    with qrels.with_name("queries.jsonl").open(encoding="utf-8") as lines:
        every = [json.loads(line) for line in lines if line.strip()]
    queries = [(str(q["_id"]), q["text"]) for q in every if str(q["_id"]) in judged]
    chunker = Chunker(embedder.tokenizer, embedder.identity.max_tokens)
    owners, passages = [], []
    for key, title, text in corpus:
        for passage in chunker.chunk(title, text, (), ()):
            owners.append(key)
            passages.append(embedding_input(title, passage.heading_path, passage.text))
    scores = {}
    for name, encode in (("baseline", baseline), ("embedder", embedder.embed)):
        similarities = encode([text for _, text in queries]) @ encode(passages).T
        gains = [
            ndcg_at_10(_best_documents(row, owners), judged[key])
            for (key, _), row in zip(queries, similarities, strict=True)
        ]
        scores[name] = sum(gains) / len(gains)
    return {
        "queries": len(queries),
        "passages": len(passages),
        "baseline_ndcg_at_10": round(scores["baseline"], 4),
        "embedder_ndcg_at_10": round(scores["embedder"], 4),
        "ndcg_lost": round(scores["baseline"] - scores["embedder"], 4),
    }


def _best_documents(similarities: Vectors, owners: Sequence[str]) -> list[str]:
    ranked: dict[str, None] = {}
    for position in np.argsort(-similarities, kind="stable"):
        ranked.setdefault(owners[int(position)])
        if len(ranked) == 10:
            break
    return list(ranked)


def _rates(texts: int, seconds: Sequence[float]) -> list[float]:
    return [round(texts / each, 1) for each in seconds]


def _token_count(embedder: Embedder, texts: Sequence[str]) -> int:
    limit = embedder.identity.max_tokens
    encodings = embedder.tokenizer.encode_batch(list(texts))
    return sum(min(len(encoding.ids), limit) for encoding in encodings)


def _table(report: dict[str, object]) -> str:
    width = max(map(len, report))
    rows = []
    for name, value in report.items():
        shown = " ".join(map(str, value)) if isinstance(value, list) else value
        rows.append(f"{name.replace('_', ' '):<{width}}  {shown}")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.embed", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, help="a BEIR-like corpus.jsonl, or its folder")
    parser.add_argument("--documents", type=int, default=500, help="texts to time (500)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side (3)")
    parser.add_argument("--threads", type=int, default=0, help="cores to use; 0 means all")
    parser.add_argument("--runtime", choices=["auto", "openvino", "torch"])
    parser.add_argument("--qrels", type=Path, help="judgements; adds nDCG@10 of both sides")
    parser.add_argument("--json", action="store_true", dest="as_json")
    try:
        return run(**vars(parser.parse_args(arguments)))
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
