"""``make demo``: from an installed checkout to a running product with a corpus in it."""

from __future__ import annotations

import sys

from include.commands.output import database, messages, print_table, say
from include.errors import TidemarkError
from include.models import OUTCOMES, Source
from include.settings import home

HITS = 3


def main() -> int:
    """Start everything, ingest the sample corpus through Airflow and search it."""
    try:
        _run()
    except TidemarkError as error:
        say(f"error: {error}")
        return 1
    return 0


def _run() -> None:
    from include.platform import services
    from include.platform.sample import write_sample
    from include.sources import normalise_uri

    services.up(say)
    target = home() / "sample"
    sample = write_sample(target)
    say(f"the sample corpus lies in {target}")
    _configure(
        [
            Source("docs", normalise_uri(str(target / "docs")), priority=200),
            Source("samples", normalise_uri(str(target / "samples"))),
        ]
    )
    _ingest()
    _search(sample.queries[0])
    _farewell(sample.queries)


def _configure(wanted: list[Source]) -> None:
    from include.store import sources

    with database() as connection:
        known = {source.name: source for source in sources.load_all(connection)}
        for source in wanted:
            if source.name not in known:
                sources.add(connection, source)
            elif known[source.name].uri != source.uri:
                sources.change(connection, source)


def _ingest() -> None:
    from include.commands.ingest import run_through_airflow
    from include.store import runs

    run_id, state = run_through_airflow(None, full=False)
    with database() as connection:
        counted = runs.outcomes(connection, run_id)
        stored = connection.execute(
            "select (select count(*) from corpus.document_current) as documents, "
            "(select count(*) from corpus.chunk_current) as passages, "
            "(select count(*) from corpus.mention) as mentions"
        ).fetchone()
    if state != "success" or stored is None:
        raise TidemarkError(f"The run {run_id} ended as {state}; see the lines above.")
    messages.rule("ingested")
    print_table(("outcome", "inputs"), [(name, counted[name]) for name in OUTCOMES])
    print_table(("in the corpus", ""), list(stored.items()))


def _search(query: str) -> None:
    from include.commands.search import open_searcher, show_hit

    messages.rule(f"search: {query}")
    with open_searcher("hybrid") as searcher:
        hits = searcher.search(query, HITS).hits
    for hit in hits:
        show_hit(hit)
    if len(hits) < HITS:
        raise TidemarkError(f"The search found {len(hits)} hits; {HITS} were expected.")


def _farewell(queries: tuple[str, ...]) -> None:
    from include.commands.platform import password_file
    from include.platform.services import airflow_url

    messages.rule("running")
    say(f"Airflow: {airflow_url()}  (user admin, password in {password_file()})")
    say("More: ./tidemark status, ./tidemark quarantine list, make down")
    for query in queries:
        say(f'  ./tidemark search "{query}"')


if __name__ == "__main__":
    sys.exit(main())
