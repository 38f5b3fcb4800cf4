"""Documentation that ships inside the installed packages: real documents without a download."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from include.settings import ROOT

LARGEST = 5_500
"""Characters kept of a document, which end with a paragraph."""

_SMALLEST = 1_200
_LARGEST_FILE = 60_000
_FILES_A_PACKAGE = 4
_SUFFIXES = {"text/markdown": ".md", "text/x-rst": ".rst", "text/plain": ".txt"}
# Legal texts, templates to be filled in, and vendored or generated pages are no reading matter.
_SKIPPED = re.compile(
    r"licen[cs]e|copying|notice|authors|template|third.?party|vendor|changelog|changes|history"
    r"|/dist/|/out/|node_modules|/static/|\.dist-info/|/tests?/|/i18n/",
    re.IGNORECASE,
)
_GUIDE = re.compile(r"^([^\",\n]+\.(?:md|rst)),", re.MULTILINE | re.IGNORECASE)
_RST = re.compile(r"^(?:[=\-~^*#]{4,}|\.\. \S+)", re.MULTILINE)
_MARKDOWN = re.compile(r"^(?:#{1,4} |```)|\]\(http", re.MULTILINE)


def package_docs(lock: Path = ROOT / "requirements.txt") -> dict[str, bytes]:
    """Return the documents of the locked packages as path to content.

    Long descriptions go to ``packages/``, Markdown and reStructuredText files that a package holds
    to ``guides/``. The choice depends on the packages and their versions alone; whatever else is
    installed beside the lock plays no part.

    Args:
        lock: requirements with a version each.

    Returns:
        UTF-8 texts of at most ``LARGEST`` characters, ordered by path.
    """
    locked = {
        _normalised(name)
        for name in re.findall(r"^([\w.-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE)
    }
    found: dict[str, bytes] = {}
    for distribution in distributions():
        name = _normalised(distribution.metadata["Name"] or "")
        if name in locked:
            documents = (*_description(name, distribution), *_guides(name, distribution))
            found.update((path, text.encode("utf-8", "replace")) for path, text in documents)
    return dict(sorted(found.items()))


def _description(name: str, distribution: Distribution) -> Iterator[tuple[str, str]]:
    metadata = distribution.metadata.json
    text = _bounded(str(metadata.get("description") or ""))
    if text:
        content_type = str(metadata.get("description_content_type") or "")
        declared = content_type.split(";")[0].strip().lower()
        yield f"packages/{name}{_SUFFIXES.get(declared) or _guessed_suffix(text)}", text


def _guides(name: str, distribution: Distribution) -> Iterator[tuple[str, str]]:
    # The file list itself is read, for building a path object a file takes seconds.
    listed = _GUIDE.findall(distribution.read_text("RECORD") or "")
    kept = 0
    for path in sorted(path for path in listed if not _SKIPPED.search(f"/{path}")):
        file = Path(str(distribution.locate_file(path)))
        if kept == _FILES_A_PACKAGE:
            return
        if file.is_file() and _SMALLEST <= file.stat().st_size <= _LARGEST_FILE:
            text = _bounded(file.read_text(encoding="utf-8", errors="replace"))
            if text:
                kept += 1
                yield f"guides/{name}/{path.replace('/', '-').lower()}", text


def _bounded(text: str) -> str:
    """Cut a text behind its last whole paragraph; empty where it is too short to be worth it."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > LARGEST:
        cut = text.rfind("\n\n", _SMALLEST, LARGEST)
        text = text[: cut if cut > 0 else LARGEST].rstrip()
    return f"{text}\n" if len(text) >= _SMALLEST else ""


def _guessed_suffix(text: str) -> str:
    if _MARKDOWN.search(text):
        return ".md"
    return ".rst" if _RST.search(text) else ".txt"


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
