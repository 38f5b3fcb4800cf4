"""Identities: every id is a function of what it names, so a retry writes the same rows."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID, uuid5

NAMESPACE = UUID("6f0c3d9e-4b1a-5c62-9b7e-2a54c8d1e0f7")


def doc_id(source: str, key: str) -> UUID:
    """Identity of a document: its source and its key within the source."""
    return uuid5(NAMESPACE, f"document\x00{source}\x00{key}")


def chunk_id(document: UUID, text_hash: str, occurrence: int) -> UUID:
    """Identity of a passage: its document, its text, and which occurrence of that text it is."""
    return uuid5(NAMESPACE, f"chunk\x00{document}\x00{text_hash}\x00{occurrence}")


def entity_id(label: str, normalised_name: str) -> UUID:
    """Identity of an entity until it is linked: its label and its normalised name."""
    return uuid5(NAMESPACE, f"entity\x00{label}\x00{normalised_name}")


def text_hash(*parts: str) -> str:
    """SHA-256 (hex) of texts, each delimited, so that no two splits collide."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def content_hash(title: str, text: str) -> str:
    """What embedding and generation see of a document: its stated title and its text."""
    return text_hash("content", title, text)


def json_hash(value: Any) -> str:
    """SHA-256 (hex) of a JSON value, independent of the order of its keys."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text_hash("json", canonical)


def file_key(path: str, member: str | None = None) -> str:
    """Key of a file below its source's root (``/`` separators), or of a member of it."""
    return f"file:{path}!/{member}" if member else f"file:{path}"


def record_key(record_id: str, file_path: str | None = None) -> str:
    """Key of a record by its id; with ``file_path`` in sources that key records by file."""
    return f"record:{file_path}#{record_id}" if file_path else f"record:{record_id}"
