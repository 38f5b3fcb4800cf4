"""Words that say that a name follows, or that one stood before, and whose."""

from __future__ import annotations

import re

# A word as names are written: it begins with no small letter, whatever the alphabet.
_NAME = r"(?:(?![a-zß-öø-ÿ])[^\W\d_](?:[\w\u2019'-]{0,30}[^\W_]|\.)?)"
_SMALL = r"(?:de|del|della|di|da|do|dos|van|von|der|den|la|le|bin|al|of)"
_FULL = rf"{_NAME}(?:\ (?:{_SMALL}\ ){{0,2}}{_NAME}){{0,3}}"
_TWO = rf"{_NAME}(?:\ (?:{_SMALL}\ ){{0,2}}{_NAME}){{1,3}}"


def _signs(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Compile patterns in which ``NAME``, ``FULL`` and ``TWO`` stand for names."""
    parts = {"NAME": _NAME, "FULL": _FULL, "TWO": _TWO}
    return tuple(
        re.compile(re.sub(r"\b(?:NAME|FULL|TWO)\b", lambda match: parts[match[0]], pattern), re.X)
        for pattern in patterns
    )


(HONORIFIC,) = _signs(r"""\b
    ((?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Rev|Sir|Dame|Lady|Lord|Hon|Judge|Captain|Capt|Sgt|Lt
    |Herr|Frau|Monsieur|Madame|Mme|Mlle|Señora?|Sra?|Dott|Ing|mr|mrs|ms|dr)\b\.?)\ (FULL)""")
"""A form of address and the name behind it."""

STATED = _signs(
    r"""\b(?:[Mm]y|[Hh]is|[Hh]er|[Tt]heir|[Yy]our|[Tt]he|'s)\ (?:\w{1,12}\ )?[Nn]ame
        (?:\ is|\ was|'s)?[:?.]?\s{1,3}(FULL)""",
    r"\b[Nn]ame\ ?[:=?]\s{1,9}(FULL)",
    r"\b(?:Dear|Hi|Hello|Hey|Attn:?)\ (FULL)(?=[,!.:\n]|$)",
    r"""\b(?:[Rr]egards|[Ss]incerely|[Cc]heers|[Yy]ours|[Ss]igned|Thanks|Best|Love)
        (?:\ [a-z]{1,12})?,?\s{1,6}(FULL)(?=\s{0,3}(?:\n|$))""",
    r"""\b(?:Author|Contact|Patient|Customer|Client|Cardholder|Employee|Owner|From|To|Attn
        |Attendees|Director|Directed\ [Bb]y|Written\ [Bb]y|By|Manager|Tenant|Landlord|Applicant
        |Recipient|Sender|User|[Aa]ddress|[Aa]ddressee):\s{1,9}(TWO)(?=\s{0,3}(?:[\n,.]|$))""",
    r"""\b(?:[Tt]his\ is|[Ii]t's\ under|[Uu]nder|[Ss]peak\ (?:to|with)|[Ii]\ am|I'm)\ (TWO)""",
    r"\b(?:[Cc]alled|[Nn]amed|[Nn]icknamed)\ (FULL)",
)
"""What a form, a letter or a person says to be a name."""

PEOPLE = _signs(
    r"""\b(?:brother|sister|mother|father|mom|dad|wife|husband|son|daughter|friend|colleague|boss
        |partner|uncle|aunt|cousin|nephew|niece|grandmother|grandfather|neighbou?r|assistant\ to
        |founders?:|singer|actor|actress|author|president|patient|nurse|ask\ for|written\ by
        |sung\ by|directed\ by|performed\ by|(?:shouted|yelled|smiled|looked|laughed)\ at
        |(?:spoke|talked|lied|listened)\ to)\ (?:(?:is|was)\ )?(FULL)""",
    r"""\b(?:follow(?:ed)?\ up\ with|meet(?:ing)?\ with|met\ with|speak\ (?:to|with)
        |talk\ (?:to|with)|add|(?:change|correct|transfer|send|assign)\ it\ to)\ (TWO)""",
    r"""\b(FULL)\ (?:lives\ (?:in|at|near)|lived|shouted|replied|spent\ a|whispered|was\ born
        |married|sang|smiled|laughed|cried|died|grew\ up|had\ given|flew)\b""",
    r"""\b(NAME)['\u2019]s\ (?:address|phone|number|e-?mail|name|house|home|wife|husband|kids?
        |mother|father|brother|sister|son|daughter|friend|account|card|birthday|killers?|death
        |career|child|children|boss|partner|parents)\b""",
    r"\b(?:[Aa]n?|[Tt]he)\ (TWO)\ (?:concert|biography|fan|novel|album|song|version)\b",
)
"""What only people do, have or are to each other."""

SPEAKERS = _signs(r"\b(FULL)\ (?:said|says|wrote|writes|asked|told|moved|spoke|works|worked)\b")
"""What people do, and companies as well."""

COMPANIES = _signs(
    r"""\b(NAME(?:(?:,?\ |\ ?&\ |,?\ and\ )NAME){0,4},?\ (?:Inc|Incorporated|Ltd|Limited|LLC|LLP
        |PLC|Plc|plc|Corp|Corporation|Company|GmbH|AG|KG|SE|SA|SAS|SARL|SpA|Srl|BV|NV|AB|ASA|Oy
        |Holdings|Group|Partners|Associates|Industries|Enterprises|Technologies|Systems|Solutions
        |Consulting|Bank|Foundation|Institute|University|and\ Sons|&\ Sons|&\ Co|and\ Co
        |Brothers)\b\.?)""",
    r"\b(NAME,\ NAME\ (?:and|&)\ NAME)(?=\ (?:is|has|was|office)\b)",
    r"""\b(?:work(?:s|ed|ing)?\ (?:for|at)|employed\ (?:by|at)|job\ at|hired\ by|year\ at|joined)
        \ (FULL)""",
    r"\b[Tt]he\ (FULL)\ (?:website|offices?|headquarters|app|team|store|branch)\b",
    r"""\b(FULL)\ is\ (?:an?|the)\ (?:[\w-]{1,15}\ ){0,2}(?:company|multinational|start-?up|firm
        |non-?profit|bank|corporation|provider|manufacturer|retailer|agency|charity)""",
)
"""Forms of companies, and what people say of employers."""

PLACES = _signs(
    r"""\b(?:liv(?:es?|ed|ing)\ (?:in|near)|moved\ (?:here\ |there\ |back\ )?(?:from|to)|born\ in
        |grew\ up\ in|flew\ to|fly(?:ing)?\ to|travel(?:l?ing|l?ed|s)?\ to|trip\ to|based\ in
        |resid(?:es?|ing)\ in|returned\ to|[Cc]oming\ to|located\ in|office\ in|I'm\ in|I\ am\ in
        |citizen\ of|native\ of|(?:originally|am|I'm)\ from|city\ of|home\ (?:city|town)
        |[Ww]here:)\ (FULL)""",
    r"""(?:^|(?<=[.!?]\s))(FULL)\ (?:was|is)\ (?:super|so|really|very|great|an?)\b
        [^.!?\n]{0,20}\bvisit""",
)
"""Where people live, come from and go."""

(LISTED,) = _signs(r"FULL(?:,\ FULL){1,8},?\ (?:and|&|or)\ FULL|FULL\ and\ FULL")
(ITEM,) = _signs(r"FULL")
(LINE,) = _signs(r"(?m:^)[ \t]{0,8}(TWO)[ \t]{0,4}(?m:$)")
