"""A record, and how the fields of a row become one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from include import ids
from include.errors import BadInput
from include.sources.acl import parse_acl
from include.sources.values import clean, clean_text, parse_time

TextField = Literal["text", "body", "content", "html"]
TEXT_FIELDS: tuple[TextField, ...] = ("text", "body", "content", "html")
ID_FIELDS = ("id", "_id")
_MAX_ID_BYTES = 500


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """How a source's records are to be read.

    Attributes:
        record_id: the field that identifies a record; None means ``id`` or ``_id``.
        max_bytes: larger records are refused.
    """

    record_id: str | None = None
    max_bytes: int = 16 * 1024 * 1024


@dataclass(slots=True)
class Row:
    """Fields as a format's reader found them.

    Attributes:
        number: line, or place among the rows, from 1.
        place: what the number counts: ``line``, ``row`` or ``record``.
        textual: whether every value is a string (CSV).
        encoding: how its bytes were decoded.
        clean: whether ``values.clean`` would leave the fields as they are.
    """

    number: int
    fields: dict[str, Any]
    place: str = "line"
    textual: bool = False
    encoding: str = "utf-8"
    clean: bool = False

    @property
    def where(self) -> str:
        """Where it stands, for messages."""
        return f"{self.place} {self.number}"


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a file.

    Attributes:
        line_or_row: where it stands in its file, from 1.
        record_id: None where it has none and its content identifies it (``source_hash``).
        fields: all its fields, as JSON.
        text: its text; markup where ``text_field`` is ``html``; all its fields, one a line, where
            ``text_field`` is None; None where ``problem`` is set.
        text_field: the field that ``text`` was taken from.
        updated_at: None where the field is absent or cannot be read (it is metadata then).
        own_acl: None where the outer list holds.
        metadata: all fields but text, title, acl and a readable ``updated_at``.
        source_hash: hash of ``fields``.
        acl_problem: why its list cannot be read; what is stored of it must be hidden.
        problem: why it cannot be a document although its permissions can be read.
        encoding: how its bytes were decoded, if not as UTF-8.
    """

    line_or_row: int
    record_id: str | None
    fields: dict[str, Any]
    title: str
    text: str | None
    text_field: TextField | None
    url: str | None
    updated_at: datetime | None
    own_acl: tuple[str, ...] | None
    metadata: dict[str, Any]
    source_hash: str
    acl_problem: BadInput | None = None
    problem: BadInput | None = None
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A place in a records file where no record could be read.

    Attributes:
        line_or_row: line or row, from 1; 0 where it is the file as a whole.
        record_id: the id, where it is clear nevertheless. Without one any stored record of the
            file may be the one that stands here, so none of them may be retired.
        detail: one sentence that names the place and the remedy, without document text.
        rest_lost: records behind it may have been lost with it; retire nothing of the file.
    """

    line_or_row: int
    record_id: str | None
    reason: str
    detail: str
    rest_lost: bool = False


def build_record(row: Row, options: RecordOptions) -> Record | BadRecord:
    """Turn a row into a record; a row that cannot be one into a :class:`BadRecord`."""
    record_id = None
    try:
        record_id = _identity(row, options)
        fields: dict[str, Any] = row.fields if row.clean else clean(row.fields)
    except BadInput as problem:
        detail = problem.detail
        if problem.reason != "bad_id":
            detail = f"{row.where.capitalize()} cannot be used: {detail}"
        return BadRecord(row.number, record_id, problem.reason, detail)
    metadata = dict(fields)
    own_acl = acl_problem = problem_found = None
    if "acl" in metadata:
        try:
            own_acl = parse_acl(metadata.pop("acl"), textual=row.textual, where=row.where)
        except BadInput as problem:
            acl_problem = problem
    title = _plain(fields.get("title"))
    if title is not None:
        del metadata["title"]
    updated_at = parse_time(metadata.get("updated_at"))
    if updated_at is not None:
        del metadata["updated_at"]
    text, text_field = _text(fields)
    if text_field is not None:
        del metadata[text_field]
    elif text is None:
        problem_found = BadInput(
            "no_text", f"{row.where.capitalize()} has no text; fill in its text."
        )
    url = fields.get("url")
    return Record(
        line_or_row=row.number,
        record_id=record_id,
        fields=fields,
        title=" ".join((title or "").split()),
        text=text,
        text_field=text_field,
        url=url if isinstance(url, str) and url else None,
        updated_at=updated_at,
        own_acl=own_acl,
        metadata=metadata,
        source_hash=ids.json_hash(fields),
        acl_problem=acl_problem,
        problem=problem_found,
        encoding=row.encoding,
    )


def render_fields(fields: dict[str, Any]) -> str:
    """Write fields as text, one a line (``name: value``); ``acl`` and what is empty left out."""
    lines = []
    for name, value in fields.items():
        if name == "acl" or value is None or value in ("", [], {}):
            continue
        shown = value
        if not isinstance(value, str):
            shown = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if shown := " ".join(shown.split()):
            lines.append(f"{name}: {shown}")
    return "\n".join(lines)


def identify(value: Any) -> str | None:
    """Return the id that a field's value is; None where it is none."""
    if isinstance(value, str):
        text = clean_text(value.strip())
        return text if 0 < len(text.encode("utf-8", "replace")) <= _MAX_ID_BYTES else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Where some ids are missing, pandas writes the others as floats.
    if isinstance(value, float) and not (value.is_integer() and abs(value) < 2**53):
        return None
    text = str(int(value))
    return text if len(text) <= _MAX_ID_BYTES else None


