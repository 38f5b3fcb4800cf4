"""English function words, which carry no weight in a ranking and cost the most to look up."""

from __future__ import annotations

# Left in on purpose, because they are names too (us, may) or change what is asked for
# (no, not, without). Numerals are content.
STOP_WORDS: frozenset[str] = frozenset(
    """
    a about above after again against all also am an and any are as at
    be because been before being below between both but by
    can could did do does doing down during each either few for from further
    had has have having he her here hers herself him himself his how
    i if in into is it its itself just me more most my myself
    of off on once only or other our ours ourselves out over own
    same shall she should so some such than that the their theirs them themselves then there
    these they this those through to too under until up upon very
    was we were what when where which while who whom whose why will with would
    you your yours yourself yourselves
    aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't mustn't shan't
    shouldn't wasn't weren't won't wouldn't i'm i've i'd i'll you're you've you'd you'll he's
    she's it's we're we've we'd we'll they're they've they'd they'll that's there's what's who's
    let's
    """.split()  # ruff: ignore[split-static-string] - a list of quoted words cannot be read
)
