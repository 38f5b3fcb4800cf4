"""A client of Airflow's REST API (v2), as far as the product needs it."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from include.errors import TidemarkError, UnavailableError

Json = dict[str, Any]
_PAGE = 100


class AirflowApiError(TidemarkError):
    """Airflow refused a request.

    Attributes:
        status: the HTTP status, such as 404 for an unknown DAG.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class AirflowApi:
    """The REST API of one Airflow, as its user ``admin``. Use it as a context manager.

    Args:
        url: base URL of the API server.
        password: of ``admin``.
        seconds: time-out of one request.
    """

    def __init__(self, url: str, password: str, *, seconds: float = 30) -> None:
        self.url = url
        self._password = password
        # Proxies of the environment are for the world outside, not for a server beside us.
        self._client = httpx.Client(base_url=url, timeout=seconds, trust_env=False)
        self._token: str | None = None

    def __enter__(self) -> AirflowApi:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def health(self) -> dict[str, Json]:
        """Return what Airflow says of its database, scheduler, triggerer and DAG processor."""
        return dict(self._send("GET", "/api/v2/monitor/health", None, None, {}))

    def schedules(self) -> bool:
        """Tell whether the scheduler gives signs of life (the last one within 30 s)."""
        return bool(self.health().get("scheduler", {}).get("status") == "healthy")

    def trigger(self, dag_id: str, conf: Json | None = None) -> str:
        """Start a run with params and return its id."""
        body = {"logical_date": None, "conf": conf or {}}
        return str(self._call("POST", f"{_dag(dag_id)}/dagRuns", body)["dag_run_id"])

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self._call("PATCH", _dag(dag_id), {"is_paused": False})

    def dag_run(self, dag_id: str, run_id: str) -> Json:
        """Return a run: ``state``, ``start_date``, ``end_date``, ``conf``, ..."""
        return self._call("GET", _run(dag_id, run_id))

    def task_instances(self, dag_id: str, run_id: str) -> list[Json]:
        """Return the tasks of a run: ``task_id``, ``map_index``, ``state``, ``try_number``, ..."""
        return self._all(f"{_run(dag_id, run_id)}/taskInstances", "task_instances")

    def task_log(
        self, dag_id: str, run_id: str, task_id: str, try_number: int, map_index: int = -1
    ) -> list[str]:
        """Return the lines of a task's log."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{quote(task_id, '')}/logs/{try_number}"
        answer = self._call(
            "GET", path, params={"full_content": "true", "map_index": str(map_index)}
        )
        return [_line(entry) for entry in answer["content"]]

    def dag_ids(self) -> set[str]:
        """Return the DAGs that Airflow has parsed."""
        return {str(dag["dag_id"]) for dag in self._all("/api/v2/dags", "dags")}

    def import_errors(self) -> dict[str, str]:
        """Return, by file name, why DAG files could not be parsed."""
        errors = self._all("/api/v2/importErrors", "import_errors")
        return {str(error["filename"]): str(error["stack_trace"]) for error in errors}

    def ensure_pool(self, name: str, slots: int, description: str) -> None:
        """Create a pool unless it exists; what an operator set stays."""
        try:
            self._call("GET", f"/api/v2/pools/{quote(name, '')}")
        except AirflowApiError as error:
            if error.status != httpx.codes.NOT_FOUND:
                raise
            body = {
                "name": name,
                "slots": slots,
                "description": description,
                "include_deferred": False,
            }
            self._call("POST", "/api/v2/pools", body)

    def _all(self, path: str, key: str) -> list[Json]:
        found: list[Json] = []
        while True:
            params = {"limit": str(_PAGE), "offset": str(len(found))}
            answer = self._call("GET", path, params=params)
            found += answer[key]
            if not answer[key] or len(found) >= answer["total_entries"]:
                return found

    def _call(
        self, method: str, path: str, body: Json | None = None, params: dict[str, str] | None = None
    ) -> Json:
        for fresh in (False, True):
            if self._token is None or fresh:
                login = {"username": "admin", "password": self._password}
                self._token = self._send("POST", "/auth/token", login, None, {})["access_token"]
            try:
                headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
                return self._send(method, path, body, params, headers)
            except AirflowApiError as error:
                # A token lives for a day, and dies with a change of the secret.
                if error.status != httpx.codes.UNAUTHORIZED or fresh:
                    raise
        raise AssertionError("unreachable")

    def _send(
        self,
        method: str,
        path: str,
        body: Json | None,
        params: dict[str, str] | None,
        headers: dict[str, str],
    ) -> Json:
        try:
            answer = self._client.request(method, path, json=body, params=params, headers=headers)
        except httpx.TransportError as error:
            raise UnavailableError(
                f"Airflow does not answer at {self.url} ({type(error).__name__}); "
                "see ./tidemark status"
            ) from error
        if answer.is_server_error:
            raise UnavailableError(
                f"Airflow failed at {path} with status {answer.status_code}; "
                "see ./tidemark status. A run that was started goes on by itself"
            )
        if not answer.is_success:
            raise AirflowApiError(
                answer.status_code, f"Airflow refused {method} {path}: {_detail(answer)}"
            )
        return dict(answer.json()) if answer.content else {}


def heartbeat(health: dict[str, Json], component: str) -> datetime | None:
    """Return the last heartbeat in an answer of :meth:`AirflowApi.health`."""
    value = health.get(component, {}).get(f"latest_{component}_heartbeat")
    return None if value is None else datetime.fromisoformat(value)


def _dag(dag_id: str) -> str:
    return f"/api/v2/dags/{quote(dag_id, '')}"


def _run(dag_id: str, run_id: str) -> str:
    return f"{_dag(dag_id)}/dagRuns/{quote(run_id, '')}"


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"


def _line(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    parts = (entry.get("timestamp"), entry.get("level"), entry.get("event"))
    return " ".join(str(part) for part in parts if part)
