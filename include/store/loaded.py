"""What a run loaded, measured for validation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from include.store.database import Connection, run

if TYPE_CHECKING:
    import pandas as pd


def changed(connection: Connection, run_id: str, page: int) -> Iterator[list[str]]:
    """Yield pages of the documents that a run added or changed and that are current."""
    after = "00000000-0000-0000-0000-000000000000"
    while True:
        rows = run(connection, "loaded_changed", run_id=run_id, after=after, page=page).fetchall()
        if not rows:
            return
        yield [row["doc_id"] for row in rows]
        after = rows[-1]["doc_id"]


def frame(connection: Connection, table: str | None, doc_ids: list[str]) -> pd.DataFrame:
    """Return the measures of loaded documents, one row each."""
    import pandas as pd

    rows = run(connection, "loaded_measures", doc_ids=doc_ids, table_name=table)
    return pd.DataFrame(rows.fetchall())
