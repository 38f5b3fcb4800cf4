"""Where the copy is: a dataset, who may read it, and a client that may write it."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from include.errors import ConfigurationError, UnavailableError
from include.settings import settings
from include.warehouse.bigquery.access import parse_readers

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError
    from google.cloud.bigquery import Client

DATASET = "warehouse"
"""Name of the dataset where the Airflow connection names none."""

EMULATOR = "BIGQUERY_EMULATOR_HOST"
"""Variable of Google's client: address of an emulator, which asks for no credentials."""

_DATASET = re.compile(r"[a-z0-9](?:[a-z0-9.:-]*[a-z0-9])?\.\w+", re.ASCII)
RETRY_SECONDS = 60
"""How long a call that fails in a way that may pass is tried again."""

_CALL_SECONDS = 60
_PASSES_REASONS = {"rateLimitExceeded", "quotaExceeded", "backendError", "internalError"}


@dataclass(frozen=True, slots=True)
class Copy:
    """A dataset that holds, or is to hold, a copy of the warehouse.

    Attributes:
        client: with the credentials of whoever loads.
        dataset: ``project.dataset``.
        location: of the dataset; None leaves it to BigQuery where it is to be made.
        readers: principals by group; see :func:`~include.warehouse.bigquery.access.policies`.
        loader: the principal that loads, once it has been asked for.
    """

    client: Client = field(repr=False)
    dataset: str
    location: str | None = None
    readers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    loader: str = ""

    def __post_init__(self) -> None:
        if _DATASET.fullmatch(self.dataset) is None:
            raise ConfigurationError(
                f"{self.dataset} is no dataset of BigQuery; write project.dataset "
                "(TIDEMARK_BIGQUERY_DATASET)."
            )

    def table(self, name: str) -> str:
        """Return the full name of a table."""
        return f"{self.dataset}.{name}"


def configured() -> Copy | None:
    """Return the copy that the settings name, with the credentials that Google's tools find.

    Raises:
        ConfigurationError: there are none, or the settings are wrong.
    """
    dataset = settings().bigquery_dataset
    return None if dataset is None else copy_with(None, dataset)


def copy_with(client: Client | None, dataset: str, location: str | None = None) -> Copy:
    """Return a copy with what the settings say besides; without a client one is made."""
    given = settings()
    if client is None:
        client = _default_client(dataset.partition(".")[0])
    return Copy(
        client=client,
        dataset=dataset,
        location=location or given.bigquery_location,
        readers=parse_readers(given.bigquery_readers),
    )


def _default_client(project: str) -> Client:
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud.bigquery import Client

    try:
        if os.environ.get(EMULATOR):
            return Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
        return Client(project=project)
    except DefaultCredentialsError as error:
        raise ConfigurationError(
            "There are no credentials for BigQuery: GOOGLE_APPLICATION_CREDENTIALS, or in Airflow "
            "the connection tidemark_warehouse."
        ) from error


def patience() -> dict[str, Any]:
    """Return the options of each call of the client: how long it waits, and how long it tries."""
    from google.cloud.bigquery import DEFAULT_RETRY

    return {"timeout": _CALL_SECONDS, "retry": DEFAULT_RETRY.with_timeout(RETRY_SECONDS)}


@contextmanager
def explained(copy: Copy) -> Generator[None]:
    """Turn what Google's client raises into errors that say what to do.

    Raises:
        ConfigurationError: something is not allowed or not there.
        UnavailableError: another try may succeed.
    """
    from google.api_core.exceptions import (
        Forbidden,
        GoogleAPICallError,
        NotFound,
        RetryError,
        ServerError,
        TooManyRequests,
        Unauthorized,
    )
    from google.auth.exceptions import GoogleAuthError, TransportError
    from requests.exceptions import RequestException

    try:
        yield
    except (Forbidden, Unauthorized, NotFound) as error:
        if _passes(error):
            raise _unavailable(copy, error) from error
        raise ConfigurationError(
            f"BigQuery refuses {copy.dataset}: {error.message}. docs/runbook.md says what whoever "
            "loads must be allowed to do."
        ) from error
    except (ServerError, TooManyRequests) as error:
        raise _unavailable(copy, error) from error
    except GoogleAPICallError as error:
        if "concurrent" in str(error) or _passes(error):
            raise _unavailable(copy, error) from error
        raise
    except (RetryError, RequestException, TransportError, ConnectionError) as error:
        raise _unavailable(copy, error) from error
    except GoogleAuthError as error:
        raise ConfigurationError(
            f"BigQuery: the credentials are of no use ({error}); see the connection "
            "tidemark_warehouse or GOOGLE_APPLICATION_CREDENTIALS."
        ) from error


def _passes(error: GoogleAPICallError) -> bool:
    reasons = {item.get("reason") for item in error.errors if isinstance(item, dict)}
    return bool(reasons & _PASSES_REASONS)


def _unavailable(copy: Copy, error: Exception) -> UnavailableError:
    return UnavailableError(
        f"{copy.dataset} in BigQuery could not be loaded ({type(error).__name__}: {error}). What "
        "stood there stands; the next load brings all that differs."
    )
