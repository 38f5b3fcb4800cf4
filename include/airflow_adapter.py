"""The one module that knows Airflow: what a task of a DAG run tells the pipeline."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import smtplib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from decimal import Decimal
from email.message import EmailMessage
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

import httpx
from airflow.sdk import Connection, get_current_context
from airflow.sdk import task as airflow_task
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)
from airflow.triggers.base import BaseTrigger, TriggerEvent

from include.errors import ConfigurationError, DatabaseRefusalError
from include.pipeline.context import RunContext
from include.settings import settings

if TYPE_CHECKING:
    from include.llm.endpoint import Endpoint
    from include.pipeline.generation.context import GenerationContext
    from include.pipeline.review.claim import ReviewContext
    from include.warehouse.bigquery.connection import Copy

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

CONNECTION = "tidemark_db"
LLM_CONNECTION = "tidemark_llm"
WAREHOUSE_CONNECTION = "tidemark_warehouse"
GOOGLE_CONNECTION = "google_cloud_default"
_NOTIFY_SECONDS = 10


def task(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Airflow's task decorator; what no retry mends fails at once, with what to do about it."""
    if function is None:
        return partial(task, **options)
    return airflow_task(without_vain_retries(function), **options)


def gate(function: Callable[..., bool]) -> Any:
    """Airflow's short-circuit decorator: where a task returns False, nothing follows it."""
    return airflow_task.short_circuit(without_vain_retries(function))


def without_vain_retries(function: Callable[P, R]) -> Callable[P, R]:
    """Let a task fail for good where a setting, a source or a parameter is wrong.

    What the database says of values that it refuses is kept out of the task's log.
    """

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except ConfigurationError as error:
            raise AirflowFailException(str(error)) from error
        except Exception as error:
            if (refusal := _database_refusal(error)) is None:
                raise
            raise refusal.with_traceback(error.__traceback__) from None

    return wrapped


def _database_refusal(error: Exception) -> DatabaseRefusalError | None:
    import psycopg

    from include.store.database import described

    if not isinstance(error, psycopg.Error) or isinstance(error, psycopg.OperationalError):
        return None
    return DatabaseRefusalError(described(error))


def run_context() -> RunContext:
    """Return the context of the run that the current task belongs to."""
    context = get_current_context()
    run = context["dag_run"]
    params = context["params"]
    return RunContext(
        run_id=run.run_id,
        dsn=database_dsn(),
        kind="airflow",
        source=params.get("source") or None,
        full=bool(params.get("full")),
        interval=_backfill_interval(run),
    )


def generation_context(*, is_planned: bool = True) -> GenerationContext:
    """Return the context of the generation run that the current task belongs to.

    A run that an asset started is capped in documents and money.

    Args:
        is_planned: the run's plan stands: prompt and model are those that it was made with,
            whatever was edited since.

    Raises:
        ConfigurationError: the model is another one by now.
    """
    from include.pipeline.generation.context import GenerationContext

    context = get_current_context()
    run, params, instance = context["dag_run"], context["params"], context["ti"]
    triggered = str(getattr(run.run_type, "value", run.run_type)).startswith("asset")
    budget = params.get("budget")
    given = settings()
    found = GenerationContext(
        run_id=run.run_id,
        dsn=database_dsn(),
        endpoint=llm_endpoint(),
        kind="airflow",
        task_name=params["task"],
        source=params.get("source") or None,
        limit=given.summarize_limit if triggered else params.get("limit"),
        again=bool(params.get("force")),
        budget=_least(
            None if budget is None else Decimal(str(budget)),
            given.summarize_budget if triggered and not llm_endpoint().reports_progress else None,
        ),
        model=params.get("model") or None,
        prompt_version=params.get("prompt_version") or None,
        serving_dsn=_serving_dsn,
        worker=f"{instance.task_id}[{instance.map_index}] try {instance.try_number}",
    )
    return found.as_planned() if is_planned else found


