"""The real-time side: understand a query, retrieve passages, fuse and render them.

Imports neither Airflow nor a web framework, so that a command line, a service and a notebook
can all use it.
"""

from include.query.batching import QueryEmbedder
from include.query.connections import AsyncPool
from include.query.errors import InvalidQueryError
from include.query.filters import Filters, parse_filters
from include.query.rerank import Reranker
from include.query.results import Document, Entity, Facets, Hit, Mode, Passage, SearchResult
from include.query.searcher import Searcher

__all__ = [
    "AsyncPool",
    "Document",
    "Entity",
    "Facets",
    "Filters",
    "Hit",
    "InvalidQueryError",
    "Mode",
    "Passage",
    "QueryEmbedder",
    "Reranker",
    "SearchResult",
    "Searcher",
    "parse_filters",
]
