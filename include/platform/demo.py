"""``make demo``: from an installed checkout to a running product with a corpus in it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from include.commands.output import database, messages, print_table, say
from include.errors import TidemarkError, UnavailableError
from include.models import OUTCOMES, Source
from include.settings import home, settings

HITS = 3
SUMMARIES = 3
SNIPPET = 240
SECONDS = 180
USER = "demo"
GROUPS = ("board", "crew")
"""Those of the sample: who runs the demo sees all of it."""
LOG = "see ./tidemark status and logs/query.log in the home that it names"


def main() -> int:
    """Start everything, ingest the sample through Airflow, search, answer and summarise it."""
    try:
        _run()
    except TidemarkError as error:
        say(f"error: {error}")
        say("When the cause is gone, run `make demo` again: what is done is not done twice.")
        return 1
    return 0


def _run() -> None:
    from include.platform import model, services
    from include.platform.sample import write_sample
    from include.sources import normalise_uri

    if not settings().llm_url:
        _fetch(model.fetch)
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
    client = Client()
    _search(client, sample.queries[0])
    _answer(client, sample.queries[1])
    _summarise()
    _farewell(sample.queries)


def _fetch(fetch: Callable[[Callable[[str], None]], object]) -> None:
    try:
        fetch(say)
    except UnavailableError as error:
        say(f"{error}\ngoing on without a language model: answers will quote the documents")


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


def _search(client: Client, query: str) -> None:
    messages.rule(f"search: {query}")
    hits = client.post("/v1/search", {"query": query, "top_k": HITS})["hits"]
    for hit in hits:
        say(f"{hit['rank']}. {hit['title']}  {hit['score']:.3f}\n   {_line(hit['text'])}")
        say(f"   {hit['uri']}")
    if len(hits) < HITS:
        raise TidemarkError(f"The search found {len(hits)} hits; {HITS} were expected.")


def _answer(client: Client, query: str) -> None:
    messages.rule(f"answer: {query}")
    answer = client.post("/v1/answer", {"query": query, "style": "short"})
    say(answer["answer"])
    verified = [citation for citation in answer["citations"] if citation["verified"]]
    for citation in verified:
        where = f"{citation['uri']} {citation['start_char']}-{citation['end_char']}"
        say(f'  [{citation["marker"]}] verified: "{_line(citation["quote"])}"\n      {where}')
    if answer["degraded"]:
        say("(sentences of the documents themselves: no model answered, or it was not supported)")
    if not verified:
        raise TidemarkError("The answer carries no verified citation; one was expected.")


def _summarise() -> None:
    """Have the model summarise the sample's own documents; those of the packages are many."""
    from include.commands.summarize import STATES, TASK, counts, run_through_airflow
    from include.platform import model

    if model.endpoint() is None:
        say("no language model: nothing is summarised")
        return
    messages.rule("summaries of the source samples: about ten minutes on two cores")
    run_id, state = run_through_airflow({"task": TASK, "source": "samples"})
    counted = counts(run_id)
    if state != "success":
        raise TidemarkError(f"The run {run_id} ended as {state}; see the lines above.")
    with database() as connection:
        shown = connection.execute(
            "select title, summary from warehouse.document_summary where source = 'samples' "
            "order by grounded_score desc nulls last, title limit %s",
            (SUMMARIES,),
        ).fetchall()
        stored = (
            connection.execute(
                "select (select count(*) from warehouse.document_summary) as published, "
                "(select count(*) from ops.waiting_review) as waiting"
            ).fetchone()
            or {}
        )
    outcomes = counted.get("outcomes") or {}
    print_table(("of this run", "documents"), [(name, outcomes.get(name, 0)) for name in STATES])
    print_table(("in the warehouse", ""), list(stored.items()))
    for row in shown:
        say(f"{row['title']}: {_line(row['summary'])}")


def _farewell(queries: tuple[str, ...]) -> None:
    from include.commands.platform import password_file
    from include.platform.services import airflow_url, search_url
    from include.query.http.links import issue_link

    with database("owner") as connection:
        link = issue_link(connection, search_url(), USER, GROUPS)
    messages.rule("running")
    say(f"Airflow: {airflow_url()}  (user admin, password in {password_file()})")
    say(f"Search page, signed in (works once, for 15 minutes): {link}")
    say(f"Summaries that wait for you: {airflow_url()}/tidemark/review")
    say("More: ./tidemark status, ./tidemark quarantine list, make down")
    for query in queries:
        say(f'  ./tidemark search "{query}"')
    say(f'  ./tidemark answer "{queries[1]}"')


def _line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SNIPPET else f"{words[:SNIPPET]}…"


class Client:
    """The HTTP API of the running query service, as the demo's user."""

    def __init__(self) -> None:
        import httpx

        from include.platform.secrets import configured_secrets
        from include.platform.services import search_url
        from include.query.http.tokens import issue

        token = issue(configured_secrets().get("token_key"), USER, GROUPS)
        self._client = httpx.Client(
            base_url=search_url(),
            headers={"Authorization": f"Bearer {token}"},
            timeout=SECONDS,
            trust_env=False,
        )

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON answer to a request.

        Raises:
            TidemarkError: the service refuses it, or cannot be reached.
        """
        import httpx

        try:
            answer = self._client.post(path, json=body)
            value = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise TidemarkError(f"{path} failed ({type(error).__name__}); {LOG}") from error
        if answer.is_error:
            said = value.get("detail") or value.get("title")
            raise TidemarkError(f"{path} failed (HTTP {answer.status_code}: {said}); {LOG}")
        return dict(value)


if __name__ == "__main__":
    sys.exit(main())
