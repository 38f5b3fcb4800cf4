"""The ingestion DAG: from the sources to a searchable corpus."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Asset, CronDataIntervalTimetable, Param, dag, task_group

from include.airflow_adapter import on_run_failure, on_run_success, run_context, task
from include.settings import settings

DOC = """
### Document ingestion

Reads every configured source, finds what differs from what is stored, and brings the corpus to it.

| task | does | when it fails |
|---|---|---|
| `discover_changes` | lists sources, stages what differs | a source is down; mend it, clear |
| `extract_documents` | bytes to text, in sandboxed parsers | clear it; bad ones are quarantined |
| `deduplicate_documents` | elects canonical documents over the whole corpus | clear it |
| `process_batch.enrich_documents` | language, passages, entities, injection flags | clear it |
| `process_batch.embed_passages` | vectors, cached or computed | clear it; done vectors are cached |
| `validate_staged` | withholds documents that are not fit to load | clear it |
| `load_documents` | merges batch by batch, one transaction each | clear it; done batches stay |
| `retire_missing` | removes what complete listings lack | clear it |
| `validate_loaded` | checks the corpus; withholds the asset | see the log: it names documents |
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
    start_date=settings().schedule_from or datetime(2024, 1, 1, tzinfo=UTC),
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
    on_success_callback=on_run_success,
)
def document_ingestion() -> None:
    """Wire the stages; what they do is in ``include.pipeline``."""

    @task
    def discover_changes() -> list[int]:
        """List the sources and stage what differs; returns the numbers of the batches."""
        from include.pipeline.discover import discover

        return list(range(discover(run_context()).facts["batches"]))

    @task
    def extract_documents(shard: int) -> int:
        """Extract one batch."""
        from include.pipeline.extract import extract

        return extract(run_context(), shard).counts["documents"]

    @task
    def deduplicate_documents() -> list[int]:
        """Elect canonical documents; returns the numbers of the batches to enrich."""
        from include.pipeline.deduplicate import deduplicate

        return list(range(deduplicate(run_context()).facts["batches"]))

    @task
    def enrich_documents(shard: int) -> int:
        """Enrich one batch; returns its number."""
        from include.pipeline.enrich import enrich

        enrich(run_context(), shard)
        return shard

    @task(pool="embedding")
    def embed_passages(shard: int) -> int:
        """Embed one batch; returns how many vectors had to be computed."""
        from include.pipeline.embed import embed

        return int(embed(run_context(), shard).facts["computed"])

    @task
    def validate_staged() -> int:
        """Withhold what is not fit to load; returns how many documents that is."""
        from include.pipeline.validate import validate_staged

        return validate_staged(run_context()).counts["withheld"]

    @task
    def load_documents() -> int:
        """Merge the batches; returns how many documents were merged."""
        from include.pipeline.load import load

        return int(load(run_context()).facts["merged"])

    @task
    def retire_missing() -> int:
        """Write down what was listed; returns how many documents were retired."""
        from include.pipeline.retire import retire

        return int(retire(run_context()).facts["deleted"])

    @task
    def validate_loaded() -> None:
        """Check what was loaded, and that every input has one outcome."""
        from include.pipeline.validate import validate_loaded

        validate_loaded(run_context())

    @task(outlets=[Asset("tidemark_corpus")])
    def publish_corpus() -> None:
        """End the run; the asset's update starts what depends on the corpus."""
        from include.pipeline.publish import publish

        publish(run_context())

    @task_group
    def process_batch(shard: int) -> None:
        """Take one batch through enrichment and embedding."""
        embed_passages(enrich_documents(shard))

    batches = discover_changes()
    decided = deduplicate_documents()
    extract_documents.expand(shard=batches) >> decided
    processed = process_batch.expand(shard=decided)
    (
        processed
        >> validate_staged()
        >> load_documents()
        >> retire_missing()
        >> validate_loaded()
        >> (publish_corpus())
    )


document_ingestion()
