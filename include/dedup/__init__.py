"""Which documents are copies of which: fingerprints, and the election of canonical documents."""

from include.dedup.deduplication import Candidate, DedupResult, deduplicate
from include.dedup.fingerprint import DEDUP_VERSION, Fingerprint, fingerprint

__all__ = [
    "DEDUP_VERSION",
    "Candidate",
    "DedupResult",
    "Fingerprint",
    "deduplicate",
    "fingerprint",
]
