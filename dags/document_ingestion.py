"""The ingestion DAG: from the sources to a searchable corpus."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Asset, CronDataIntervalTimetable, Param, dag, task, task_group

from include.airflow_adapter import on_run_failure, run_context
from include.settings import settings

DOC = """
### Document ingestion

Reads every configured source, finds what differs from what is stored, and brings the corpus to it.

| task | does | when it fails |
|---|---|---|
| `discover_changes` | lists sources, stages what differs | a source is down: the others go on; fix it, clear the task |
| `extract_documents` | bytes to text, in sandboxed parsers | clear it; bad documents are quarantined, not failed |
| `deduplicate_documents` | elects canonical documents over the whole corpus | clear it |
| `process_batch.enrich_documents` | language, passages, entities, injection flags | clear it |
| `process_batch.embed_passages` | vectors, from the cache or the model | clear it; what was computed is cached |
| `validate_staged` | withholds documents that are not fit to load | clear it |
| `load_documents` | merges batch by batch, one transaction each | clear it; merged batches change nothing |
| `retire_missing` | removes what complete listings lack | clear it |
| `validate_loaded` | checks what was loaded; withholds the asset | see the log: it names documents |
| `publish_corpus` | records the outcomes, updates `tidemark_corpus` | clear it |

Every task can be cleared at any time, and so can a whole run: writes carry numbers, and older ones
never overwrite newer ones. A **scheduled or manual run** handles all that differs, whatever its
interval. A **backfill** takes up only inputs dated in its interval and retires nothing.

Bad documents do not fail a run: `./tidemark quarantine list`. More: `docs/runbook.md`.
"""

_schedule = settings().schedule.strip()


@dag(
    dag_id="document_ingestion",
    schedule=(
        None
        if _schedule.lower() == "none"
        else CronDataIntervalTimetable(_schedule, timezone="UTC")
    ),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    doc_md=DOC,
    tags=["tidemark", "batch"],
    params={
        "source": Param(
            None,
            type=["null", "string"],
            title="Source",
            description="Take this source alone; empty takes all that are not manual.",
        ),
        "full": Param(
            False,
            type="boolean",
            title="Full",
            description="Read and process everything again, whatever is stored.",
        ),
    },
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=15),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=2),
        "trigger_rule": "none_failed",
    },
    on_failure_callback=on_run_failure,
)
def document_ingestion() -> None:
    """Wire the stages; what they do is in ``include.pipeline``."""

    @task
    def discover_changes() -> list[int]:
        """List the sources and stage what differs; returns the numbers of the batches."""
        from include.pipeline.discover import discover

        return list(range(discover(run_context()).facts["batches"]))

    @task(map_index_template="batch {{ task.op_kwargs['shard'] }}")
    def extract_documents(shard: int) -> dict[str, int]:
        """Extract one batch."""
        from include.pipeline.extract import extract

        return extract(run_context(), shard).counts

    @task
    def deduplicate_documents() -> list[int]:
        """Elect canonical documents; returns the numbers of the batches to enrich."""
        from include.pipeline.deduplicate import deduplicate

        return list(range(deduplicate(run_context()).facts["batches"]))

    @task(map_index_template="batch {{ task.op_kwargs['shard'] }}")
    def enrich_documents(shard: int) -> int:
        """Enrich one batch; returns its number."""
        from include.pipeline.enrich import enrich

        enrich(run_context(), shard)
        return shard

    @task(pool="embedding", map_index_template="batch {{ task.op_kwargs['shard'] }}")
    def embed_passages(shard: int) -> dict[str, Any]:
        """Embed one batch."""
        from include.pipeline.embed import embed

        return embed(run_context(), shard).facts

    @task
    def validate_staged() -> dict[str, int]:
        """Withhold what is not fit to load."""
        from include.pipeline.validate import validate_staged

        return validate_staged(run_context()).counts

    @task
    def load_documents() -> dict[str, int]:
        """Merge the batches."""
        from include.pipeline.load import load

        return load(run_context()).facts

    @task
    def retire_missing() -> dict[str, int]:
        """Retire what is gone and write down what was listed."""
        from include.pipeline.retire import retire

        return retire(run_context()).facts

    @task
    def validate_loaded() -> dict[str, int]:
        """Check what was loaded, and that every input has one outcome."""
        from include.pipeline.validate import validate_loaded

        outcomes: dict[str, int] = validate_loaded(run_context()).facts["outcomes"]
        return outcomes

    @task(outlets=[Asset("tidemark_corpus")])
    def publish_corpus() -> dict[str, int]:
        """End the run; the asset's update starts what depends on the corpus."""
        from include.pipeline.publish import publish

        return publish(run_context())

    @task_group
    def process_batch(shard: int) -> None:
        """Take one batch through enrichment and embedding."""
        embed_passages(enrich_documents(shard))

    batches = discover_changes()
    decided = deduplicate_documents()
    extract_documents.expand(shard=batches) >> decided
    processed = process_batch.expand(shard=decided)
    processed >> validate_staged() >> load_documents() >> retire_missing() >> validate_loaded() >> (
        publish_corpus()
    )


document_ingestion()
