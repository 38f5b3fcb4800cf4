"""Street addresses, and the places and postal codes that follow them.

Forms of many countries: a number before or behind a street's name, a word for *street* apart from
the name, in front of it or as its ending, post boxes, and the parts of a building.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from include.review.spans import Span

# A word as names are written: it begins with no small letter, whatever the alphabet.
_NAME = r"(?:(?![a-zß-öø-ÿ])[^\W\d_][\w'\u2019\u2206.-]{0,30})"
_SMALL = r"(?:of|the|de|del|della|di|da|do|dos|das|la|le|les|du|des|van|den|der|von|zu|y|e|et)"
_NAMES = rf"{_NAME}(?:\ (?:{_SMALL}\ ){{0,2}}{_NAME}){{0,4}}"
_NUMBER = r"\d{1,6}(?:[/-]\d{1,4})?[a-zA-Z]?"
_WORDS_FOR_STREET = """
    street road avenue boulevard lane drive court crescent terrace square highway parkway circle
    trail turnpike alley walk close mews row garden grove esplanade expressway freeway loop way
    place plaza parade route point harbor harbour gateway crossroad crossing cove union prairie
    park path bridge bypass causeway center centre common corner course creek estate ferry field
    ford forge fork fort glen green heights hill hollow inlet island junction key knoll lake landing
    manor meadow mill mission motorway mount mountain neck orchard oval overpass passage pike pine
    plain port quay ramp ranch rapid ridge river shoal shore spring spur station stream summit
    throughway tunnel underpass valley viaduct view village ville vista wall well wharf
