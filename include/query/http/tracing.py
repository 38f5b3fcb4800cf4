"""OpenTelemetry traces, where an endpoint is configured by OpenTelemetry's own variables.

A span a request, with the steps' times as attributes; ids and figures, never a text.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Tracing:
    """Makes spans, or none where nothing is configured."""

    def __init__(self, tracer: Any = None, provider: Any = None) -> None:
        self._tracer = tracer
        self._provider = provider

    @classmethod
    def configured(cls) -> Tracing:
        """Return what the environment asks for."""
        disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
        if disabled or not any(os.environ.get(name) for name in _ENDPOINTS):
            return cls()
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        name = os.environ.get("OTEL_SERVICE_NAME", "tidemark-query")
        provider = TracerProvider(resource=Resource.create({"service.name": name}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider.get_tracer("tidemark"), provider)

    @contextmanager
    def request(self, method: str, headers: Mapping[str, str]) -> Generator[Any]:
        """Make the span of a request, below the caller's where it names one; None without."""
        if self._tracer is None:
            yield None
            return
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        context = TraceContextTextMapPropagator().extract(carrier)
        # Exceptions quote texts; the log tells their type and place.
        with self._tracer.start_as_current_span(
            method,
            context,
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span

    def close(self) -> None:
        """Send what is left."""
        if self._provider is not None:
            self._provider.shutdown()


def note_steps(timings_ms: Mapping[str, float]) -> None:
    """Add the times of the steps to the span of the current request."""
    import sys

    # Where nothing is configured the library was never imported, and there is no span.
    trace = sys.modules.get("opentelemetry.trace")
    if trace is not None:
        span = trace.get_current_span()
        for step, milliseconds in timings_ms.items():
            span.set_attribute(f"tidemark.{step}_ms", milliseconds)
