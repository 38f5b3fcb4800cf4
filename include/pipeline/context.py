"""What every task of a run needs: its id, its parameters, the database and the shards."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from include.settings import staging_root
from include.staging import Staging


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run of the ingestion.

    Attributes:
        run_id: Airflow's, or ``local__...``; names the shards and the row in ``ops.run``.
        dsn: connection string of the pipeline role.
        kind: ``airflow`` or ``local``.
        source: the only source to take; None takes all that are not manual.
        full: read and process everything again, whatever is stored.
        interval: of a backfill, half-open; None handles all that differs.
        alone: leave documents of other sources that await work, after an upgrade or a promotion, to
            another run; somebody waits for this one.
    """

    run_id: str
    dsn: str
    kind: str = "local"
    source: str | None = None
    full: bool = False
    interval: tuple[datetime, datetime] | None = None
    alone: bool = False
    staging: Staging = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "staging", Staging(staging_root(), self.run_id))
