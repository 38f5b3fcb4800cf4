"""The sample corpus: what a person who runs the demo gets to see, the same every time."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from include.dedup.fingerprint import fingerprint
from include.errors import BadInput
from include.extraction.extractor import Extractor
from include.platform.sample import SampleSummary, write_sample
from include.platform.sample.package_docs import LARGEST, package_docs


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleSummary:
    return write_sample(tmp_path_factory.mktemp("sample"))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def similarity(one: str, other: str) -> float:
    """Return what the pipeline takes for the similarity of two texts."""
    pairs = zip(
        struct.iter_unpack("<I", fingerprint("", one).signature),
        struct.iter_unpack("<I", fingerprint("", other).signature),
        strict=True,
    )
    equal = [a == b for a, b in pairs]
    return sum(equal) / len(equal)


def test_has_about_three_hundred_real_documents(sample: SampleSummary) -> None:
    docs = contents(sample.sources["docs"])
    assert 250 <= len(docs) == sample.files["docs"] <= 400
    sizes = [len(data.decode("utf-8")) for data in docs.values()]
    assert min(sizes) > 1_000
    assert max(sizes) <= LARGEST + 1
    assert not [path for path in docs if "license" in path]


def test_the_choice_follows_the_lock_alone(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("pydantic==2.14.3 \\\n    --hash=sha256:0\nhttpx==0.28.1\n", encoding="utf-8")
    assert {path.split("/")[1].split(".")[0] for path in package_docs(lock)} == {
        "pydantic",
        "httpx",
    }


def test_writing_twice_gives_the_same_bytes(sample: SampleSummary, tmp_path: Path) -> None:
    again = write_sample(tmp_path)
    for name, folder in sample.sources.items():
        assert contents(again.sources[name]) == contents(folder)
    assert again.files == sample.files


def test_writing_again_touches_only_what_is_wrong(tmp_path: Path) -> None:
    first = write_sample(tmp_path)
    samples = first.sources["samples"]
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()}
    damaged, gone = samples / "handbook/tide-tables.md", samples / "records/fees.csv"
    damaged.write_text("overwritten", encoding="utf-8")
    gone.unlink()
    again = write_sample(tmp_path)
    assert (again.written, again.removed) == (2, 0)
    assert damaged.read_text(encoding="utf-8").startswith("# How to read")
    changed = {damaged, gone, *tmp_path.glob(".written-*.json")}
    assert all(file.stat().st_mtime_ns == at for file, at in before.items() if file not in changed)


def test_outdated_files_go_and_those_of_people_stay(tmp_path: Path) -> None:
    docs = write_sample(tmp_path).sources["docs"]
    manifest = tmp_path / ".written-docs.json"
    listed = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps([*listed, "packages/retired.md"]), encoding="utf-8")
    (docs / "packages/retired.md").write_text("of an earlier release", encoding="utf-8")
    (docs / "mine.md").write_text("a file of a person", encoding="utf-8")
    assert write_sample(tmp_path).removed == 1
    assert not (docs / "packages/retired.md").exists()
    assert (docs / "mine.md").exists()


def test_every_format_can_be_read_and_one_file_is_broken(sample: SampleSummary) -> None:
    folder = sample.sources["samples"]
    types, broken = set(), {}
    with Extractor() as extractor:
        for path in sorted(contents(folder)):
            if path.endswith("meta.json") or path.startswith("records/"):
                continue
            try:
                extracted = extractor.extract_file(folder / path, path)
            except BadInput as error:
                broken[path] = error.reason
            else:
                types.add(extracted.type)
                assert extracted.text or extracted.members
    assert types == {
        "html", "markdown", "rst", "text", "pdf", "docx", "pptx", "xlsx", "eml", "epub", "zip",
    }  # fmt: skip
    assert list(broken) == ["broken/storm-procedure-upload.pdf"]


def test_copies_are_duplicates_in_the_sense_of_the_pipeline(sample: SampleSummary) -> None:
    folder = sample.sources["samples"]
    visitors = folder / "visitors"
    assert (visitors / "opening-hours.md").read_bytes() == (
        visitors / "opening-hours-copy.md"
    ).read_bytes()
    rows = (folder / "records/notices.jsonl").read_text(encoding="utf-8").splitlines()
    notices = {row["id"]: row for row in map(json.loads, reversed(rows))}
    assert similarity(notices["N-101"]["text"], notices["N-102"]["text"]) >= 0.9
    rules, draft = (
        (visitors / f"harbour-rules{suffix}.md").read_text(encoding="utf-8")
        for suffix in ("", "-draft")
    )
    assert rules != draft
    assert similarity(rules, draft) >= 0.9


def test_two_documents_hold_drawings(sample: SampleSummary) -> None:
    handbook = sample.sources["samples"] / "handbook"
    with Extractor() as extractor:
        for name, near in (("tide-tables.md", "twelfth"), ("pilotage.docx", "leading lights")):
            found = extractor.extract_file(handbook / name, name)
            (picture,) = found.pictures
            assert picture.alt
            assert near in found.text[: picture.start_char].rpartition("\n\n")[2]
