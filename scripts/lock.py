"""Compile requirements*.in into locks with hashes. Run by ``make lock``.

The locks hold for Linux and every supported Python. torch leaves the hashed part: indexes carry
builds of it whose hashes differ, so it is installed first, by version alone.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).with_name("uv")
OLDEST = "3.11.3"
# Every installation meets these, so they only lengthen the lines.
GIVEN = ("python_full_version < '3.14' and sys_platform == 'linux'", "sys_platform == 'linux'")

# Only the Google provider's asynchronous hooks use them; Debian 12 has Python 3.11.2.
NEEDS_NEWER = {"gcloud-aio-auth": "3.11.3", "gcloud-aio-bigquery": "3.11.3"}


def main() -> None:
    """Write the locks; versions that still fit are kept, unless ``--upgrade`` is given."""
    upgrade = [argument for argument in sys.argv[1:] if argument == "--upgrade"]
    runtime = compiled("requirements.in", "requirements.txt", upgrade)
    torch = re.search(r"(?m)^torch==[^ \\\n]+", runtime)
    if torch is None:
        sys.exit("requirements.in names no torch")
    runtime = optional(without(runtime, torch[0]))
    write("requirements.txt", f"{torch[0]}\n{runtime}")
    development = compiled("requirements-dev.in", "requirements-dev.txt", upgrade)
    write("requirements-dev.txt", without(development, torch[0]))
    emulator = compiled("requirements-bqemulator.in", "requirements-bqemulator.txt", upgrade)
    write("requirements-bqemulator.txt", without(emulator, torch[0]))


def compiled(source: str, lock: str, options: list[str]) -> str:
    """Resolve a file of direct dependencies and return the lock's text."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / lock
        if (ROOT / lock).exists():
            output.write_text((ROOT / lock).read_text(encoding="utf-8"), encoding="utf-8")
        command = [str(UV), "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
        command += ["--no-header", "--python-version", OLDEST, *options]
        done = subprocess.run([*command, source, "-o", str(output)], cwd=ROOT, check=False)
        if done.returncode != 0:
            sys.exit(f"{source} cannot be resolved; the reason stands above")
        return output.read_text(encoding="utf-8")


def optional(lock: str) -> str:
    """Leave out, on a Python that is too old for them, packages that we do without."""
    for package, oldest in NEEDS_NEWER.items():
        pinned = re.compile(rf"(?m)^({re.escape(package)}==\S+) ")
        lock = pinned.sub(rf"\1 ; python_full_version >= '{oldest}' ", lock)
    return lock


def without(lock: str, package: str) -> str:
    """Drop one package, and the conditions that always hold."""
    for condition in GIVEN:
        lock = lock.replace(f" ; {condition}", "").replace(f"{condition} and ", "")
        lock = lock.replace(f" and {condition}", "")
    blocks = re.split(r"\n(?=[A-Za-z0-9_])", lock)
    return "\n".join(block for block in blocks if not block.startswith(package))


def write(name: str, text: str) -> None:
    """Write a lock."""
    (ROOT / name).write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
