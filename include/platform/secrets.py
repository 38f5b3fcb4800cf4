"""Secrets of a home: taken from the settings or made on first use, kept in ``<home>/secrets``."""

from __future__ import annotations

import base64
import os
import secrets as random
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, get_args

from include.errors import ConfigurationError, UnavailableError
from include.settings import home, settings

SecretName = Literal[
    "owner_password",
    "operator_password",
    "pipeline_password",
    "serving_password",
    "airflow_database_password",
    "airflow_jwt_secret",
    "airflow_secret_key",
    "airflow_fernet_key",
    "airflow_admin_password",
    "token_key",
    "model_key",
]
SECRET_NAMES: tuple[SecretName, ...] = get_args(SecretName)


class Secrets:
    """The secrets of one home; files are 0600 in a folder that is 0700.

    Args:
        home: folder of all state.
        given: secrets that the deployment sets itself; they win over files.
    """

    def __init__(self, home: Path, given: Mapping[SecretName, str] | None = None) -> None:
        self.folder = home / "secrets"
        self._given = dict(given or {})

    def get(self, name: SecretName) -> str:
        """Return a secret, making it on first use; processes at once get the same one."""
        if name not in self._given and not self._path(name).exists():
            self._create(name)
        return self.read(name)

    def read(self, name: SecretName) -> str:
        """Return a secret that exists.

        Raises:
            UnavailableError: it was never made.
            ConfigurationError: it belongs to another user.
        """
        if name in self._given:
            return self._given[name]
        try:
            return self._path(name).read_text(encoding="ascii")
        except FileNotFoundError as error:
            raise UnavailableError(
                f"nothing was started yet in {self.folder.parent}; run ./tidemark up"
            ) from error
        except PermissionError as error:
            raise ConfigurationError(
                f"{self.folder.parent} belongs to another user; run as that user, or set "
                "TIDEMARK_HOME for a state of your own"
            ) from error

    def create_all(self) -> None:
        """Make every secret that does not exist yet."""
        for name in SECRET_NAMES:
            self.get(name)

    def _path(self, name: SecretName) -> Path:
        return self.folder / name

    def _create(self, name: SecretName) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes files 0600. A hard link, unlike a rename, never replaces: whoever is
        # first wins, and nobody sees a half-written secret.
        descriptor, temporary = tempfile.mkstemp(dir=self.folder, prefix=".new-")
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(_generate(name))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(temporary, self._path(name))
        finally:
            Path(temporary).unlink(missing_ok=True)


def configured_secrets() -> Secrets:
    """Return the secrets of this deployment: its settings' own, else those of its home."""
    values = settings()
    given = {name: getattr(values, name, None) for name in SECRET_NAMES}
    return Secrets(home(), {name: value for name, value in given.items() if value})


def _generate(name: SecretName) -> str:
    if name == "airflow_fernet_key":
        return base64.urlsafe_b64encode(random.token_bytes(32)).decode()
    if name in {"airflow_jwt_secret", "airflow_secret_key", "token_key", "model_key"}:
        return random.token_urlsafe(72)
    return random.token_urlsafe(24)
