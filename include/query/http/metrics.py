"""What Prometheus reads: requests, steps, caches, limits, tokens and sampled recall.

Labels are bounded: routes, steps and outcomes that the code names, never anything a caller sent.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    60,
)  # fmt: skip
_SHARED = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """The figures of one process; several workers share them through a folder where one is set."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "tidemark_requests", "Requests.", ("route", "method", "status"), registry=registry
        )
        self.request_seconds = Histogram(
            "tidemark_request_seconds",
            "Time until the last byte.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.first_event_seconds = Histogram(
            "tidemark_first_event_seconds",
            "Time until the first event of a streamed answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.step_seconds = Histogram(
            "tidemark_step_seconds",
            "Time of a step of a search or an answer.",
            ("kind", "step"),
            buckets=_SECONDS,
            registry=registry,
        )
        self.errors = Counter(
            "tidemark_errors", "Errors by their type.", ("route", "error"), registry=registry
        )
        self.cache = Counter(
            "tidemark_cache", "Look-ups in a cache.", ("cache", "outcome"), registry=registry
        )
        self.refused = Counter(
            "tidemark_refused", "Requests over a limit.", ("limit",), registry=registry
        )
        self.answers = Counter(
            "tidemark_answers", "Answers by what became of them.", ("outcome",), registry=registry
        )
        self.sentences = Counter(
            "tidemark_answer_sentences",
            "Sentences that were shown, cited or taken back.",
            ("what",),
            registry=registry,
        )
        self.tokens = Counter(
            "tidemark_model_tokens", "Tokens of the language model.", ("kind",), registry=registry
        )
        self.log_dropped = Counter(
            "tidemark_query_log_dropped", "Queries that could not be logged.", registry=registry
        )
        self.filtered_recall = Histogram(
            "tidemark_filtered_recall",
            "Recall of sampled filtered searches against exact ones.",
            buckets=(0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0),
            registry=registry,
        )
        self.in_flight = Gauge(
            "tidemark_requests_in_flight",
            "Requests being served.",
            multiprocess_mode="livesum",
            registry=registry,
        )

    def observe_steps(self, kind: str, timings_ms: Mapping[str, float]) -> None:
        """Count the steps of a search or an answer."""
        for step, milliseconds in timings_ms.items():
            self.step_seconds.labels(kind, step).observe(milliseconds / 1000)

    def rendered(self) -> bytes:
        """Return all figures in the text format, those of the other workers included."""
        if not os.environ.get(_SHARED):
            return generate_latest(self._registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
