"""``python -m include.query.http.main``: the query service, put together and served."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sys

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from include.errors import ConfigurationError, TidemarkError
from include.query.http import logs
from include.query.http.options import configured
from include.settings import home, settings

logger = logging.getLogger(__name__)

_BACKLOG = 2048
_GRACE_SECONDS = 20
_SILENT_SECONDS = 120
_SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"


def application() -> FastAPI:
    """Return the application of this deployment; each worker makes its own."""
    from include.query.http.app import create_app
    from include.query.http.composition import open_services, upload_bytes

    logs.configure()
    return create_app(open_services, configured(), upload_bytes())


def serve() -> None:
    """Serve until told to stop; requests in hand are finished first.

    The port is held from the first moment on: loading takes long enough for another to take it.

    Raises:
        ConfigurationError: a setting makes no sense, or the port is taken.
    """
    given = settings()
    configured()
    with _listening(given.bind_host, given.query_port) as port:
        config = uvicorn.Config(
            "include.query.http.main:application",
            factory=True,
            workers=given.query_workers,
            # Who may set X-Forwarded headers is decided here, for all uses of them alike.
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            # A worker that loads the model answers nobody meanwhile, and must not be replaced
            # for it.
            timeout_worker_healthcheck=_SILENT_SECONDS,
        )
        if given.query_workers > 1:
            _share_metrics()
            Multiprocess(config, sockets=[port]).run()
            return
        server = uvicorn.Server(config)
        server.run(sockets=[port])
        if not server.started:
            raise SystemExit(1)


def main() -> int:
    """Run the service in the foreground."""
    logs.configure()
    try:
        serve()
    except TidemarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # Two may bind; one may listen.
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"{host}:{port} cannot be listened on ({error.strerror}); stop what listens there "
            "or set TIDEMARK_QUERY_PORT."
        ) from None
    listening.set_inheritable(True)
    return listening


def _share_metrics() -> None:
    """Give the workers a folder through which their figures become one."""
    folder = home() / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    os.environ[_SHARED_METRICS] = str(folder)


if __name__ == "__main__":
    sys.exit(main())
