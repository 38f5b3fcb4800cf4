"""What was paid for, as ids: functions of all that decides a reply, across runs and attempts."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from include import ids
from include.generation.task import GenerationTask


def input_hash(content_hash: str, fields: dict[str, Any]) -> str:
    """Hash of what a prompt shows of a document: its content, and the metadata that it uses."""
    if not fields:
        return content_hash
    return ids.text_hash("input", content_hash, ids.json_hash(fields))


def item_id(task: GenerationTask, doc_id: UUID, input_hash: str, model: str) -> UUID:
    """Identity of what is paid for once."""
    parts = (task.name, str(doc_id), input_hash, task.version, model, task.schema_hash)
    return uuid5(ids.NAMESPACE, "\x00".join(("generation", *parts)))


def request_id(item: UUID, revision: int, part: str) -> UUID:
    """Identity of one question of an item: ``whole``, ``part 0`` …, ``merge``, ``again``."""
    return uuid5(ids.NAMESPACE, f"request\x00{item}\x00{revision}\x00{part}")


def call_id(request: str, worker: str, attempt: int) -> UUID:
    """Identity of one call: the question, who asked and how often."""
    return uuid5(ids.NAMESPACE, f"call\x00{request}\x00{worker}\x00{attempt}")
