"""The daily digests as files: Markdown and HTML a day, and an index, beside what is exported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Protocol

from include.digest import as_html, as_markdown, index_html
from include.store.database import Connection
from include.store.digest import days

FOLDER = "digest"
_STATE = "files.json"


class Place(Protocol):
    """A folder in a file system or object store."""

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None where there is none."""
        ...

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write a file that is there whole or not at all."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...


def write_digests(connection: Connection, place: Place, groups: Sequence[str] | None) -> int:
    """Write the digests of all days whose files differ from what they are to say.

    A day that was published to, or lost something, is written again; a day without anything left
    goes. What is written last says what stands, so that a run that was killed is made up for.

    Args:
        connection: as the pipeline role or the operator.
        place: where they go, into the folder ``digest``.
        groups: whose rows besides the public ones; None takes all rows.

    Returns:
        How many files were written.
    """
    files = _files(connection, groups)
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    stands = _standing(place)
    changed = [name for name, digest in wanted.items() if stands.get(name) != digest]
    for name in changed:
        place.write(f"{FOLDER}/{name}", [files[name]])
    for name in stands.keys() - wanted.keys():
        place.remove(f"{FOLDER}/{name}")
    if wanted != stands:
        place.write(f"{FOLDER}/{_STATE}", [json.dumps(wanted, indent=1).encode()])
    return len(changed)


def _files(connection: Connection, groups: Sequence[str] | None) -> dict[str, bytes]:
    rows = days(connection, groups)
    known = [row["day"] for row in rows]
    files = {"index.html": index_html(rows).encode()} if rows else {}
    for row in rows:
        files[f"{row['day']}.html"] = as_html(row, known).encode()
        files[f"{row['day']}.md"] = as_markdown(row).encode()
    return files


def _standing(place: Place) -> dict[str, str]:
    try:
        found = json.loads(place.read(f"{FOLDER}/{_STATE}") or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
