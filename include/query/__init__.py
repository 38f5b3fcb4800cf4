"""The real-time side: understand a query, retrieve passages, fuse and render them.

Imports neither Airflow nor a web framework, so that a command line, a service and a notebook
can all use it.
"""

from include.query.connections import ConnectionPool
from include.query.errors import InvalidQueryError
from include.query.filters import Filters, parse_filters
from include.query.results import Hit, Mode, SearchResult
from include.query.searcher import QueryEmbedder, Searcher

__all__ = [
    "ConnectionPool",
    "Filters",
    "Hit",
    "InvalidQueryError",
    "Mode",
    "QueryEmbedder",
    "SearchResult",
    "Searcher",
    "parse_filters",
]
