"""Words that turn a statement round: evidence for one is evidence against the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from include.lexical import term_counts

_PAIRS = """
increase/decrease increased/decreased rise/fall rose/fell rising/falling grow/shrink gain/lose
gain/loss higher/lower high/low highest/lowest more/less most/least above/below over/under
before/after earlier/later early/late first/last begin/end start/end start/stop open/close
opens/closes opened/closed open/shut open/closed include/exclude allow/forbid allowed/forbidden
permitted/prohibited permit/prohibit accept/reject accepted/rejected approve/reject enable/disable
enabled/disabled add/remove buy/sell bought/sold import/export win/lose won/lost pass/fail
succeed/fail success/failure true/false right/left right/wrong north/south east/west
northern/southern eastern/western inside/outside internal/external up/down upper/lower
upward/downward in/out arrive/depart arrival/departure public/private free/charged cheap/expensive
safe/dangerous hot/cold warm/cold dry/wet light/dark day/night summer/winter spring/autumn
spring/neap new/old old/young long/short large/small big/small wide/narrow deep/shallow fast/slow
strong/weak heavy/light full/empty minimum/maximum minimal/maximal best/worst better/worse
positive/negative optional/compulsory optional/mandatory optional/required possible/impossible
same/different legal/illegal valid/invalid male/female men/women parent/child morning/evening
improve/worsen improved/worsened accelerate/slow expand/contract strengthen/weaken profit/loss
bullish/bearish optimistic/pessimistic confirm/deny confirmed/denied support/oppose agree/disagree
innocent/guilty promote/inhibit activate/inhibit activation/inhibition upregulate/downregulate
always/never everybody/nobody everyone/nobody everything/nothing daily/weekly weekly/monthly
monthly/yearly hour/minute hours/minutes hour/day hours/days day/week days/weeks week/month
weeks/months month/year months/years metre/kilometre metres/feet million/billion thousand/million
"""

_DUTY = re.compile(
    r"\b(?:must|required?|requires|obliged|compulsory|mandatory|have to|has to)\b", re.I
)
_CHOICE = re.compile(r"\b(?:may|might|can|could|should|optional\w*|voluntar\w+)\b", re.I)


def makes_a_duty(claim: str, evidence: str) -> bool:
    """Tell whether a claim says "must" where the evidence says "may" or "should"."""
    return bool(_DUTY.search(claim) and not _DUTY.search(evidence) and _CHOICE.search(evidence))


def contradicts(
    claim: Mapping[str, frozenset[int]], evidence: Mapping[str, frozenset[int]]
) -> bool:
    """Tell whether a claim has a word whose opposite alone stands in the evidence.

    Args:
        claim: words of the claim to their lexical terms.
        evidence: the same of the evidence.
    """
    said = frozenset().union(*claim.values()) if claim else frozenset()
    known = frozenset().union(*evidence.values()) if evidence else frozenset()
    return any(
        term not in known and not _opposites().get(term, frozenset()).isdisjoint(known - said)
        for term in said
    )


@cache
def _opposites() -> dict[int, frozenset[int]]:
    table: dict[int, frozenset[int]] = {}
    for pair in _PAIRS.split():
        one, other = (frozenset(term_counts(word)) for word in pair.split("/"))
        for terms, against in ((one, other), (other, one)):
            for term in terms:
                table[term] = table.get(term, frozenset()) | against
    return table
