"""From bytes to characters: byte-order marks, declared and guessed encodings."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESS_BYTES = 1 << 18
_TEXT_CONTROLS = frozenset(b"\t\n\v\f\r\x1b\x08")


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode bytes: by their mark, as UTF-8, as declared, by guess, and never in vain.

    UTF-8 goes before the declaration, for text that is valid UTF-8 by accident hardly exists,
    while wrong declarations are common.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    wide = wide_encoding(data)
    if wide:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3 or _mostly_utf8(data):
            return data.decode("utf-8", "replace")
    codec = _text_codec(declared)
    if codec:
        return data.decode(codec, "replace")
    return data.decode(_guess(data), "replace")


def wide_encoding(data: bytes) -> str | None:
    """Tell UTF-16 without a mark by where its zero bytes lie; None for everything else."""
    sample = data[:4096]
    pairs = len(sample) // 2
    if pairs < 2 or b"\0" not in sample:
        return None
    even, odd = sample[0 : 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
    if odd > 0.4 * pairs and even < 0.02 * pairs:
        return "utf-16-le"
    if even > 0.4 * pairs and odd < 0.02 * pairs:
        return "utf-16-be"
    return None


def looks_like_text(data: bytes) -> bool:
    """Tell text in any encoding from binary data, by control bytes near the beginning."""
    if any(data.startswith(mark) for mark, _ in _MARKS) or wide_encoding(data):
        return True
    sample = data[:8192]
    controls = sum(1 for byte in sample if byte < 32 and byte not in _TEXT_CONTROLS)
    if controls <= len(sample) // 500:
        return True
    try:
        # Cut at a character: the sample may end within one.
        sample[: sample.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return controls <= len(sample) // 10


def _mostly_utf8(data: bytes) -> bool:
    """True where a few broken bytes stand in text with many multi-byte characters of UTF-8."""
    sample = data[:_GUESS_BYTES].decode("utf-8", "replace")
    broken = sample.count("\ufffd")
    wide = len(re.findall(r"[\u0080-\ufffc]", sample))
    return wide > 10 * broken


def _text_codec(name: str | None) -> str | None:
    if not name:
        return None
    # What the web calls Latin-1 is read as its superset, as browsers do.
    name = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252"}.get(
        name.strip().lower(), name.strip()
    )
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # UTF-8 was tried; of codecs such as base64 the input is not text.
    return codec.name if codec._is_text_encoding and not codec.name.startswith("utf") else None


def _guess(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_GUESS_BYTES]).best()
    return _text_codec(best.encoding if best else None) or "cp1252"
