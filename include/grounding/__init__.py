"""What a sentence claims and whether a text bears it out, for answers and for summaries alike.

It reads words, numbers, names, negations and opposites. A model for entailment can be put beside
them. Nothing here knows of passages, documents' stores or services.
"""

from include.grounding.claims import Claim, fold, numbers_in, read_claim, word_terms
from include.grounding.entailment import CrossEncoder, Entailment
from include.grounding.opposites import contradicts

__all__ = [
    "Claim",
    "CrossEncoder",
    "Entailment",
    "contradicts",
    "fold",
    "numbers_in",
    "read_claim",
    "word_terms",
]