def review_context() -> ReviewContext:
    """Return the context of the review run that the current task belongs to."""
    from airflow.sdk.configuration import conf

    from include.pipeline.review.claim import ReviewContext

    root = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
    return ReviewContext(
        run_id=get_current_context()["dag_run"].run_id,
        dsn=database_dsn(),
        page=f"{root}/tidemark/review/",
        days=settings().review_days,
    )


def llm_endpoint() -> Endpoint:
    """Return where the language model is: the connection ``tidemark_llm``, else the settings.

    Raises:
        ConfigurationError: no language model is configured.
    """
    from include.llm.endpoint import Endpoint
    from include.platform.model import endpoint

    try:
        stored = Connection.get(LLM_CONNECTION)
    except AirflowNotFoundException:
        found = endpoint()
        if found is None:
            raise ConfigurationError(
                "There is no language model: `make model`, or set TIDEMARK_LLM_URL, or the Airflow "
                f"connection {LLM_CONNECTION}."
            ) from None
        return found
    extra = stored.extra_dejson
    given = settings()
    url = extra.get("url") or stored.host or ""
    if url and "://" not in url:
        port = f":{stored.port}" if stored.port else ""
        url = f"{stored.schema or 'https'}://{url}{port}"
    return Endpoint(
        url=url,
        model=extra.get("model") or given.llm_model or "",
        api_key=stored.password or extra.get("api_key"),
        context_tokens=given.llm_context_tokens,
        seconds=given.llm_seconds,
    )


def bigquery_copy() -> Copy | None:
    """Return the copy of the warehouse in BigQuery; None where there is to be none.

    The connection ``tidemark_warehouse`` wins; its ``extra`` may name ``dataset`` and ``location``.
    Where the settings name the dataset, the credentials of ``google_cloud_default`` do, and without
    that connection those that Google's tools find.
    """
    from include.warehouse.bigquery.connection import DATASET, configured, copy_with

    given = settings().bigquery_dataset
    name = WAREHOUSE_CONNECTION if _exists(WAREHOUSE_CONNECTION) else GOOGLE_CONNECTION
    if name == GOOGLE_CONNECTION and (given is None or not _exists(name)):
        return configured()
    from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook

    extra = Connection.get(name).extra_dejson
    hook = BigQueryHook(gcp_conn_id=name, use_legacy_sql=False)
    dataset = str(extra.get("dataset") or given or DATASET)
    if "." not in dataset:
        dataset = f"{hook.project_id}.{dataset}"
    client = hook.get_client(project_id=dataset.rpartition(".")[0])
    return copy_with(client, dataset, extra.get("location"))


def load_warehouse_copy() -> dict[str, int]:
    """Load the copy of the warehouse in BigQuery, or skip the task; returns rows by table."""
    from include.pipeline.bigquery import load_copy

    if (copy := bigquery_copy()) is None:
        raise AirflowSkipException("BigQuery is not set up; the warehouse in Postgres is complete.")
    return load_copy(database_dsn(), copy)


def _exists(connection: str) -> bool:
    try:
        Connection.get(connection)
    except AirflowNotFoundException:
        return False
    return True


class BatchesEnded(BaseTrigger):  # type: ignore[misc]
    """Fires when a provider's batches have ended; its task looks for itself what they came to.

    Args:
        batches: the provider's ids; with none it fires after one look's time.
    """

    def __init__(self, batches: list[str]) -> None:
        super().__init__()
        self.batches = batches

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what makes it again; keys of the provider are not part of it."""
        return (f"{type(self).__module__}.{type(self).__name__}", {"batches": self.batches})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look at the batches until they have ended."""
        from include.pipeline.generation.batches import wait

        try:
            await wait(await asyncio.to_thread(llm_endpoint), self.batches)
        except Exception as error:
            # The task meets what is wrong, too, and fails with it.
            logger.warning("batches could not be looked at: %s", type(error).__name__)
            await asyncio.sleep(settings().llm_batch_poll_seconds)
        yield TriggerEvent({"batches": len(self.batches)})


def _least(*budgets: Decimal | None) -> Decimal | None:
    return min((one for one in budgets if one is not None), default=None)


