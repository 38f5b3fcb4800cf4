"""The local model behind an OpenAI-compatible server: ``python -m include.llm.local_server``.

It listens on loopback alone and wants a key, which comes through the environment: command lines
can be seen by everybody on the machine.
"""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
KEY_VARIABLE = "TIDEMARK_MODEL_KEY"
SLOTS = 2
"""Replies at a time, so that a short request does not wait behind a long answer."""
BATCH_TOKENS = 16
"""Tokens read between two looks at what was cancelled: 0.3 s on two cores without AVX-512.

Batches of 256 cost a fifth less CPU, but a caller who leaves should free it within a second.
"""
NICENESS = 5
"""Searches, which take milliseconds, go before a model that takes seconds."""


def main() -> int:
    """Serve until a signal ends it."""
    parser = ArgumentParser(description="Serve a GGUF file as a chat model on 127.0.0.1.")
    parser.add_argument("weights", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", required=True, help="What the endpoint calls the model.")
    parser.add_argument("--context", type=int, required=True, help="Tokens a chat may have.")
    parser.add_argument("--host", default=HOST)
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--threads", type=int, default=cores, help="Default: one a core.")
    parser.add_argument("--slots", type=int, default=SLOTS, help="Replies at a time.")
    parser.add_argument("--batch-tokens", type=int, default=BATCH_TOKENS, help="Read at a time.")
    given = parser.parse_args()
    key = os.environ.pop(KEY_VARIABLE, "")
    if not key:
        print(f"set {KEY_VARIABLE}: nobody may use the model without a key", file=sys.stderr)
        return 2
    os.nice(NICENESS)
    ends = {signal.SIGINT, signal.SIGTERM}
    # Blocked before the server starts its threads, which inherit that: sigwait gets the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    server = _serve(given, key)
    print(f"{given.name} at {server.listening_address}", file=sys.stderr, flush=True)
    signal.sigwait(ends)
    # Its destructor would wait for replies in hand, and there is nothing to save.
    os._exit(0)


def _serve(given: Namespace, key: str) -> Any:
    from xllamacpp import CommonParams, Server

    params = CommonParams()
    params.model.path = str(given.weights)
    params.model_alias = {given.name}
    params.hostnames = [given.host]
    params.port = given.port
    params.api_keys = [key]
    params.n_parallel = given.slots
    params.n_ctx = given.context * given.slots
    params.n_batch = params.n_ubatch = given.batch_tokens
    params.cpuparams.n_threads = given.threads
    # Slots keep their last prompt each, which is all that pays; 8 GB would be the default.
    params.cache_ram_mib = 0
    params.verbosity = 1  # more of it tells of each request
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.cors_origins = "null"
    return Server(params)


if __name__ == "__main__":
    raise SystemExit(main())
