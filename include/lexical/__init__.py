"""The lexical leg's analyser: text to BM25 terms, the same for passages and for queries."""

from include.lexical.analysis import LEXICAL_VERSION, query_terms, term_counts
from include.lexical.weights import K1, B, impacts

__all__ = ["K1", "LEXICAL_VERSION", "B", "impacts", "query_terms", "term_counts"]
