"""Flagged rows as a generation run leaves them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from uuid import UUID, uuid5

import pytest

from include import ids
from include.models import Source
from include.store import generation, review, sources
from include.store.database import Connection, connect

_DOCUMENT = """
insert into corpus.document (
    doc_id, source, key, status, fence, file_path, uri, title, language, type, text, metadata, acl,
    modified_at, source_hash, meta_hash, content_hash, parser, run_id
)
values (
    %(doc_id)s, 'port', %(key)s, 'current', nextval('corpus.fence'), %(key)s, %(uri)s, %(key)s,
    'en', 'text', %(text)s, '{}', %(acl)s, now(), '', '', %(hash)s, 'text/1', 'test'
)
on conflict (doc_id) do update set
    status = 'current', fence = excluded.fence, text = excluded.text,
    content_hash = excluded.content_hash, acl = excluded.acl
"""


class Desk:
    """Documents and what a model said about them, in a real database."""

    def __init__(self, database: Any) -> None:
        self.dsn: str = database.dsn("pipeline")
        self.owner: str = database.owner_dsn
        with connect(self.dsn) as connection:
            sources.add(connection, Source("port", "file:///port"))

    def put(self, title: str, text: str, acl: tuple[str, ...] = ()) -> UUID:
        """Put a document, or change it."""
        doc_id = ids.doc_id("port", title)
        values = {
            "doc_id": doc_id,
            "key": title,
            "uri": f"file:///port/{title}.txt",
            "text": text,
            "acl": list(acl),
            "hash": ids.content_hash(title, text),
        }
        with connect(self.owner) as connection:
            connection.execute(_DOCUMENT, values)
        return doc_id

    def item(self, doc_id: UUID, task: str = "document_summary") -> UUID:
        """Plan an item about the document as it is."""
        (row,) = self.query(
            "select content_hash, fence from corpus.document where doc_id = %s", doc_id
        )
        item = uuid5(doc_id, task + row["content_hash"])
        planned = {
            "item_id": item,
            "task": task,
            "doc_id": doc_id,
            "source": "port",
            "content_hash": row["content_hash"],
            "input_hash": row["content_hash"],
            "prompt_version": "1",
            "model": "m",
            "schema_hash": "s",
            "fence": row["fence"],
        }
        with connect(self.dsn) as connection:
            generation.plan_items(connection, "run", [planned], again=False)
        return item

    def judged(
        self,
        item: UUID,
        output: dict[str, Any],
        flags: tuple[str, ...] = ("quality/number",),
        findings: tuple[dict[str, Any], ...] = (),
    ) -> None:
        """Store a reply as the filters judged it."""
        with connect(self.dsn) as connection:
            generation.decide(
                connection,
                {
                    "item_id": item,
                    "revision": 0,
                    "run_id": "run",
                    "state": "review" if flags else "clean",
                    "outcome": "success",
                    "output": output,
                    "output_hash": ids.json_hash(output),
                    "flags": list(flags),
                    "grounded_score": 0.5,
                    "quality": {},
                    "compliance_status": "review" if flags else "clean",
                    "policy_versions": {},
                    "detail": None,
                    "shown_title": None,
                    "findings": [dict(found) for found in findings],
                },
            )

    def flagged(self, title: str = "Tides", text: str = "The tide is high.") -> UUID:
        """Return the item of a new document whose summary waits."""
        item = self.item(self.put(title, text))
        self.judged(item, {"summary": f"{title} rise by 9 metres.", "key_points": ["9 metres"]})
        return item

    def decide(self, item: UUID, action: Any, by: str = "ann", **more: Any) -> str:
        """Decide about what stands there now."""
        (row,) = self.query("select output_hash from ops.generation_item where item_id = %s", item)
        output = more.pop("output", None)
        more.setdefault("seen", row["output_hash"])
        more.setdefault("reason", "looked at it")
        decision = review.Decision(
            item_id=item,
            action=action,
            decided_by=by,
            output=output,
            output_hash=None if output is None else ids.json_hash(output),
            **more,
        )
        with connect(self.dsn) as connection:
            return review.decide(connection, decision)

    def publish(self) -> int:
        with connect(self.dsn) as connection:
            return generation.publish(connection)

    def query(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        with connect(self.owner) as connection:
            done = connection.execute(statement.encode(), parameters or None)
            return done.fetchall() if done.description else []

    def published(self) -> dict[str, dict[str, Any]]:
        rows = self.query("select * from warehouse.summary")
        return {row["title"]: row for row in rows}


@pytest.fixture
def desk(database: Any) -> Desk:
    return Desk(database)


@pytest.fixture
def pipeline(desk: Desk) -> Generator[Connection]:
    with connect(desk.dsn) as connection:
        yield connection
