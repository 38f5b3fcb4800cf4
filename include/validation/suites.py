"""What must hold of documents before and after they are loaded, and of what is generated.

Frames have one row a document and are bounded by the caller; a failing row is named by its
``doc_id``. The import of Great Expectations takes seconds, so few tasks validate.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

LANGUAGE = r"^(?:[a-z]{2,3}|und)$"
NORM_TOLERANCE = 0.01
"""Half precision rounds each of 384 values to eleven bits."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that did not hold.

    Attributes:
        doc_ids: the documents it failed for.
        expectation: a short name of what was expected.
    """

    expectation: str
    doc_ids: tuple[str, ...]


def check_staged(frame: pd.DataFrame) -> list[Failure]:
    """Check documents on their way to the store.

    Args:
        frame: columns ``doc_id, text_length, language, passages, offset_errors, vectors_missing,
            dimension_errors, norm_error`` (one row a document).

    Returns:
        What failed, for which documents; empty when all is well.
    """
    import great_expectations.expectations as gxe

    return _validate(
        frame,
        {
            **_of_every_document(),
            "offsets lie inside the text": _zero("offset_errors"),
            "every passage has a vector": _zero("vectors_missing"),
            "vectors have the model's dimension": _zero("dimension_errors"),
            "vectors have norm 1": gxe.ExpectColumnValuesToBeBetween(
                column="norm_error", max_value=NORM_TOLERANCE
            ),
        },
    )


def check_loaded(frame: pd.DataFrame) -> list[Failure]:
    """Check documents as they stand in the store.

    Args:
        frame: columns ``doc_id, text_length, language, passages, vectors, lexical,
            offset_errors, acl_errors, norm_error`` (one row a document).

    Returns:
        What failed, for which documents; empty when all is well.
    """
    import great_expectations.expectations as gxe

    return _validate(
        frame,
        {
            **_of_every_document(),
            "every passage has a vector": _zero("vectors_missing"),
            "every passage has its terms": _zero("lexical_missing"),
            "passages are the text at their offsets": _zero("offset_errors"),
            "passages carry the document's access list": _zero("acl_errors"),
            "vectors have norm 1": gxe.ExpectColumnValuesToBeBetween(
                column="norm_error", max_value=NORM_TOLERANCE
            ),
        },
    )


def check_generated(frame: pd.DataFrame) -> list[Failure]:
    """Check the requests and results of a generation run, and its rows in the warehouse.

    Args:
        frame: columns ``doc_id, without_outcome, unanswered, without_output, grounded_score,
            cost_usd, unapproved, other_output, acl_errors, outdated, summary_length`` (one row an
            item; the last is null where no summary is published).

    Returns:
        What failed, for which documents; empty when all is well.
    """
    import great_expectations.expectations as gxe

    return _validate(
        frame,
        {
            "there is one result a document": gxe.ExpectColumnValuesToBeUnique(column="doc_id"),
            "every result has an outcome": _zero("without_outcome"),
            "a success has an answered request": _zero("unanswered"),
            "a success has an output": _zero("without_output"),
            "support lies between 0 and 1": gxe.ExpectColumnValuesToBeBetween(
                column="grounded_score", min_value=0, max_value=1
            ),
            "cost is not negative": gxe.ExpectColumnValuesToBeBetween(
                column="cost_usd", min_value=0
            ),
            **_of_published_rows(),
        },
    )


def check_decided(frame: pd.DataFrame) -> list[Failure]:
    """Check the rows that a review run brought into the warehouse, or kept out of it.

    Args:
        frame: as :func:`check_generated` gets it, a row for each decision.

    Returns:
        What failed, for which documents; empty when all is well.
    """
    return _validate(frame, _of_published_rows())


def _of_published_rows() -> dict[str, Any]:
    """Return what must hold of the rows that analysts see."""
    import great_expectations.expectations as gxe

    return {
        "what is published is clean or approved": _zero("unapproved"),
        "what is published is what was judged": _zero("other_output"),
        "published rows carry the document's access list": _zero("acl_errors"),
        "published rows are of the current version": _zero("outdated"),
        "a published summary is not empty": gxe.ExpectColumnValuesToBeBetween(
            column="summary_length", min_value=1
        ),
    }


def _of_every_document() -> dict[str, Any]:
    """Return what must hold of a document before and after it is loaded."""
    import great_expectations.expectations as gxe

    return {
        "ids are unique": gxe.ExpectColumnValuesToBeUnique(column="doc_id"),
        "text is not empty": gxe.ExpectColumnValuesToBeBetween(column="text_length", min_value=1),
        "language is a code or und": gxe.ExpectColumnValuesToMatchRegex(
            column="language", regex=LANGUAGE
        ),
        "there is a passage": gxe.ExpectColumnValuesToBeBetween(column="passages", min_value=1),
    }


def _zero(column: str) -> Any:
    import great_expectations.expectations as gxe

    return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=0, max_value=0)


def prepare() -> None:
    """Import what validation takes, which takes seconds, before somebody waits for it."""
    _asset()


@cache
def _asset() -> Any:
    """Return the in-memory asset that frames are handed to."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    # It sets a level of its own, and tells on every terminal of a folder that it removes at once.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context.data_sources.add_pandas("staged").add_dataframe_asset("documents")


def _validate(frame: pd.DataFrame, expectations: dict[str, Any]) -> list[Failure]:
    import great_expectations as gx

    if frame.empty:
        return []
    names = list(expectations)
    suite = gx.ExpectationSuite(name="documents", expectations=list(expectations.values()))
    for name, expectation in zip(names, suite.expectations, strict=True):
        expectation.meta = {"name": name}
    asset = _asset()
    definition = asset.add_batch_definition_whole_dataframe(f"frame-{id(frame)}")
    try:
        batch = definition.get_batch(batch_parameters={"dataframe": frame})
        result = batch.validate(
            suite,
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": ["doc_id"],
            },
        )
    finally:
        asset.delete_batch_definition(definition.name)
    return [
        Failure(str(item.expectation_config.meta["name"]), _failing(item, frame))
        for item in result.results
        if not item.success
    ]


def _failing(item: Any, frame: pd.DataFrame) -> tuple[str, ...]:
    """Name the documents that failed; where an expectation broke down, all of them."""
    rows = item.result.get("unexpected_index_list")
    if rows is None:
        return tuple(str(doc_id) for doc_id in frame["doc_id"])
    return tuple(sorted({str(row["doc_id"]) for row in rows}))
