"""The sample corpus of ``make demo``."""

from include.platform.sample.corpus import QUERIES, SampleSummary, write_sample

__all__ = ["QUERIES", "SampleSummary", "write_sample"]
