"""The reading side: lists a source's files and reads the records in them.

Nothing here decides what is new; that is the comparison with what is stored.
"""

from include.sources.acl import HIDING_REASONS, combine_own, effective_acl, parse_acl
from include.sources.beneath import open_beneath
from include.sources.listing import (
    ListedFile,
    ListingProblem,
    SidecarMetadata,
    record_file_format,
    record_uri,
)
from include.sources.read_guard import ChangedWhileRead, ReadGuard, hash_file
from include.sources.record import BadRecord, Record, RecordOptions, from_json, to_json
from include.sources.records import iterate, read_open, read_records
from include.sources.uris import SourceReader, normalise_uri, open_source, register

__all__ = [
    "HIDING_REASONS",
    "BadRecord",
    "ChangedWhileRead",
    "ListedFile",
    "ListingProblem",
    "ReadGuard",
    "Record",
    "RecordOptions",
    "SidecarMetadata",
    "SourceReader",
    "combine_own",
    "effective_acl",
    "from_json",
    "hash_file",
    "iterate",
    "normalise_uri",
    "open_beneath",
    "open_source",
    "parse_acl",
    "read_open",
    "read_records",
    "record_file_format",
    "record_uri",
    "register",
    "to_json",
]
