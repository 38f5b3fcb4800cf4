"""Names in a query that may be entities of the corpus: whatever runs of words could be one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from include.enrichment.entities import normalised_name
from include.lexical import query_terms
from include.query.results import Entity

_LONGEST = 6
_MOST_WORDS = 40
_WORD = re.compile(r"\S+")


def possible_names(text: str) -> list[str]:
    """Return the normalised names that up to six neighbouring words of a query could be.

    Runs that begin or end in a function word ("of", "the") are none, apart from an article, which
    names are normalised without. Only the first 40 words are read.
    """
    words = _WORD.findall(text)[:_MOST_WORDS]
    weighty = [bool(query_terms(word)) for word in words]
    names: dict[str, None] = {}
    for start in range(len(words)):
        for end in range(start + 1, min(start + _LONGEST, len(words)) + 1):
            if weighty[start] and weighty[end - 1]:
                name = normalised_name(" ".join(words[start:end]))
                if len(name) >= 2:
                    names[name] = None
    return list(names)


def longest(text: str, found: Sequence[Entity]) -> tuple[Entity, ...]:
    """Return the entities of a query, without those whose name is part of a longer one found.

    "new york times" leaves "new york" out, unless the query names it elsewhere too. An entity whose
    name is one common word in lower case ("may", "apple") is kept only where the query writes it
    with a capital.
    """
    read = normalised_name(text)
    kept: list[Entity] = []
    for entity in sorted(found, key=lambda entity: (-len(entity.name), entity.label)):
        name = entity.name.casefold()
        if name in read and _written_as_name(text, name):
            kept.append(entity)
            if not any(other.name.casefold() == name for other in found if other is not entity):
                read = read.replace(name, " " * len(name))
    return tuple(kept)


def _written_as_name(text: str, name: str) -> bool:
    from include.query.understanding.spelling import is_word

    if " " in name or not is_word(name):
        return True
    spelled = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)
    return spelled is not None and spelled[0][0].isupper() and spelled.start() > 0
