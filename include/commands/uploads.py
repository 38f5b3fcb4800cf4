"""``python -m include.commands.uploads``: works on uploads until there are none.

The query service starts it when something is to do; where one runs already it ends at once.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal

IDLE_SECONDS = 120.0
_PARENT_DIED = 1  # PR_SET_PDEATHSIG of prctl(2)
_NICENESS = 5
_SETTINGS = {
    # Within this process, models stay loaded from one document to the next.
    "TIDEMARK_WORKERS": "1",
    # Some hundred pages: nobody waits for the embedding of more.
    "TIDEMARK_PARSER_OUTPUT_MB": "2",
}


def main() -> None:
    """Work, and end with the process that started this one: a kill costs nothing here."""
    ctypes.CDLL(None).prctl(_PARENT_DIED, signal.SIGKILL)
    os.environ.update(_SETTINGS)
    os.nice(_NICENESS)  # Whoever searches goes first.
    # Imported now: settings are read once, and a process that is not needed ends without models.
    import psycopg

    from include.errors import UnavailableError
    from include.pipeline.uploads import work
    from include.platform.database import dsn

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("include").setLevel(logging.INFO)
    try:
        work(dsn("pipeline"), IDLE_SECONDS)
    except (psycopg.OperationalError, UnavailableError) as error:
        # Whoever sees work left over starts the next process.
        logging.getLogger(__name__).warning("uploads wait: %s", error)


if __name__ == "__main__":
    main()
