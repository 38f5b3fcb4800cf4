"""What a sentence claims: its terms, numbers, names, negations and quotations."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from include.lexical import term_counts

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019\-][^\W\d_]+)*")
_TIME = re.compile(r"\b(\d{1,2})(?:[:.](\d\d))?\s*([ap])\.?m\b\.?|\b(\d{1,2}):(\d\d)\b", re.I)
_NUMBER = re.compile(r"\d+(?:[.,\u202f\u00a0']\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:[,\u202f\u00a0']\d{3})+(?:\.\d+)?")
_QUOTE = re.compile(
    r"[\"\u201c\u201e\u00ab]([^\"\u201c\u201d\u201e\u00ab\u00bb]{8,400})[\"\u201d\u201c\u00bb]"
)
_CLAUSE = re.compile(
    r"[;:\u2013\u2014]\s+|,\s+|\s+(?=(?:and|but|because|since|while|whereas|although|unless|until|"
    r"which|who|whose|so that|so|due to|in order to|if|when|after|before|for|by|with|und|aber|weil|"
    r"et|mais|parce que|y|pero|porque)\b)|[\uff0c\uff1b\uff1a]",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r";\s+|,?\s+(?:and|but|while|whereas|und|aber|et|mais|y|pero)\s+|[\uff1b\u3002]", re.IGNORECASE
)
_COUNTED = re.compile(r"[,;]\s+|\s+(?=(?:and|but|while|und|et|y)\s)|[\uff0c\uff1b\u3001]")
_AND = re.compile(r"(?:and|but|und|et|y)\s", re.IGNORECASE)
_LEAST_STATEMENT = 3
_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SPELLED = (
    {word: value for value, word in enumerate(_UNITS) if value != 1}
    | {word: 10 * value for value, word in enumerate(_TENS, start=2)}
    | {"once": 1, "twice": 2}
)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_MULTIPLES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_NEGATIONS = frozenset(
    """
    not no never without nobody none nothing neither nor cannot hardly except excluding unless
    fails failed lacks nicht kein keine keinen ohne nie ne pas jamais sans sin nunca
    """.split()  # ruff: ignore[split-static-string] - a list of quoted words cannot be read
)
_NEGATED = re.compile(r"n['\u2019]t$", re.IGNORECASE)
_NEGATED_HAN = re.compile(r"(?:[\u4e0d\u6ca1\u672a\u975e\u65e0])(.{0,3})")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_REACH = 3
_LIGHT = frozenset(
    """
    according also based document documents passage passages text state states stated mention
    mentions mentioned say says said provide provides provided information given note notes
    specifically include includes including however therefore thus yes per use uses used currently
    located called known named refer refers describes described indicate indicates indicated show
    shows following answer question respectively overall must
    """.split()  # ruff: ignore[split-static-string] - a list of quoted words cannot be read
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one sentence or clause says, as far as that can be told without a model.

    Attributes:
        words: folded content word to its lexical terms; words that carry no claim are left out.
        numbers: as canonical texts: ``4.2``, ``9000``, ``7:30``.
        names: folded words written with a capital inside the sentence.
        negated: for each negation, the terms that follow it closely.
        quotes: what stands between quotation marks, on one line.
    """

    text: str
    words: dict[str, frozenset[int]]
    numbers: frozenset[str]
    names: frozenset[str]
    negated: tuple[frozenset[int], ...]
    quotes: tuple[str, ...]

    @property
    def terms(self) -> frozenset[int]:
        """All its lexical terms."""
        return frozenset().union(*self.words.values()) if self.words else frozenset()


@lru_cache(maxsize=4_096)
def read_claim(text: str) -> Claim:
    """Read a sentence."""
    words: dict[str, frozenset[int]] = {}
    for match in _WORD.finditer(_TIME.sub(" ", text)):
        word, terms = match.group(), word_terms(match.group())
        if _UNSPACED.search(word):  # a run of characters: each pair of them is a word
            words.update((str(term), frozenset({term})) for term in terms)
        elif terms and fold(word) not in _LIGHT and word.casefold() not in _SPELLED:
            words[fold(word)] = terms
    quotes = tuple(" ".join(found.split()) for found in _QUOTE.findall(text))
    return Claim(text, words, numbers_in(text), _names(text), _negated(text), quotes)


def clauses(text: str) -> list[str]:
    """Return the clauses of a sentence; pieces of less than two words join what follows."""
    pieces: list[str] = []
    held = ""
    for piece in _CLAUSE.split(text):
        held = f"{held} {piece}".strip()
        if len(_content(held)) >= 2:
            pieces.append(held)
            held = ""
    if held and pieces:
        pieces[-1] = f"{pieces[-1]} {held}"
    return pieces or [text]


