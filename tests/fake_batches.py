"""A provider of batches that speaks one of four protocols over real HTTP, and fails on demand."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.fake_batch_rows import Body, Kind, jsonl
from tests.fake_batch_sales import Batch, Sales

KEY = "key-of-the-fake"
BUCKET = "bucket"
PLACE = "/projects/harbour/locations/europe-west4"


class FakeBatches(Sales):
    """A provider on a port of its own.

    Args:
        kind: whose protocol.
        reply: from a chat body (``messages``) to what the model says.
        seconds: from a batch's purchase to its end.
        faults: the share of calls that meet each fault.
        first: faults of the first purchases, one each; None lets one through.
        spoils: the share of rows that meet each; drawn anew when a row is sent again.
        ends: how batches end, in the order of purchase: ``expired`` and ``cancelled`` after half of
            their rows, ``failed`` without any; later ones complete.
        port: to listen on; any that is free.
        journal: a file that outlives this process; what was sold before is known from it.
    """

    def __init__(
        self, kind: Kind, reply: Callable[[Body], str], *, port: int = 0, **options: Any
    ) -> None:
        super().__init__(kind, reply, **options)
        self._port = port
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> FakeBatches:
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = _Server(("127.0.0.1", self._port), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        assert self._server is not None
        return self._server.server_port

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return self.root + {"openai": "/v1", "vertex": f"/v1{PLACE}"}.get(self.kind, "")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of callers that were killed."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*_)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    fake: FakeBatches
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("content-length", 0))))

    def _serve(self, raw: bytes) -> None:
        fake = self.fake
        path, _, query = self.path.partition("?")
        told = self.headers.get("authorization", "").removeprefix("Bearer ")
        if KEY not in {told, self.headers.get("x-api-key"), self.headers.get("x-goog-api-key")}:
            return self._send(401, {"error": {"code": "invalid_api_key", "message": "no"}})
        purchase = self.command == "POST" and bool(
            re.search(r"/batches$|:batchGenerateContent$|/batchPredictionJobs$", path)
        )
        fault = fake.fault(purchase)
        if fault == "busy":
            return self._send(429, {"error": {"code": "rate_limited"}}, {"Retry-After": "0.05"})
        if fault == "broken":
            return self._send(500, {"error": {"code": "server_error"}})
        if fault == "html":
            return self._send_raw(200, b"<html>Bad gateway</html>")
        if fault == "drop":
            self.close_connection = True
            return None
        status, value, headers = getattr(self, f"_{fake.kind}")(path, query, raw)
        if fault == "hang":
            time.sleep(3)
        if fault in {"drop_after", "hang"}:
            self.close_connection = True
            return None
        if isinstance(value, bytes):
            return self._send_raw(status, value, headers)
        return self._send(status, value, headers)

    def _send(self, status: int, value: Body, headers: Mapping[str, str] | None = None) -> None:
        self._send_raw(status, json.dumps(value).encode(), headers)

    def _send_raw(self, status: int, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    # OpenAI

    def _openai(self, path: str, query: str, raw: bytes) -> tuple[int, Any, Mapping[str, str]]:
        fake = self.fake
        if path == "/v1/files":
            parts = _form(self.headers["content-type"], raw)
            assert parts["purpose"] == b"batch"
            name = fake.number("file-")
            fake.keep(name, parts["file"])
            return 200, {"id": name, "object": "file"}, {}
        if path == "/v1/batches" and self.command == "POST":
            asked = json.loads(raw)
            assert asked["endpoint"] == "/v1/chat/completions"
            assert asked["completion_window"] == "24h"
            lines = [json.loads(line) for line in fake.files[asked["input_file_id"]].splitlines()]
            batch = fake.buy(next(iter(asked["metadata"].values())), lines)
            return 200, self._openai_batch(batch), {}
        if path == "/v1/batches":
            some, more = _page(fake, query, "after")
            return 200, {"data": [self._openai_batch(one) for one in some], "has_more": more}, {}
        if path.startswith("/v1/batches/"):
            return 200, self._openai_batch(fake.ended(path.rpartition("/")[2])), {}
        name, part = path.removeprefix("/v1/files/").removesuffix("/content").split("-")
        wanted = [
            line
            for line in fake.batches[name].results
            if (line["error"] is not None) == (part == "e")
        ]
        return 200, jsonl(wanted), {}

    def _openai_batch(self, batch: Batch) -> Body:
        state = {"running": "in_progress"}.get(batch.state, batch.state)
        ended = batch.state not in {"running", "failed"}
        return {
            "id": batch.name,
            "object": "batch",
            "status": state,
            "created_at": int(batch.made),
            "metadata": {"tidemark_batch": batch.key},
            "output_file_id": f"{batch.name}-o" if ended else None,
            "error_file_id": f"{batch.name}-e" if ended else None,
            "errors": {"data": [{"code": "invalid_file"}]} if state == "failed" else None,
        }

    # Anthropic

    def _anthropic(self, path: str, query: str, raw: bytes) -> tuple[int, Any, Mapping[str, str]]:
        fake = self.fake
        assert self.headers["anthropic-version"] == "2023-06-01"
        if path == "/v1/messages/batches" and self.command == "POST":
            lines = json.loads(raw)["requests"]
            for line in lines:
                assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", line["custom_id"])
            batch = fake.buy(lines[0]["custom_id"].rpartition("-")[0], lines)
            return 200, self._anthropic_batch(batch), {}
        if path == "/v1/messages/batches":
            some, more = _page(fake, query, "after_id")
            data = [self._anthropic_batch(one) for one in some]
            last = data[-1]["id"] if data else None
            return 200, {"data": data, "has_more": more, "last_id": last}, {}
        if path.endswith("/results"):
            return 200, jsonl(fake.ended(path.split("/")[-2]).results), {}
        return 200, self._anthropic_batch(fake.ended(path.rpartition("/")[2])), {}

    def _anthropic_batch(self, batch: Batch) -> Body:
        ended = batch.state != "running"
        names = {"expired": "expired", "cancelled": "canceled", "failed": "errored"}
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        for name, count in batch.counts.items():
            counts[names.get(name, name) if ended else "processing"] += count
        made = datetime.fromtimestamp(batch.made, UTC).isoformat().replace("+00:00", "Z")
        return {
            "id": batch.name,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": counts,
            "created_at": made,
            "results_url": "https://elsewhere.example/results",
        }

    # Gemini

    def _gemini(self, path: str, query: str, raw: bytes) -> tuple[int, Any, Mapping[str, str]]:
        fake = self.fake
        if path == "/upload/v1beta/files":
            assert self.headers["x-goog-upload-command"] == "start"
            place = fake.number("place")
            return 200, b"", {"X-Goog-Upload-URL": f"{fake.root}/upload/v1beta/files/{place}"}
        if path.startswith("/upload/v1beta/files/"):
            assert self.headers["x-goog-upload-command"] == "upload, finalize"
            name = fake.number("files/")
            fake.keep(name, raw)
            return 200, {"file": {"name": name}}, {}
        if path.endswith(":batchGenerateContent"):
            asked = json.loads(raw)["batch"]
            file = fake.files[asked["input_config"]["file_name"]]
            batch = fake.buy(
                asked["display_name"], [json.loads(line) for line in file.splitlines()]
            )
            return 200, self._gemini_batch(batch), {}
        if path == "/v1beta/batches":
            some, more = _page(fake, query, "pageToken")
            listed = {"operations": [self._gemini_batch(one) for one in some]}
            return 200, listed | ({"nextPageToken": some[-1].name} if more else {}), {}
        if path.startswith("/v1beta/batches/"):
            return 200, self._gemini_batch(fake.ended(path.rpartition("/")[2])), {}
        name = path.removeprefix("/download/v1beta/files/").removesuffix(":download")
        assert query == "alt=media"
        return 200, jsonl(fake.batches[name].results), {}

    def _gemini_batch(self, batch: Batch) -> Body:
        state = {"running": "RUNNING", "completed": "SUCCEEDED"}.get(
            batch.state, batch.state.upper()
        )
        value: Body = {
            "name": f"batches/{batch.name}",
            "metadata": {"displayName": batch.key, "state": f"BATCH_STATE_{state}"},
        }
        if batch.state != "running":
            value["done"] = True
            if batch.results:
                value["metadata"]["output"] = {"responsesFile": f"files/{batch.name}"}
        return value

    # Vertex, with the Cloud Storage beside it

    def _vertex(self, path: str, query: str, raw: bytes) -> tuple[int, Any, Mapping[str, str]]:
        fake = self.fake
        given = dict(parse_qsl(query))
        objects = f"/storage/v1/b/{BUCKET}/o"
        if path == f"/upload{objects}":
            assert given["uploadType"] == "media"
            fake.keep(f"gs://{BUCKET}/{given['name']}", raw)
            return 200, {"name": given["name"]}, {}
        if path == objects:
            names = [f"{given['prefix']}{part}.jsonl" for part in (1, 2)]
            asked = [*names, f"{given['prefix']}_SUCCESS"][int(given.get("pageToken", 0)) :]
            listed: Body = {"items": [{"name": asked[0]}]}
            more = {"nextPageToken": str(3 - len(asked) + 1)} if len(asked) > 1 else {}
            return 200, listed | more, {}
        if path.startswith(objects):
            assert query == "alt=media"
            name, part = unquote(path.removeprefix(f"{objects}/")).split("/")[-2:]
            results = fake.batches[name.removeprefix("prediction-")].results
            return 200, jsonl(results[int(part[0]) - 1 :: 2]), {}
        jobs = f"/v1{PLACE}/batchPredictionJobs"
        if path == jobs and self.command == "POST":
            job = json.loads(raw)
            assert job["model"].startswith("publishers/google/models/")
            (file,) = job["inputConfig"]["gcsSource"]["uris"]
            lines = [json.loads(line) for line in fake.files[file].splitlines()]
            for line in lines:
                assert re.fullmatch(r"[a-z0-9_-]{1,63}", line["request"]["labels"]["tidemark"])
            return 200, self._vertex_job(fake.buy(job["displayName"], lines)), {}
        if path == jobs:
            assert given.pop("filter").startswith("displayName=")
            some, more = _page(fake, "&".join(f"{k}={v}" for k, v in given.items()), "pageToken")
            listed = {"batchPredictionJobs": [self._vertex_job(one) for one in some]}
            return 200, listed | ({"nextPageToken": some[-1].name} if more else {}), {}
        return 200, self._vertex_job(fake.ended(path.rpartition("/")[2])), {}

    def _vertex_job(self, batch: Batch) -> Body:
        state = {"completed": "SUCCEEDED"}.get(batch.state, batch.state.upper())
        value: Body = {
            "name": f"projects/7/locations/europe-west4/batchPredictionJobs/{batch.name}",
            "displayName": batch.key,
            "state": f"JOB_STATE_{state}",
        }
        if batch.state != "running" and batch.results:
            directory = f"gs://{BUCKET}/kept/{batch.key}/prediction-{batch.name}"
            value["outputInfo"] = {"gcsOutputDirectory": directory}
        if batch.state == "failed":
            value["error"] = {"code": 3, "message": "secret text"}
        return value


def _page(fake: FakeBatches, query: str, name: str) -> tuple[list[Batch], bool]:
    """Newest first, two a page."""
    all_ = [fake.ended(batch) for batch in reversed(list(fake.batches))]
    given = dict(part.split("=") for part in query.split("&") if part)
    names = [batch.name for batch in all_]
    start = names.index(given[name]) + 1 if name in given else 0
    return all_[start : start + 2], len(all_) > start + 2


def _form(kind: str, raw: bytes) -> dict[str, bytes]:
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + raw)
    found = {}
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        found[str(name)] = part.get_payload(decode=True)  # type: ignore[union-attr]
    return found  # type: ignore[return-value]
