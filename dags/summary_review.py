"""The review DAG: people decide about what the filters flagged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Asset, dag, task_group
from airflow.sdk.exceptions import AirflowSkipException

from include.airflow_adapter import (
    load_warehouse_copy,
    on_run_failure,
    review_context,
    task,
)
from include.pipeline.review.claim import OPTIONS
from include.settings import settings

DOC = """
### Summary review

Asks people about the rows that the filters flagged. Started by the asset `tidemark_review`, which
`document_summarization` updates when rows wait that no open run asks about.

| task | does | when it fails |
|---|---|---|
| `claim_rows` | takes waiting rows, in batches of at most 50 | clear it |
| `review_batch.decide_rows` | waits for people, without a worker slot | clear it: asks again |
| `review_batch.apply_decisions` | checks edits again, publishes | clear it |
| `finish_run` | checks decisions, gives the rest back, updates `tidemark_warehouse` | clear it |
| `load_bigquery` | makes the copy in BigQuery equal; skipped where there is none | clear it |
| `ask_again` | updates `tidemark_review` where rows still wait | clear it |

The task links to the page **Review** (in the menu *Plugins*): every row is approved, edited or
rejected under the name of who is logged in. Nothing is approved by default, by waiting or by
clearing: after `TIDEMARK_REVIEW_DAYS` the rows go to the next run. More: `docs/runbook.md`.
"""


class AskPeople(HITLOperator):
    """Waits for an answer; a time-out is none, and decides nothing."""

    def process_trigger_event_error(self, event: dict[str, Any]) -> None:
        """End without an answer where the time is up."""
        if event["error_type"] == "timeout":
            raise AirflowSkipException("Nobody answered in time; the rows wait for the next run.")
        super().process_trigger_event_error(event)


@dag(
    dag_id="summary_review",
    schedule=[Asset("tidemark_review")],
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    # A run waits for days; what is flagged meanwhile is asked about by another.
    max_active_runs=32,
    doc_md=DOC,
    tags=["tidemark", "review"],
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=15),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=1),
        "trigger_rule": "none_failed",
    },
    on_failure_callback=on_run_failure,
)
def summary_review() -> None:
    """Wire the tasks; what they do is in ``include.pipeline.review``."""

    @task
    def claim_rows() -> list[dict[str, Any]]:
        """Take the rows; returns what people are told of each batch."""
        from include.pipeline.review.claim import claim

        return claim(review_context())

    @task(pool="warehouse")
    def apply_decisions(batch: int, response: dict[str, Any] | None) -> int:
        """Carry out the decisions about one batch; returns how many rows were published."""
        from include.pipeline.review.apply import apply_decisions

        return apply_decisions(review_context(), batch, response)["published"]

    @task(pool="warehouse", outlets=[Asset("tidemark_warehouse")])
    def finish_run() -> int:
        """End the run; the asset's update starts what depends on the warehouse."""
        from include.pipeline.review.apply import finish

        return finish(review_context())["published"]

    @task(pool="warehouse", retries=5, outlets=[Asset("tidemark_bigquery")])
    def load_bigquery() -> dict[str, int]:
        """Make the copy in BigQuery equal, where there is one; returns rows by table."""
        return load_warehouse_copy()

    @task(outlets=[Asset("tidemark_review")])
    def ask_again() -> int:
        """Start the next run where rows still wait; returns how many."""
        from include.pipeline.review.claim import unasked

        if not (waiting := unasked(review_context())):
            raise AirflowSkipException("No row waits.")
        return waiting

    @task_group
    def review_batch(batch: int, subject: str, body: str) -> None:
        """Ask people about one batch and carry out what they decide."""
        decide_rows = AskPeople(
            task_id="decide_rows",
            subject=subject,
            body=body,
            options=OPTIONS,
            response_timeout=timedelta(days=settings().review_days),
        )
        apply_decisions(batch, decide_rows.output)

    review_batch.expand_kwargs(claim_rows()) >> finish_run() >> [load_bigquery(), ask_again()]


summary_review()