def parts(text: str) -> list[str]:
    """Return the statements that a sentence joins by "and" and its like."""
    pieces: list[str] = []
    for piece in _JOINT.split(text):
        if pieces and min(len(_content(piece)), len(_content(pieces[-1]))) < _LEAST_STATEMENT:
            pieces[-1] = f"{pieces[-1]} {piece}"
        else:
            pieces.append(piece)
    return pieces


@dataclass(frozen=True, slots=True)
class Counted:
    """A piece of a sentence that says something of a number of its own.

    Attributes:
        shared: terms that it leaves out because the sentence said them before.
    """

    numbers: frozenset[str]
    terms: frozenset[int]
    shared: frozenset[int]


def counted(text: str) -> list[Counted]:
    """Return the pieces of a sentence that say something of different numbers.

    "It opens at 6:00 and closes at 22:00" has two. The second goes without its subject, so what
    stands before the first number is its as well; a piece with a subject of its own gets nothing.
    """
    pieces: list[str] = []
    for piece in _COUNTED.split(text):
        if pieces and not (numbers_in(piece) and numbers_in(pieces[-1])):
            pieces[-1] = f"{pieces[-1]} {piece}"
        else:
            pieces.append(piece)
    leading = frozenset(term_counts(before_number(pieces[0])))
    found = []
    for place, piece in enumerate(pieces):
        own = [word for word in _content(before_number(piece)) if fold(word) not in _LIGHT]
        bare = not own or (len(own) == 1 and _AND.match(piece) is not None and own[0][0].islower())
        found.append(
            Counted(
                numbers_in(piece),
                read_claim(piece).terms,
                leading if place and bare else frozenset(),
            )
        )
    return found


def before_number(text: str) -> str:
    """Return what stands before the first number of a text."""
    for match in re.finditer(r"\S+", text):
        if numbers_in(match.group()):
            return text[: match.start()]
    return text


def numbers_in(text: str) -> frozenset[str]:
    """Return the numbers of a text in one spelling: figures, words up to billions, times."""
    found: set[str] = set()

    def take_time(match: re.Match[str]) -> str:
        hour, minute = int(match[1] or match[4]), match[2] or match[5] or "00"
        if match[3]:
            hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
        found.add(f"{hour}:{minute}")
        return " "

    rest = _TIME.sub(take_time, unicodedata.normalize("NFKC", text))
    found.update(_canonical(match) for match in _NUMBER.findall(rest))
    found.update(_spelled(rest))
    return frozenset(found)


def word_terms(word: str) -> frozenset[int]:
    """Return the lexical terms of a word; none for a stop word."""
    return frozenset(term_counts(word))


def fold(word: str) -> str:
    """Fold case and accents."""
    decomposed = unicodedata.normalize("NFKD", word).casefold()
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _content(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word_terms(word)]


def _canonical(number: str) -> str:
    if _THOUSANDS.fullmatch(number):
        number = re.sub(r"[,\u202f\u00a0']", "", number)
    elif number.count(",") == 1 and "." not in number:
        number = number.replace(",", ".")
    if number.count(".") == 1:
        number = number.rstrip("0").rstrip(".")
    whole, point, rest = number.partition(".")
    return f"{whole.lstrip('0') or '0'}{point}{rest}"


def _spelled(text: str) -> set[str]:
    """Return numbers that are written as words: ``forty-five``, ``two hundred``."""
    found, held = set(), 0
    for word in re.findall(r"[a-z]+", text.casefold()):
        if word in _ORDINALS:
            found.add(f"{_ORDINALS.index(word) + 1}th")
        elif word in _SPELLED:
            value = _SPELLED[word]
            held = held + value if held % 10 == 0 and held >= 20 and value < 10 else value
            if held != value:
                found.discard(str(held - value))
            found.add(str(held))
        elif word in _MULTIPLES and held:
            found.discard(str(held))
            held *= _MULTIPLES[word]
            found.add(str(held))
        else:
            held = 0
    return found


def _names(text: str) -> frozenset[str]:
    """Return capitalised words; the first of a sentence counts where another one follows it."""
    found = set()
    matches = list(_WORD.finditer(text))
    for position, match in enumerate(matches):
        word = match.group()
        if not word[0].isupper() or not word_terms(word):
            continue
        follows = matches[position + 1 : position + 2]
        joined = follows and follows[0].group()[0].isupper() and word_terms(follows[0].group())
        inside = position > 0 and not re.search(r"[.!?:\"\u201c]\s*$", text[: match.start()])
        if inside or joined or any(character.isupper() for character in word[1:]):
            found.add(fold(word))
    return frozenset(found)


def _negated(text: str) -> tuple[frozenset[int], ...]:
    words = _WORD.findall(text)
    found = [word_terms(following) for following in _NEGATED_HAN.findall(text)]
    for position, word in enumerate(words):
        if word.casefold() in _NEGATIONS or _NEGATED.search(word):
            following = [word_terms(later) for later in words[position + 1 :]]
            reached = [terms for terms in following if terms][:_REACH]
            found.append(frozenset().union(*reached) if reached else frozenset())
    return tuple(found)
