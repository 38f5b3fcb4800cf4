"""Make .venv and install exactly what the lock files name. Run by ``make install``.

Standard library alone, and readable by old Pythons, which get a clear message.
Settings of pip (``PIP_*``, pip.conf) are honoured; ``TORCH_INDEX_URL`` names an index for torch
alone, such as https://download.pytorch.org/whl/cpu for a build without CUDA.
"""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"
UV = "uv==0.13.9"
OLDEST, TOO_NEW = (3, 11), (3, 14)
LOCKS = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]
NEVER_IMPORTED = r"/(tests?|google/ads|rllib|litellm|openai/types|transformers/models/\w+)/"


def main() -> None:
    """Install, unless the same locks are installed already."""
    if not OLDEST <= sys.version_info[:3] < TOO_NEW:
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            "Python 3.11 to 3.13 is needed, and this is %s. "  # ruff: ignore[printf-string-formatting]
            "Install one and name it: make install PYTHON=python3.12" % found
        )
    stamp = fingerprint()
    if STAMP.exists() and STAMP.read_text(encoding="ascii") == stamp and works(PYTHON):
        return
    make_venv()
    STAMP.unlink(missing_ok=True)
    torch, rest = split_lock()
    say(f"installing {torch}")
    index = os.environ.get("TORCH_INDEX_URL")
    pip("install", "--quiet", *(["--index-url", index] if index else []), torch)
    say("installing the rest of the lock (a few minutes)")
    pip("install", "--quiet", UV)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(rest)
        file.flush()
        locked = ["--require-hashes", "--no-deps", "-r", file.name, "-r", str(LOCKS[1])]
        if not uv_install(locked):
            say("uv could not install it; trying pip (slower)")
            pip("install", "--quiet", *locked)
    say("compiling what was installed (a minute)")
    compile_packages()
    STAMP.write_text(stamp, encoding="ascii")


def fingerprint() -> str:
    """Return what the installation depends on: the locks, this script and the Python."""
    digest = hashlib.sha256(sys.version.encode())
    for path in [*LOCKS, Path(__file__)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def make_venv() -> None:
    """Create the environment; a broken one is replaced."""
    probe = subprocess.run(
        [sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False
    )
    if probe.returncode != 0:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.exit(
            f"{sys.executable} lacks the venv module; on Debian and Ubuntu run: "
            f"apt-get install python{version}-venv"
        )
    say(f"making {VENV} with Python {sys.version.split()[0]}")
    clear = [] if works(PYTHON) and same_version() else ["--clear"]
    subprocess.run([sys.executable, "-m", "venv", *clear, str(VENV)], check=True)


def split_lock() -> tuple[str, str]:
    """Return the first line, torch by version alone (its builds differ), and the hashed rest."""
    torch, _, rest = LOCKS[0].read_text(encoding="utf-8").partition("\n")
    return torch, rest


def uv_install(arguments: list[str], python: Path = PYTHON) -> bool:
    """Install with uv, which is about ten times faster, from the indexes that pip would use."""
    command = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(python)]
    # Every file is checked by hash, so the best version of any index is the right one.
    command += ["--index-strategy", "unsafe-best-match"]
    settings = pip_settings()
    if "index-url" in settings:
        command += ["--default-index", settings["index-url"]]
    for url in settings.get("extra-index-url", "").split():
        command += ["--index", url]
    for place in settings.get("find-links", "").split():
        command += ["--find-links", place]
    environment = dict(os.environ)
    if "cert" in settings:
        environment.setdefault("SSL_CERT_FILE", settings["cert"])
    return subprocess.run([*command, *arguments], env=environment, check=False).returncode == 0


def compile_packages() -> None:
    """Compile the packages once, so that no process does: uv does not, and not all may write there.

    Where ``PYTHONDONTWRITEBYTECODE`` is set, every task would compile what it imports, each time.
    """
    command = [str(PYTHON), "-m", "compileall", "-q", "-j", "0", "-x", NEVER_IMPORTED]
    # Packages ship files for other Pythons, too; those that do not compile are not imported.
    subprocess.run([*command, str(VENV / "lib")], stdout=subprocess.DEVNULL, check=False)


def pip_settings() -> dict[str, str]:
    """Return pip's settings for installing; the environment wins over files."""
    listed = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    settings: dict[str, str] = {}
    ranks = {"global": 0, "install": 1, ":env:": 2}
    lines = (line.partition("=") for line in listed.stdout.splitlines())
    found = [(*key.rpartition(".")[::2], value) for key, _, value in lines]
    for _, name, value in sorted(
        (item for item in found if item[0] in ranks), key=lambda item: ranks[item[0]]
    ):
        settings[name] = str(ast.literal_eval(value))
    return settings


def works(python: Path) -> bool:
    """Tell whether an interpreter is there and starts."""
    try:
        return subprocess.run([str(python), "-c", ""], check=False).returncode == 0
    except OSError:
        return False


def same_version() -> bool:
    """Tell whether the environment was made by this Python."""
    command = [str(PYTHON), "-c", "import sys; print(sys.version)"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() == sys.version.strip()


def pip(*arguments: str) -> None:
    """Run the environment's pip; its failure ends the program."""
    done = subprocess.run([str(PYTHON), "-m", "pip", *arguments], check=False)
    if done.returncode != 0:
        sys.exit(f"pip {arguments[0]} failed; the reason stands above")


def say(text: str) -> None:
    """Report progress."""
    print(f"install: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
