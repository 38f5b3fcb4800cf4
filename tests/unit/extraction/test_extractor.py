from pathlib import Path

import pytest

from include import extraction
from include.errors import BadInput
from include.extraction import Extractor, Limits, expected_parser, parser_versions
from include.extraction.wire import from_reply
from include.sandbox import Reply

SOUND = {
    "title": "T",
    "type": "text",
    "parser": "text/1",
    "headings": [],
    "pages": [],
    "stated_at": None,
    "metadata": {},
    "members": [],
    "pictures": [],
}
WEBP = b"RIFF\0\0\0\0WEBP"


def test_a_file_that_takes_too_much_memory_costs_itself_alone(tmp_path: Path) -> None:
    good, hostile = tmp_path / "good.txt", tmp_path / "hostile.html"
    good.write_text("All is well.")
    hostile.write_text("<html>" + "<p>a" * 3_000_000)
    with Extractor(Limits(memory_mb=150, seconds=60)) as extractor:
        assert extractor.extract_file(good, "good.txt").text == "All is well."
        with pytest.raises(BadInput) as caught:
            extractor.extract_file(hostile, "hostile.html")
        assert caught.value.reason == "parser_memory"
        assert extractor.extract_file(good, "good.txt").text == "All is well."


def test_too_large_a_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(3 << 20)
    with Extractor(Limits(files_mb=2)) as extractor, pytest.raises(BadInput) as caught:
        extractor.extract_file(path, "large.txt")
    assert caught.value.reason == "too_large"
    assert "TIDEMARK_MAX_FILE_MB" in caught.value.detail


def test_a_stored_parser_can_be_compared_with_todays() -> None:
    assert expected_parser("html") == parser_versions()["html"]
    assert expected_parser("abacus") is None
    with Extractor(Limits(memory_mb=512)) as extractor:
        assert extractor.extract_bytes(b"x", "a.txt").parser == expected_parser("text")


def test_the_version_of_the_registry_follows_its_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    from include.extraction import registry

    assert registry._registry_version() == extraction.PARSER_VERSION
    newer = registry.FORMATS | {"html": registry.Format("html", 99)}
    monkeypatch.setattr(registry, "FORMATS", newer)
    assert registry._registry_version() != extraction.PARSER_VERSION


@pytest.mark.parametrize(
    "reply",
    [
        Reply(None),
        Reply([]),
        Reply({"title": "T"}),
        Reply(SOUND | {"headings": [[1, 0, 99]]}, "text"),
        Reply(SOUND | {"headings": [[1, 3, 2]]}, "text"),
        Reply(SOUND | {"pages": [-1]}, "text"),
        Reply(SOUND | {"stated_at": "soon"}, "text"),
        Reply(SOUND | {"metadata": "x"}, "text"),
        Reply(SOUND | {"members": ["a"]}, "text"),
        Reply(SOUND, "te\0xt"),
        Reply(SOUND, "text", (WEBP,)),
        Reply(SOUND | {"pictures": [[0, "", "", 9, 9]]}, "text"),
        Reply(SOUND | {"pictures": [[0, "", "", 9, 9]]}, "text", (b"<svg>",)),
        Reply(SOUND | {"pictures": [[9, "", "", 9, 9]]}, "text", (WEBP,)),
        Reply(SOUND | {"pictures": [[0, "", "", 9, 801]]}, "text", (WEBP,)),
        Reply(SOUND | {"pictures": [[0, "", "", 9, 9]] * 30}, "text", (WEBP,) * 30),
        Reply(SOUND | {"pictures": [[0, "", "", 9, 9]]}, "text", (WEBP + b"\0" * 200_000,)),
    ],
)
def test_nonsense_from_a_worker_costs_one_document(reply: Reply) -> None:
    with pytest.raises(BadInput) as caught:
        from_reply(reply)
    assert caught.value.reason == "parser_crashed"


def test_what_a_worker_sends_can_be_stored() -> None:
    deep: object = "end"
    for _ in range(50):
        deep = [deep]
    metadata = {"a\0b": "c\0d\ud800", "n": float("inf"), "deep": deep, "ok": [1, None, True]}
    sent = from_reply(Reply(SOUND | {"title": "T\0\n2", "metadata": metadata}, "text"))
    assert sent.title == "T 2"
    assert sent.metadata["ab"] == "cd\ufffd"
    assert sent.metadata["n"] is None
    assert "end" not in str(sent.metadata["deep"])
    assert sent.metadata["ok"] == [1, None, True]