"""
_STREET = (
    rf"(?:(?:{'|'.join(word.capitalize() for word in _WORDS_FOR_STREET.split())})s?"
    r"|St|Rd|Ave|Av|Blvd|Ln|Dr|Ct|Cres|Ter|Sq|Hwy|Pkwy|Cir|Trl|Pl|str|street|road|avenue|lane|drive"
    r"|boulevard|terrasse|allé|plass|torg|Strasse|Straße|Allee|Weg|Platz|Gasse)\b\.?"
)
_BEFORE = (
    r"(?:Rue|Boulevard|Avenue|Av\.|Ave\.|Chemin|Impasse|Quai|Route|Allée|Via|Viale|Piazza|Corso"
    r"|Strada|Vicolo|Largo|Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Carrera|Camino|Ronda|Rambla|Rua"
    r"|Travessa|Praça|Quinta|Ulica|ulica|ul\.|Aleja|al\.|os\.|pl\.|Trg|Λεωφόρος|Λ\.|Οδός)"
)
_ENDING = (
    r"(?:stra(?:ss|ß)e|str\.|gasse|weg|platz|allee|damm|ufer|gade|vej|vænget|stræde|plads|gata|gatan"
    r"|vägen|gränd|veien|vegen|katu|tie|kuja|straat|laan|plein|gracht|kade|dijk|hof|singel|stræti"
    r"|gerði|vegur|braut|holt|terrasse|utca|ulica)"
)
_AFTER = r"(?:utca|útja?|tere?|körút|u\.|str\.?|sokak|sk\.)"
_UNIT = (
    r"(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Room|Rm|Building|Bldg|Door|Box|Top|Stair)"
    r"\.?\ ?\#?\ ?\d{1,5}[A-Za-z]?"
)
_CORES = (
    rf"(?:{_NUMBER},?\ )?(?:{_NAME}\ ){{1,4}}{_AFTER}\ {_NUMBER}\b\.?",
    rf"(?:{_NUMBER},?\ ){{1,2}}(?:{_SMALL}\ )?{_NAMES}\ {_STREET}",
    rf"{_NUMBER}\ (?:[^\W\d_]{{2,20}}\ ){{1,3}}(?:street|road|avenue|lane|drive|boulevard)\b",
    rf"(?:{_NUMBER},?\ )?{_BEFORE}\ (?:{_SMALL}\ ){{0,2}}{_NAMES}(?:,?\ {_NUMBER})?",
    rf"(?:{_NUMBER},?\ )?(?:{_NAME}\ ){{0,3}}(?![a-zß-öø-ÿ])\w{{1,30}}{_ENDING}\ {_NUMBER}",
    rf"\d{{2,6}}\ {_NAMES}\ {_NUMBER}",
    rf"\d{{2,6}}\ {_NAMES}(?=,?\s{{1,4}}{_UNIT})",
    r"(?:PSC|CMR|Unit)\ \d{1,5},?\ Box\ \d{1,5}",
    rf"(?:USS|USNS|USNV|USCGC)\ {_NAME}(?=,?\s{{1,4}}[AFD]PO\b)",
    r"(?i:P\.?\ ?O\.?\ Box|Postfach|Apartado|Casilla)\ \d{1,6}",
)
_ADDRESS = re.compile(
    rf"(?<![\w.,/-])(?:{'|'.join(f'(?:{core})' for core in _CORES)})"
    rf"(?:\ {_NAMES}(?=,?\s{{1,4}}{_UNIT}))?(?:,?\s{{1,8}}{_UNIT}){{0,2}}(?!\w)",
    re.VERBOSE,
)
_CORNER = re.compile(
    rf"\b(?:corner|intersection)\ of\ ((?:{_NUMBER}\ )?{_NAMES}(?:\ {_NUMBER})?(?:\ {_STREET})?"
    rf"\ (?:and|&)\ {_NAMES}(?:\ {_NUMBER}|\ {_STREET})?)",
    re.VERBOSE,
)
_NO_STREET = re.compile(
    r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|January|February|March|April|June|July"
    r"|August|September|October|November|December|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday"
    r"|Sunday|AM|PM|Version|Chapter|Section|Page|Figure|Table|Step|Part|Volume|Windows|Python|Level"
    r"|Phase|Grade|Article|Session|Day|Week|Group|Class|Type|Model|Act)\b"
)
_SURE = re.compile(rf"(?:{_STREET}|{_BEFORE}|{_ENDING}|{_AFTER}|{_UNIT}|Box|US)", re.VERBOSE)
_NEXT = re.compile(
    r"\s{0,4}[,\n\r]\s{0,8}(?:(?P<code>(?:[A-Z]{1,2}-)?\d{4,6}(?:-\d{3,4})?)\ (?=[^\W\d_]))?"
    rf"(?P<place>{_NAMES}(?:\ \({_NAME}\))?)(?=[\s,.;)?!]|$)",
    re.VERBOSE,
)
_CODE = re.compile(
    r"[\s,]{1,10}(?P<code>(?:[A-Z]{1,2}-)?\d{4,6}(?:[ -]\d{3,4})?|\d{3} \d\d|\d{2,3}(?= \d{5}\b))"
    r"(?![\w/:]|[.,-]\d)"
)
_YEAR = re.compile(r"(?:1[89]|20)\d\d$")
_OTHER_LINE = re.compile(
    r"(?:The|This|That|It|I|He|She|We|You|They|Please|Phone|Tel|Fax|Email|E-mail|Regards|Thanks"
    r"|Dear|Hi|Hello|Card|Website)\b"
)
_MOST_LINES = 5


def find_addresses(text: str) -> Iterator[Span]:
    """Yield street addresses, and behind each the places and postal codes of its lines.

    The detectors are ``street_address``, ``place`` and ``postal_code``; corners of two streets
    come first. The time is linear.
    """
    for match in _CORNER.finditer(text):
        yield Span("street_address", *match.span(1), 0.6)
        yield from _continued(text, match.end())
    position = 0
    while found := _ADDRESS.search(text, position):
        if not _plausible(found[0]):
            position = found.start() + 1
            continue
        position = found.end()
        yield Span("street_address", *found.span(), 0.85 if _SURE.search(found[0]) else 0.6)
        for span in _continued(text, position):
            position = span.end
            yield span


def find_codes(text: str, places: Iterable[Span]) -> Iterator[Span]:
    """Yield the postal codes right behind places that were found; a year is none."""
    for place in places:
        match = _CODE.match(text, place.end)
        if match and "\n" not in match[0] and not _YEAR.match(match["code"]):
            yield Span("postal_code", *match.span("code"), 0.6)


def _plausible(found: str) -> bool:
    """Tell an address from a date, a heading's number and a count of things."""
    if _NO_STREET.search(found):
        return False
    if _SURE.search(found):
        return True
    first = found.split(" ", 1)[0]
    return first.isdigit() and len(first) >= 3 and not _YEAR.match(first)


def _continued(text: str, position: int) -> Iterator[Span]:
    """Yield the lines of an address behind its street: places and postal codes."""
    for _ in range(_MOST_LINES):
        here = _CODE.match(text, position)
        if here:
            yield Span("postal_code", *here.span("code"), 0.8)
            position = here.end()
            continue
        line = _NEXT.match(text, position)
        if line is None or _OTHER_LINE.match(line["place"]):
            return
        if line["code"]:
            yield Span("postal_code", *line.span("code"), 0.8)
        yield Span("place", *line.span("place"), 0.7)
        position = line.end()
