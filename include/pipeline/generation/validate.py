"""Validation of what a run generated, decided and published, which withholds the asset."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from include import validation
from include.pipeline.validate import ValidationError, describe
from include.store import generation
from include.store.database import Connection

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

Suite = Callable[["pd.DataFrame"], list[validation.Failure]]
_ITEMS_A_FRAME = 5000


def validate(connection: Connection, run_id: str) -> int:
    """Check the requests and results of a run, and the rows of the warehouse that came of them.

    Returns:
        How many items were checked.

    Raises:
        ValidationError: something does not hold; the text names documents.
    """
    return _validate(connection, run_id, validation.check_generated)


def validate_decided(connection: Connection, run_id: str) -> int:
    """Check the rows of the warehouse that a run of the review decided about.

    Returns:
        How many items were checked.

    Raises:
        ValidationError: something does not hold; the text names documents.
    """
    return _validate(connection, run_id, validation.check_decided)


def _validate(connection: Connection, run_id: str, check: Suite) -> int:
    import pandas as pd

    checked = 0
    problems = []
    for page in generation.measures(connection, run_id, _ITEMS_A_FRAME):
        checked += len(page)
        frame = pd.DataFrame(page)
        problems += [describe(failure.expectation, failure.doc_ids) for failure in check(frame)]
    if problems:
        raise ValidationError("Generated data failed validation. " + " ".join(problems))
    logger.info("checked %s results", checked)
    return checked
