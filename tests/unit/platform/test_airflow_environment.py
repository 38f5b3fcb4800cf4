from __future__ import annotations

import json
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.platform.airflow import (
    AirflowSettings,
    base_url,
    environment,
    lineage_variables,
)
from include.platform.secrets import Secrets
from include.settings import ROOT


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    config = AirflowSettings(
        home=tmp_path,
        metadata="postgresql://airflow:p%40w@127.0.0.1:5555/airflow?sslmode=disable",
        connection="{}",
        host="127.0.0.1",
        port=8123,
        parallelism=3,
        schedule_from="2026-01-01T00:00:00+00:00",
    )
    return environment(config, Secrets(tmp_path))


def test_state_and_code_are_where_they_belong(variables: dict[str, str], tmp_path: Path) -> None:
    assert variables["AIRFLOW_HOME"] == str(tmp_path / "airflow")
    assert variables["AIRFLOW__CORE__DAGS_FOLDER"] == str(ROOT / "dags")
    assert variables["PYTHONPATH"] == str(ROOT)


def test_nothing_listens_or_calls_beyond_this_machine(variables: dict[str, str]) -> None:
    assert variables["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert (
        variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8123/execution/"
    )
    assert variables["GX_ANALYTICS_ENABLED"] == "false"


def test_both_drivers_reach_the_same_database(variables: dict[str, str]) -> None:
    rest = "://airflow:p%40w@127.0.0.1:5555/airflow?sslmode=disable"
    assert variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"postgresql+psycopg2{rest}"
    assert variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] == f"postgresql+psycopg{rest}"


def test_a_second_look_gives_the_same(variables: dict[str, str], tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    assert variables["AIRFLOW__API_AUTH__JWT_SECRET"] == secrets.read("airflow_jwt_secret")
    assert variables["AIRFLOW__CORE__FERNET_KEY"] == secrets.read("airflow_fernet_key")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("::", "http://[::1]:80"),
        ("box.lan", "http://box.lan:80"),
    ],
)
def test_a_server_is_called_by_an_address_that_exists(host: str, url: str) -> None:
    assert base_url(host, 80) == url


def test_lineage_goes_to_a_server_a_file_or_nowhere() -> None:
    assert lineage_variables(None, None) == {}
    assert lineage_variables("https://marquez.example", "key") == {
        "OPENLINEAGE_URL": "https://marquez.example",
        "OPENLINEAGE_API_KEY": "key",
    }
    told = lineage_variables("file:///var/log/a%20b.jsonl", None)
    transport = json.loads(told["AIRFLOW__OPENLINEAGE__TRANSPORT"])
    assert transport["log_file_path"] == "/var/log/a b.jsonl"


@pytest.mark.parametrize("url", ["marquez.example", "file://", "ftp://marquez.example", "https://"])
def test_a_wrong_place_for_lineage_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="TIDEMARK_LINEAGE_URL"):
        lineage_variables(url, None)
