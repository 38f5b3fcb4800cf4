"""Datasets and columns of every task as OpenLineage, for Airflow's OpenLineage provider.

The provider tells when tasks begin and end, and whether they failed; what they read and wrote comes
from the table of :mod:`include.lineage`. Names follow OpenLineage: ``postgres://host:port`` with
``database.schema.table``, ``bigquery`` with ``project.dataset.table``, ``file`` with the folder of
what is staged. No row and no text is told.
"""

from __future__ import annotations

import logging
import os
from urllib.parse import urlsplit

import psycopg
from airflow.providers.openlineage.extractors.base import BaseExtractor, OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import DatasetFacet, column_lineage_dataset, schema_dataset

from include.airflow_adapter import CONNECTION, WAREHOUSE_CONNECTION, dsn_outside_tasks
from include.lineage.tasks import Column, TaskLineage, lineage
from include.settings import settings, staging_root

logger = logging.getLogger(__name__)

_EMBEDDING = "{embedding}"
_CONNECT_SECONDS = 3


class TaskExtractor(BaseExtractor):  # type: ignore[misc]
    """Tells what a task of Tidemark's DAGs reads and writes; of other DAGs' tasks nothing."""

    @classmethod
    def get_operator_classnames(cls) -> list[str]:
        """Return the operators of the DAGs."""
        return ["_PythonDecoratedOperator", "GenerateReplies", "AskPeople"]

    def _execute_extraction(self) -> OperatorLineage | None:
        told = lineage().get((self.operator.dag_id, self.operator.task_id))
        return None if told is None else facets(told)


def facets(told: TaskLineage) -> OperatorLineage:
    """Return what a task reads and writes, with the columns of what it writes."""
    names = Names(any(_EMBEDDING in name for name in (*told.reads, *told.writes)))
    return OperatorLineage(
        inputs=[InputDataset(*names.of(name)) for name in told.reads],
        outputs=[
            OutputDataset(*names.of(name), facets=_columns(columns, names))
            for name, columns in told.writes.items()
        ],
    )


def _columns(columns: dict[str, tuple[Column, ...]], names: Names) -> dict[str, DatasetFacet]:
    schema = schema_dataset.SchemaDatasetFacet(
        fields=[schema_dataset.SchemaDatasetFacetFields(name=name) for name in columns]
    )
    lines = column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={
            name: column_lineage_dataset.Fields(
                inputFields=[
                    column_lineage_dataset.InputField(*names.of(source.dataset), source.name)
                    for source in sources
                ]
            )
            for name, sources in columns.items()
            if sources
        }
    )
    return {"schema": schema, "columnLineage": lines}


class Names:
    """What OpenLineage calls the datasets of this deployment.

    Args:
        embedding: look up the table of the active embedding model.
    """

    def __init__(self, embedding: bool = False) -> None:
        self._namespace, self._database = _server()
        self._embedding = _embedding_table() if embedding else ""

    def of(self, dataset: str) -> tuple[str, str]:
        """Return namespace and name of a dataset of the table."""
        kind, _, rest = dataset.partition(".")
        if kind == "input":
            return "tidemark", "input"
        if kind == "staged":
            return "file", f"{staging_root()}/{rest}"
        if kind == "bigquery":
            return kind, f"{settings().bigquery_dataset or WAREHOUSE_CONNECTION}.{rest}"
        return self._namespace, f"{self._database}.{dataset.replace(_EMBEDDING, self._embedding)}"


def _server() -> tuple[str, str]:
    """Return the namespace of the database and its name; logical ones where Airflow holds them."""
    if f"AIRFLOW_CONN_{CONNECTION.upper()}" not in os.environ:
        return f"postgres://{CONNECTION}", "tidemark"
    parts = urlsplit(dsn_outside_tasks())
    return f"postgres://{parts.hostname}:{parts.port or 5432}", parts.path.strip("/")


def _embedding_table() -> str:
    """Return the table of the active embedding model, or ``embedding`` where that is not known."""
    if f"AIRFLOW_CONN_{CONNECTION.upper()}" not in os.environ:
        return "embedding"
    try:
        dsn = dsn_outside_tasks()
        with psycopg.connect(dsn, connect_timeout=_CONNECT_SECONDS) as connection:
            row = connection.execute(
                "select table_name from corpus.embedding_model where active"
            ).fetchone()
    except psycopg.Error as error:
        logger.warning("the embedding model could not be looked up: %s", type(error).__name__)
        return "embedding"
    return str(row[0]) if row else "embedding"
