"""The generation DAG: from documents to checked, published results of a language model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, BaseOperator, Param, dag, task_group
from airflow.sdk.exceptions import AirflowSkipException

from include.airflow_adapter import (
    BatchesEnded,
    gate,
    generation_context,
    load_warehouse_copy,
    on_run_failure,
    review_context,
    task,
    without_vain_retries,
)

DOC = """
### Document summarization

Asks a language model about the documents that need it, checks every reply, and publishes what is
clean. What is flagged waits for people in `summary_review`.

| task | does | when it fails |
|---|---|---|
| `estimate_cost` | ends a dry run: documents, tokens and USD in its log | clear it |
| `plan_requests` | chooses documents without a result, estimates tokens and cost | clear it |
| `process_batch.generate_replies` | asks; waits for batch APIs | clear it when the model is up |
| `process_batch.check_results` | quality, compliance, one second try | clear it |
| `publish_results` | brings the warehouse to what may be published | clear it |
| `ask_reviewers` | updates `tidemark_review` where flagged rows wait | clear it |
| `finish_run` | checks and exports what was published, updates `tidemark_warehouse` | clear it |
| `load_bigquery` | makes the copy in BigQuery equal; skipped where there is none | clear it |

Started by new documents (asset `tidemark_corpus`) it takes sources that opted in
(`./tidemark sources set NAME --summarize`), at most `TIDEMARK_SUMMARIZE_LIMIT` documents and
`TIDEMARK_SUMMARIZE_BUDGET` USD. Started by hand it takes what its params say.

A budget stops a run before the call that could exceed it; the run's row in `ops.run` then says
`stopped`, and the next run goes on. More: `docs/runbook.md`.
"""


class GenerateReplies(BaseOperator):
    """Asks about one batch of documents; returns its number.

    What a provider's batch API works on is waited for by the triggerer, without a worker slot.
    """

    template_fields = ("shard",)

    def __init__(self, *, shard: int, **options: Any) -> None:
        super().__init__(**options)
        self.shard = shard

    def execute(self, context: Any) -> int:
        """Ask, or send to a batch API and wait."""
        return self._go_on()

    def go_on(self, context: Any, event: Any = None) -> int:
        """Take up what was waited for."""
        return self._go_on()

    @without_vain_retries
    def _go_on(self) -> int:
        from include.pipeline.generation.batches import Waiting
        from include.pipeline.generation.step import step

        came = step(generation_context(), self.shard)
        if isinstance(came, Waiting):
            self.defer(trigger=BatchesEnded(list(came.batches)), method_name="go_on")
        return self.shard


@dag(
    dag_id="document_summarization",
    schedule=[Asset("tidemark_corpus")],
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=DOC,
    tags=["tidemark", "batch"],
    params={
        "task": Param(
            "document_summary",
            type="string",
            title="Task",
            description="Which generation task; task files of your own lie in the folder `tasks`.",
        ),
        "source": Param(
            None,
            type=["null", "string"],
            title="Source",
            description="Take this source alone; empty takes all that opted in.",
        ),
        "limit": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Limit",
            description="Documents at most.",
        ),
        "budget": Param(
            None,
            type=["null", "number"],
            minimum=0,
            title="Budget",
            description="USD that the run may spend.",
        ),
        "model": Param(
            None,
            type=["null", "string"],
            title="Model",
            description="Ask this model of the endpoint; empty takes the configured one.",
        ),
        "prompt_version": Param(
            None,
            type=["null", "string"],
            title="Prompt version",
            description="Ask with an earlier prompt of the task; empty takes what its file says.",
        ),
        "force": Param(
            False,
            type="boolean",
            title="Force",
            description="Buy again what was bought before.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Tell documents, tokens and cost, and end; nothing is spent.",
        ),
    },
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=15),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=6),
        "trigger_rule": "none_failed",
    },
    on_failure_callback=on_run_failure,
)
def document_summarization() -> None:
    """Wire the tasks; what they do is in ``include.pipeline.generation``."""

    @gate
    def estimate_cost(params: dict[str, Any] | None = None, ti: Any = None) -> bool:
        """Tell what a dry run would take, and let nothing follow it."""
        from include.pipeline.generation.plan import estimate, log_estimate

        if not (params or {}).get("dry_run"):
            return True
        context = generation_context(is_planned=False)
        ti.xcom_push("estimate", log_estimate(context, estimate(context)))
        return False

    @task
    def plan_requests() -> list[int]:
        """Choose the documents; returns the numbers of the batches."""
        from include.pipeline.generation.plan import plan

        context = generation_context(is_planned=False)
        return list(range(plan(context).facts["batches"]))

    @task(pool="llm")
    def check_results(shard: int) -> int:
        """Judge one batch; returns how many documents wait for people."""
        from include.pipeline.generation.check import check

        return int(check(generation_context(), shard).facts["states"].get("review", 0))

    @task(pool="warehouse")
    def publish_results() -> int:
        """Publish what may be; returns how many rows were written."""
        from include.pipeline.generation.publish import publish

        return publish(generation_context())["published"]

    @task(outlets=[Asset("tidemark_warehouse")])
    def finish_run() -> str:
        """End the run; the asset's update starts what depends on the warehouse."""
        from include.pipeline.generation.publish import finish

        return finish(generation_context())[0]

    @task(pool="warehouse", retries=5, outlets=[Asset("tidemark_bigquery")])
    def load_bigquery() -> dict[str, int]:
        """Make the copy in BigQuery equal, where there is one; returns rows by table."""
        return load_warehouse_copy()

    @task(outlets=[Asset("tidemark_review")])
    def ask_reviewers() -> int:
        """Start the review where rows wait that no open run asks about; returns how many."""
        from include.pipeline.review.claim import unasked

        if not (waiting := unasked(review_context())):
            raise AirflowSkipException("No row waits.")
        return waiting

    @task_group
    def process_batch(shard: int) -> None:
        """Take one batch through the model and the filters."""
        replies = GenerateReplies(task_id="generate_replies", shard=shard, pool="llm")
        check_results(replies.output)

    published = publish_results()
    planned = plan_requests()
    estimate_cost() >> planned
    process_batch.expand(shard=planned) >> published >> ask_reviewers()
    published >> finish_run() >> load_bigquery()


document_summarization()
