"""Counting the tokens of any span of a text after tokenising it once."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHARS_PER_TOKEN = 16
"""A span counts as at least one token for so many code points: a line of Base64 can be one
unknown token, and a passage of a megabyte is of no use to anybody."""
_BLOCK = 50_000


def weight(tokens: int, chars: int) -> int:
    """Return what a span of so many tokens and code points counts as, in tokens."""
    by_length = (chars + CHARS_PER_TOKEN - 1) // CHARS_PER_TOKEN
    return tokens if tokens > by_length else by_length


class TokenCounts:
    """Token counts of the spans of one text.

    Args:
        tokenizer: counts as it stands, so it must neither truncate nor pad.
        text: the whole text.
    """

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        self._starts: list[int] = []
        begin = 0
        # In blocks, because the encoding of a whole book takes gigabytes.
        while begin < len(text):
            end = _block_end(text, begin)
            encoding = tokenizer.encode(text[begin:end], add_special_tokens=False)
            self._starts.extend(begin + offset for offset, _ in encoding.offsets)
            begin = end

    def size(self, start: int, end: int) -> int:
        """Return the weight of ``text[start:end]`` in tokens."""
        return weight(self.before(end) - self.before(start), end - start)

    def before(self, at: int) -> int:
        """Return how many tokens begin before ``text[at]``."""
        return bisect_left(self._starts, at)

    def end_within(self, start: int, end: int, budget: int) -> int:
        """Return where to end a piece from ``start``: within ``budget`` tokens, never empty."""
        beyond = self.before(start) + budget
        reached = self._starts[beyond] if beyond < len(self._starts) else end
        reached = min(reached, start + budget * CHARS_PER_TOKEN, end)
        return max(reached, start + 1)


def _block_end(text: str, begin: int) -> int:
    end = begin + _BLOCK
    if end >= len(text):
        return len(text)
    for at in range(end, begin + _BLOCK // 2, -1):
        if text[at].isspace():
            return at
    return end
