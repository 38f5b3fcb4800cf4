"""Bring the databases to this version and write Airflow's users, starting nothing.

Containers run it once before their services: ``python -m include.platform.prepare``.
"""

from __future__ import annotations

import sys

from include.errors import TidemarkError
from include.platform import services


def main() -> int:
    """Prepare, and return an exit code."""
    try:
        services.prepare(lambda text: print(text, file=sys.stderr, flush=True))
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
