from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from include.errors import UnavailableError
from include.platform.secrets import SECRET_NAMES, Secrets


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = Secrets(tmp_path).get("token_key")
    assert Secrets(tmp_path).get("token_key") == first
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "secrets" / "token_key").stat().st_mode) == 0o600


def test_all_differ_between_each_other_and_between_homes(tmp_path: Path) -> None:
    values = [Secrets(tmp_path / home).get(name) for home in "ab" for name in SECRET_NAMES]
    assert len(set(values)) == 2 * len(SECRET_NAMES)


def test_makers_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        values = list(pool.map(lambda _: Secrets(tmp_path).get("owner_password"), range(64)))
    assert len(set(values)) == 1
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["owner_password"]


def test_what_the_deployment_gives_wins_and_is_not_stored(tmp_path: Path) -> None:
    Secrets(tmp_path).get("pipeline_password")
    given = Secrets(tmp_path, {"pipeline_password": "ours", "token_key": "also ours"})
    assert given.get("pipeline_password") == "ours"
    assert given.get("token_key") == "also ours"
    assert not (tmp_path / "secrets" / "token_key").exists()


def test_before_anything_was_started_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"run \./tidemark up"):
        Secrets(tmp_path).read("owner_password")


def test_airflow_accepts_the_kinds(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    assert len(base64.urlsafe_b64decode(secrets.get("airflow_fernet_key"))) == 32
    assert len(secrets.get("airflow_jwt_secret").encode()) >= 64
