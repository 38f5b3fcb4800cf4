"""All detectors of personal data over one text, and who wins where they overlap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from include.models import Mention
from include.review.addresses import find_addresses, find_codes
from include.review.names import (
    find_entities,
    find_letterheads,
    find_listed,
    find_repeated,
    find_stated,
    find_supposed,
    find_titles,
)
from include.review.numbers import find_numbers
from include.review.spans import Span, Taken, standing
from include.safety.plain import Plain, plain

PERSONAL_DATA = frozenset(
    {
        "email", "phone", "credit_card", "iban", "national_id", "passport", "driving_licence",
        "ip_address", "url", "date_of_birth", "date", "age", "postal_code", "username",
        "street_address", "title", "person_name", "organisation", "place", "group",
    }
)  # fmt: skip
"""Names of the detectors, as a policy uses them."""

_QUOTED = re.compile(r"^[>|][>| ]{0,20}", re.MULTILINE)


def find_identifying(text: str, entities: Sequence[Mention] = ()) -> list[Span]:
    """Return what identifies somebody, ascending and without overlaps.

    What has a form wins over an address, an address over a name, a name that the text states over
    an entity of the model, and an entity over a name by weaker signs.

    Args:
        text: anything, taken as it reads (``plain``); the time is linear in its length.
        entities: the mentions that are stored for this very text.

    Raises:
        ValueError: an entity lies outside the text.
    """
    shown = plain(text)
    # The signs of quoted mail stand in the middle of addresses.
    read = _QUOTED.sub(lambda match: " " * len(match[0]), shown.text)
    taken = Taken(len(read))
    numbers = list(find_numbers(read))
    addresses = list(find_addresses(read))
    streets = [span for span in addresses if span.detector == "street_address"]
    taken.add(span for span in numbers if span.score >= 0.9)
    taken.add(streets)
    taken.add(numbers)
    taken.add(addresses)
    taken.add(find_titles(read))
    stated = [*find_stated(read), *find_letterheads(read, streets)]
    named = list(find_entities(read, _shown(text, shown, entities)))
    taken.add(stated)
    taken.add(find_listed(read, [*stated, *named]))
    taken.add(named)
    taken.add(find_supposed(read))
    taken.add(find_repeated(read, taken.spans))
    taken.add(find_codes(read, [span for span in taken.spans if span.detector == "place"]))
    return standing(shown, taken.spans)


def _shown(text: str, shown: Plain, entities: Sequence[Mention]) -> Iterator[Mention]:
    """Yield the mentions where they are to be read, without those that show nothing."""
    for mention in entities:
        if not 0 <= mention.start_char < mention.end_char <= len(text):
            raise ValueError("an entity lies outside the text that it was found in")
        start, end = shown.reads(mention.start_char, mention.end_char)
        if start < end:
            yield replace(mention, start_char=start, end_char=end)
