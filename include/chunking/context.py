"""What is embedded and indexed: a passage under its document's title and its headings."""

from __future__ import annotations

from collections.abc import Sequence

CONTEXT_BYTES = 200
"""Most UTF-8 bytes of title and headings above a passage.

Bytes, because a token of the common tokenizers covers at least one: the bound is hard without
knowing the tokenizer, and 200 of them are about 45 tokens of English or 66 of Chinese.
"""

HEADING_BYTES = 90
"""What headings may take of that where the title would fill it."""


def embedding_input(title: str, heading_path: Sequence[str], text: str) -> str:
    """Return the string that is embedded and lexically indexed for a passage.

    Title and headings stand on lines of their own above the text. A line that the passage opens
    with is not repeated, nor a heading that says the same as the line above it.

    Args:
        title: title of the document; may be empty.
        heading_path: headings above the passage, outermost first.
        text: the passage.

    Returns:
        The lines, joined by a newline; the text alone where nothing stands above it.
    """
    return "\n".join([*context_lines(title, heading_path, opening_lines(text, heading_path)), text])


def opening_lines(text: str, heading_path: Sequence[str]) -> set[str]:
    """Return the folded first lines of a passage, as many as its title and headings could be."""
    wanted = len(heading_path) + 1
    lines: set[str] = set()
    # The head alone is looked at, so that a long passage is not split into lines.
    for line in text[:2000].splitlines():
        if len(lines) == wanted:
            break
        if line.strip():
            lines.add(_folded(line))
    return lines


def context_lines(title: str, heading_path: Sequence[str], opening: set[str]) -> list[str]:
    """Return title and headings as they stand above a passage, within ``CONTEXT_BYTES``.

    The innermost headings are kept first; what does not fit is cut between words.
    """
    headings: list[str] = []
    for heading in heading_path:
        line = " ".join(heading.split())
        if line and _folded(line) not in opening | {_folded(title), *map(_folded, headings[-1:])}:
            headings.append(line)
    top = " ".join(title.split())
    if _folded(top) in opening:
        top = ""
    wanted = sum(_size(heading) + 1 for heading in headings)
    top = _shortened(top, CONTEXT_BYTES - min(wanted, HEADING_BYTES))
    left = CONTEXT_BYTES - (_size(top) + 1 if top else 0)
    kept: list[str] = []
    for heading in reversed(headings):
        line = _shortened(heading, left)
        if not line:
            break
        kept.insert(0, line)
        left -= _size(line) + 1
        if line != heading:
            break
    return [top, *kept] if top else kept


def _folded(line: str) -> str:
    return " ".join(line.split()).casefold()


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _shortened(line: str, limit: int) -> str:
    if limit <= 0:
        return ""
    data = line.encode("utf-8", "surrogatepass")
    if len(data) <= limit:
        return line
    cut = data[:limit].decode("utf-8", "ignore")
    words = cut.rpartition(" ")[0]
    # A script without spaces has no word to lose.
    return (words if len(words) * 2 > len(cut) else cut).rstrip()
