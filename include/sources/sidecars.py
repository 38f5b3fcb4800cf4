"""Sidecars: what ``X.meta.json`` says of ``X`` and ``_meta.json`` of all that lies below it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from include import ids
from include.errors import BadInput
from include.sources.acl import combine_own, parse_acl
from include.sources.beneath import open_beneath
from include.sources.listing import SidecarMetadata
from include.sources.values import clean, parse_time

FOLDER_SIDECAR = "_meta.json"
SUFFIX = ".meta.json"
_MAX_BYTES = 1024 * 1024


def is_sidecar(name: str) -> bool:
    """Whether a file of this name is a sidecar and so no document."""
    return name == FOLDER_SIDECAR or (name.endswith(SUFFIX) and len(name) > len(SUFFIX))


def read_sidecar(root: Path, path: str) -> SidecarMetadata:
    """Read one sidecar.

    Whatever is wrong with it ends up in ``problem``: ``permissions_unreadable`` where it cannot be
    told who may see the file, ``sidecar_malformed`` where another field is wrong.

    Raises:
        UnavailableError: the device fails, which is not the sidecar's fault.
    """
    name = path.rpartition("/")[2]
    try:
        fields = _load(root, path, name)
    except BadInput as error:
        return SidecarMetadata(problem=error, hash=ids.text_hash(error.reason, error.detail))
    digest = ids.json_hash(fields)
    try:
        own_acl = parse_acl(fields.pop("acl", None), textual=False, where=f"the sidecar {name}")
    except BadInput as error:
        return SidecarMetadata(problem=_unreadable(error.detail), hash=digest)
    problem: BadInput | None = None
    title = fields.pop("title", None)
    updated_at = fields.get("updated_at")
    if title is not None and not isinstance(title, str):
        problem, title = _malformed(name, "title", "text"), None
    moment = parse_time(updated_at)
    if moment is not None:
        del fields["updated_at"]
    elif updated_at is not None:
        problem = _malformed(name, "updated_at", "an ISO 8601 time")
    return SidecarMetadata(
        title=" ".join((title or "").split()),
        own_acl=own_acl,
        updated_at=moment,
        metadata=fields,
        problem=problem,
        hash=digest,
    )


def merge(outer: SidecarMetadata, nearer: SidecarMetadata) -> SidecarMetadata:
    """Put a nearer sidecar over an outer one: the nearer wins field by field, lists only narrow."""
    if not nearer.hash:
        return outer
    if not outer.hash:
        return nearer
    problem, own_acl = _worse(outer.problem, nearer.problem), None
    try:
        own_acl = combine_own((outer.own_acl, nearer.own_acl))
    except BadInput as nobody:
        problem = _worse(problem, nobody)
    return SidecarMetadata(
        title=nearer.title or outer.title,
        own_acl=own_acl,
        updated_at=nearer.updated_at or outer.updated_at,
        metadata=outer.metadata | nearer.metadata,
        problem=problem,
        hash=ids.text_hash(outer.hash, nearer.hash),
    )


def _load(root: Path, path: str, name: str) -> dict[str, Any]:
    try:
        with open_beneath(root, path) as stream:
            data = stream.read(_MAX_BYTES + 1)
    except BadInput as problem:
        raise _unreadable(f"The sidecar {name} cannot be read: {problem.detail}") from None
    if len(data) > _MAX_BYTES:
        raise _unreadable(f"The sidecar {name} is larger than 1 MiB; keep it small.")
    try:
        fields = clean(json.loads(data.decode("utf-8-sig")))
    except (ValueError, RecursionError, BadInput):
        raise _unreadable(f"The sidecar {name} is not JSON in UTF-8; correct it.") from None
    if not isinstance(fields, dict):
        raise _unreadable(f"The sidecar {name} is not a JSON object; write {{...}}.")
    return fields


def _worse(one: BadInput | None, other: BadInput | None) -> BadInput | None:
    """Of two problems the one that concerns permissions; the other only where it is alone."""
    if one is None or other is None:
        return one or other
    return other if one.reason == "sidecar_malformed" else one


def _unreadable(detail: str) -> BadInput:
    return BadInput("permissions_unreadable", detail)


def _malformed(name: str, field: str, wanted: str) -> BadInput:
    return BadInput(
        "sidecar_malformed", f"The {field} in the sidecar {name} is not {wanted}; correct it."
    )
