"""Migrations notice that an applied one was edited, and say one line where no server answers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from include.errors import ConfigurationError, UnavailableError
from include.store import migrations


def test_an_edited_migration_is_named_with_the_remedy(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "migrations"
    shutil.copytree(migrations.MIGRATIONS, copy)
    monkeypatch.setattr(migrations, "MIGRATIONS", copy)
    assert migrations.pending(database.owner_dsn) == []
    first = min(copy.glob("*.sql"))
    first.write_text(first.read_text() + "-- edited")
    for check in (
        lambda: migrations.pending(database.owner_dsn),
        lambda: migrations.migrate(database.owner_dsn, database.passwords),
    ):
        with pytest.raises(ConfigurationError, match=f"{first.name} was edited.*git checkout"):
            check()


def test_an_unreachable_server_is_one_line_with_the_remedy() -> None:
    with pytest.raises(UnavailableError, match="check TIDEMARK_DATABASE_URL") as raised:
        migrations.migrate("postgresql://nobody:x@127.0.0.1:1/none", {})
    assert "\n" not in str(raised.value)
