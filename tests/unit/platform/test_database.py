from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from include.errors import ConfigurationError, UnavailableError
from include.platform import database
from include.settings import settings


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEMARK_DATABASE_URL", "")
    settings.cache_clear()
    yield
    settings.cache_clear()


def _external(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("TIDEMARK_DATABASE_URL", url)
    monkeypatch.setenv("TIDEMARK_SERVING_PASSWORD", "s/e:c@ret")
    settings.cache_clear()


@pytest.mark.parametrize("role", ["owner", "operator", "pipeline", "serving"])
def test_before_the_first_start_the_remedy_is_named(role: database.Role) -> None:
    with pytest.raises(UnavailableError, match=r"run \./tidemark up"):
        database.dsn(role)


def test_an_external_owner_is_taken_as_given(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://boss:pw@db.example:6000/docs?sslmode=require"
    _external(monkeypatch, url)
    assert database.embedded() is None
    assert database.dsn("owner") == url


def test_other_roles_differ_in_the_login_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    _external(monkeypatch, "postgresql://boss:p%40w@db.example:6000/docs?sslmode=require")
    assert conninfo_to_dict(database.dsn("serving")) == {
        "user": "tidemark_serving",
        "password": "s/e:c@ret",
        "host": "db.example",
        "port": "6000",
        "dbname": "docs",
        "sslmode": "require",
    }


def test_a_login_in_the_query_does_not_survive() -> None:
    url = database.with_login(
        "postgresql://h1:1,h2:2/docs?user=boss&password=x&target_session_attrs=any", "me", "mine"
    )
    assert url == "postgresql://me:mine@h1:1,h2:2/docs?target_session_attrs=any"


def test_generated_passwords_are_those_that_a_migration_sets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _external(monkeypatch, "postgresql://boss:pw@db.example/docs")
    passwords = database.role_passwords()
    assert set(passwords) == {"operator", "pipeline", "serving"}
    assert passwords["serving"] == "s/e:c@ret"
    assert conninfo_to_dict(database.dsn("operator"))["password"] == passwords["operator"]


def test_airflow_lives_beside_the_corpus_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _external(monkeypatch, "postgresql://boss:pw@db.example/docs?sslmode=require")
    assert database.airflow_metadata() == "postgresql://boss:pw@db.example/airflow?sslmode=require"
    monkeypatch.setenv("TIDEMARK_AIRFLOW_DATABASE_URL", "postgresql://a:b@other/meta")
    settings.cache_clear()
    assert database.airflow_metadata() == "postgresql://a:b@other/meta"


@pytest.mark.parametrize(
    "url", ["host=db dbname=docs", "postgresql+psycopg2://u@h/db", "mysql://h/d"]
)
def test_other_forms_of_url_are_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    _external(monkeypatch, url)
    with pytest.raises(ConfigurationError, match="postgresql://user:password@host"):
        database.dsn("owner")


def test_the_airflow_connection_says_the_same() -> None:
    text = database.airflow_connection("postgresql://me:p%40w@db:6000/docs?sslmode=require")
    assert json.loads(text) == {
        "conn_type": "postgres",
        "host": "db",
        "port": 6000,
        "login": "me",
        "password": "p@w",
        "schema": "docs",
        "extra": {"sslmode": "require"},
    }