def _identity(row: Row, options: RecordOptions) -> str | None:
    for name in (options.record_id,) if options.record_id else ID_FIELDS:
        value = row.fields.get(name)
        # NaN, which alone differs from itself, is how pandas writes "missing".
        if value is None or value != value:
            continue
        found = identify(value)
        if found is None:
            raise BadInput(
                "bad_id",
                f"The {name} in {row.where} is not a text or whole number of 1 to {_MAX_ID_BYTES} "
                "bytes; correct it.",
            )
        return found
    if options.record_id:
        raise BadInput(
            "bad_id",
            f"{row.where.capitalize()} has no {options.record_id}, which the source names as its "
            "records' id; add it, or change the source's --record-id.",
        )
    return None


def _text(fields: dict[str, Any]) -> tuple[str | None, TextField | None]:
    """Choose the text; (None, None) where there is a field for it with nothing in it."""
    empty = False
    for name in TEXT_FIELDS:
        if name not in fields:
            continue
        text = _plain(fields[name])
        if text is not None and not text.isspace() and text:
            return text, name
        empty = empty or text is not None or fields[name] is None
    return (None if empty else render_fields(fields) or None), None


def _plain(value: Any) -> str | None:
    """Text and numbers as text; None for everything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def to_json(item: Record | BadRecord) -> dict[str, Any]:
    """Return a JSON-able dict with ``"kind": "record"`` or ``"bad"``; see :func:`from_json`."""
    if isinstance(item, BadRecord):
        return {"kind": "bad"} | asdict(item)
    data = {name: getattr(item, name) for name in _RECORD_FIELDS}
    data["kind"] = "record"
    data["updated_at"] = item.updated_at.isoformat() if item.updated_at else None
    for name in ("acl_problem", "problem"):
        problem: BadInput | None = data[name]
        data[name] = [problem.reason, problem.detail] if problem else None
    return data


def from_json(data: dict[str, Any]) -> Record | BadRecord:
    """Undo :func:`to_json`, also after a way through JSON text."""
    values = {name: value for name, value in data.items() if name != "kind"}
    if data["kind"] == "bad":
        return BadRecord(**values)
    if values["updated_at"] is not None:
        values["updated_at"] = datetime.fromisoformat(values["updated_at"])
    if values["own_acl"] is not None:
        values["own_acl"] = tuple(values["own_acl"])
    for name in ("acl_problem", "problem"):
        if values[name] is not None:
            values[name] = BadInput(*values[name])
    return Record(**values)


_RECORD_FIELDS = tuple(Record.__dataclass_fields__)


def too_large(place: str, number: int, record_id: str | None, options: RecordOptions) -> BadRecord:
    """Return the item for a record beyond the size limit."""
    detail = (
        f"{place.capitalize()} {number} is larger than {options.max_bytes:,} bytes; split the "
        "record or raise TIDEMARK_MAX_RECORD_MB."
    )
    return BadRecord(number, record_id, "record_too_large", detail)
