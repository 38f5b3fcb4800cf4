"""Parquet: a record a row, read in small batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from include.sources.record import BadRecord, RecordOptions, Row, too_large

_BATCH_ROWS = 256


def read_parquet(stream: BinaryIO, options: RecordOptions) -> Iterator[Row | BadRecord]:
    """Yield one item a row, numbered from 1.

    A file that cannot be read from some row on ends with one :class:`BadRecord` for the rest.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        stream.seek(0)
        table = pq.ParquetFile(stream)
        batches = table.iter_batches(batch_size=_BATCH_ROWS, use_threads=False)
        for batch in batches:
            for fields in _rows(_microseconds(batch)):
                number += 1
                if fields is None:
                    detail = f"Row {number} holds text that is not UTF-8; write the file anew."
                    yield BadRecord(number, None, "bad_value", detail)
                elif _size(fields) > options.max_bytes:
                    yield too_large("row", number, None, options)
                else:
                    yield Row(number, fields, "row")
    except (pa.ArrowException, OSError, ValueError) as error:
        behind = f" behind row {number}" if number else ""
        detail = (
            f"The file is no Parquet that can be read{behind} ({type(error).__name__}); "
            "write it anew."
        )
        yield BadRecord(number + 1, None, "bad_parquet", detail, rest_lost=True)


def _rows(batch: Any) -> Iterator[dict[str, Any] | None]:
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for place in range(batch.num_rows):
            try:
                yield batch.slice(place, 1).to_pylist()[0]
            except UnicodeDecodeError:
                yield None


def _microseconds(batch: Any) -> Any:
    """Cut nanoseconds off, which Python's datetime has no room for."""
    import pyarrow as pa

    columns = [
        column.cast(pa.timestamp("us", column.type.tz), safe=False)
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns"
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _size(fields: dict[str, Any]) -> int:
    return sum(len(value) for value in fields.values() if isinstance(value, str | bytes | list))
