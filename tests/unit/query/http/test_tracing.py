from __future__ import annotations

import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from include.query.http.tracing import Tracing, note_steps

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Generator[list[bytes]]:
    """A server that takes traces, configured as OpenTelemetry's variables say."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    yield bodies
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_request_is_a_span_below_its_callers(collector: list[bytes]) -> None:
    tracing = Tracing.configured()
    with tracing.request("POST", {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}) as span:
        span.update_name("POST /v1/search")
        note_steps({"dense": 3.5})
    tracing.close()

    sent = ExportTraceServiceRequest.FromString(b"".join(collector))
    (found,) = sent.resource_spans[0].scope_spans[0].spans
    assert found.name == "POST /v1/search"
    assert found.trace_id.hex() == TRACE
    assert [(item.key, item.value.double_value) for item in found.attributes] == [
        ("tidemark.dense_ms", 3.5)
    ]


def test_without_an_endpoint_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", raising=False)
    with Tracing.configured().request("POST", {}) as span:
        assert span is None