def database_dsn() -> str:
    """Return the connection string of the pipeline role, from the connection ``tidemark_db``."""
    connection = Connection.get(CONNECTION)
    if not connection.host:
        raise ConfigurationError(f"The Airflow connection {CONNECTION} names no host.")
    return str(connection.get_uri()).replace("postgres://", "postgresql://", 1)


def _serving_dsn() -> str:
    from include.platform.database import with_login
    from include.platform.secrets import configured_secrets

    password = configured_secrets().read("serving_password")
    return with_login(database_dsn(), "tidemark_serving", password)


def _backfill_interval(run: Any) -> tuple[datetime, datetime] | None:
    """Return the data interval of a backfill; every other run handles all that differs."""
    if str(getattr(run.run_type, "value", run.run_type)) != "backfill":
        return None
    return run.data_interval_start, run.data_interval_end


def on_run_failure(context: Any) -> None:
    """End the run's row, give its sources back, and tell whoever is to be told."""
    from include.pipeline.publish import fail

    run_id = context["dag_run"].run_id if hasattr(context["dag_run"], "run_id") else ""
    reason = str(context.get("reason") or context.get("exception") or "see the task's log")
    try:
        fail(RunContext(run_id=run_id, dsn=dsn_outside_tasks(), kind="airflow"), reason)
    except Exception:
        logger.exception("the end of run %s could not be recorded", run_id)
    notify(context["dag"].dag_id if context.get("dag") else "document_ingestion", run_id, reason)


def on_run_success(context: Any) -> None:
    """End the run's row where a cleared task opened it again and no publishing followed."""
    from include.pipeline.publish import settle

    run_id = context["dag_run"].run_id
    try:
        settle(RunContext(run_id=run_id, dsn=dsn_outside_tasks(), kind="airflow"))
    except Exception:
        logger.exception("the end of run %s could not be recorded", run_id)


def dsn_outside_tasks() -> str:
    """Return the connection string where no task runs: in callbacks and in the web server."""
    value = os.environ.get(f"AIRFLOW_CONN_{CONNECTION.upper()}")
    if value is None:
        return database_dsn()
    if not value.lstrip().startswith("{"):
        return value.replace("postgres://", "postgresql://", 1)
    return str(
        Connection(conn_id=CONNECTION, **_parts(json.loads(value)))
        .get_uri()
        .replace("postgres://", "postgresql://", 1)
    )


def _parts(stored: dict[str, Any]) -> dict[str, Any]:
    names = ("conn_type", "host", "login", "password", "schema", "port", "extra")
    return {name: stored[name] for name in names if stored.get(name) is not None}


def notify(dag_id: str, run_id: str, reason: str) -> None:
    """Tell by webhook and mail, as configured, that a run failed; never raises."""
    text = f"{dag_id} run {run_id} failed: {reason}"
    configured = settings()
    if configured.notify_webhook:
        try:
            payload = {"text": text, "dag_id": dag_id, "run_id": run_id, "state": "failed"}
            response = httpx.post(configured.notify_webhook, json=payload, timeout=_NOTIFY_SECONDS)
            response.raise_for_status()
        except Exception:
            logger.exception("the webhook could not be called")
    if configured.notify_email and configured.smtp_url:
        try:
            _send_mail(configured.smtp_url, configured.notify_email, dag_id, text)
        except Exception:
            logger.exception("the mail could not be sent")


def _send_mail(server: str, recipient: str, dag_id: str, text: str) -> None:
    parts = urlsplit(server)
    message = EmailMessage()
    message["From"] = f"tidemark@{parts.hostname or 'localhost'}"
    message["To"] = recipient
    message["Subject"] = f"Tidemark: {dag_id} failed"
    message.set_content(text)
    connect = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with connect(parts.hostname or "localhost", parts.port or 0, timeout=_NOTIFY_SECONDS) as smtp:
        if parts.username:
            smtp.login(unquote(parts.username), unquote(parts.password or ""))
        smtp.send_message(message)
