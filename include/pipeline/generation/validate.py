"""Validation of what a run generated and published, which withholds the asset."""

from __future__ import annotations

import logging

from include import validation
from include.pipeline.validate import ValidationError, describe
from include.store import generation
from include.store.database import Connection

logger = logging.getLogger(__name__)

_ITEMS_A_FRAME = 5000


def validate(connection: Connection, run_id: str) -> int:
    """Check the requests and results of a run, and the rows of the warehouse that came of them.

    Returns:
        How many items were checked.

    Raises:
        ValidationError: something does not hold; the text names documents.
    """
    import pandas as pd

    checked = 0
    problems = []
    for page in generation.measures(connection, run_id, _ITEMS_A_FRAME):
        checked += len(page)
        frame = pd.DataFrame(page)
        problems += [
            describe(failure.expectation, failure.doc_ids)
            for failure in validation.check_generated(frame)
        ]
    if problems:
        raise ValidationError("Generated data failed validation. " + " ".join(problems))
    logger.info("checked %s results", checked)
    return checked
