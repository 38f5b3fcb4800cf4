"""What summaries relate becomes a graph, as far as the document's own words say so."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from include.enrichment.entities import normalised_name
from include.store.database import connect
from include.store.removal import remove_source
from tests.integration.generation.conftest import Corpus
from tests.model_replies import summary_of

TEXT = "Reports.\nAcme Ltd  bought the\nHarbour Mill in May. The mill (old) closed."


def _related(body: dict[str, Any]) -> str:
    reply = json.loads(summary_of(body))
    reply["relations"] = [
        {
            "subject": "Acme Ltd",
            "predicate": "Bought",
            "object": "Harbour Mill",
            "evidence": "acme ltd bought the Harbour Mill",
        },
        {
            "subject": "Acme Ltd",
            "predicate": "sold",
            "object": "Harbour Mill",
            "evidence": "Acme Ltd sold the Harbour Mill",
        },
    ]
    reply["events"] = [
        {
            "what": "The mill closed",
            "when": "May",
            "participants": ["mill"],
            "evidence": "The mill (old) closed.",
        }
    ]
    return json.dumps(reply)


@pytest.fixture
def graph(corpus: Corpus) -> Corpus:
    corpus.endpoint.reply = _related
    return corpus


def _publish(graph: Corpus, acl: tuple[str, ...] = (), text: str = TEXT) -> Any:
    """Publish one document with the graph, whatever the filters think of the reply."""
    doc_id = graph.put("Mill", text, acl)
    graph.run()
    graph.query(
        "update ops.review set state = 'approved', decided_by = 'ada', decided_at = now() "
        "where item_id in (select item_id from ops.generation_item where state = 'review') "
        "returning 1"
    )
    graph.query("select warehouse.publish(null)")
    assert "Mill" in graph.published()
    return doc_id


def _evidence(graph: Corpus) -> list[tuple[str, str, str, str]]:
    rows = graph.query("select * from warehouse.evidence order by kind desc")
    return [
        (row["subject"], row["predicate"], row["object"], TEXT[row["start_char"] : row["end_char"]])
        for row in rows
    ]


def test_an_event_that_names_nobody_is_stored_without_a_subject(graph: Corpus) -> None:
    def reply(body: dict[str, Any]) -> str:
        output = json.loads(_related(body))
        output["relations"] = []
        output["events"][0]["participants"] = []
        return json.dumps(output)

    graph.endpoint.reply = reply
    _publish(graph)
    assert _evidence(graph) == [
        (None, "takes part in", "The mill closed", "The mill (old) closed.")
    ]
    assert graph.query("select * from warehouse.edge") == []


def test_an_edge_is_stored_with_the_words_that_state_it(graph: Corpus) -> None:
    _publish(graph)
    stated = [
        ("Acme Ltd", "bought", "Harbour Mill", "Acme Ltd  bought the\nHarbour Mill"),
        ("mill", "takes part in", "The mill closed", "The mill (old) closed."),
    ]
    assert _evidence(graph) == stated
    graph.query("select warehouse.publish(null)")
    assert _evidence(graph) == stated
    assert len(graph.query("select * from warehouse.node")) == 4
    assert len(graph.query("select * from warehouse.edge")) == 2


def test_the_graph_leaves_with_its_document(graph: Corpus) -> None:
    _publish(graph)
    graph.remove("Mill")
    for view in ("evidence", "node", "edge"):
        assert graph.query(f"select * from warehouse.{view}") == []


def test_a_rejection_and_a_purge_take_the_graph_along(graph: Corpus) -> None:
    _publish(graph)
    graph.query("update ops.generation_item set state = 'rejected' returning 1")
    assert graph.published() == {}
    assert _evidence(graph) == []
    _publish(graph, text=f"Again. {TEXT}")
    assert len(_evidence(graph)) == 2
    with connect(graph.dsn) as connection:
        remove_source(connection, "port", purge=True)
    assert graph.query("select * from warehouse.graph_evidence") == []


def test_readers_see_the_graph_of_their_documents_alone(graph: Corpus) -> None:
    _publish(graph, acl=("staff",))
    assert _as_public_analyst(graph) == {"evidence": 0, "node": 0, "edge": 0}
    graph.query("update corpus.document set acl = '{}' returning 1")
    assert _as_public_analyst(graph) == {"evidence": 2, "node": 4, "edge": 2}


def _as_public_analyst(graph: Corpus) -> dict[str, int]:
    """Return how many rows of each view an analyst without groups sees."""
    with connect(graph.owner_dsn) as connection, connection.transaction():
        connection.execute("set local role tidemark_analyst")
        return {
            view.decode(): len(connection.execute(b"select * from warehouse." + view).fetchall())
            for view in (b"evidence", b"node", b"edge")
        }


def test_the_pipeline_role_writes_no_graph(graph: Corpus) -> None:
    _publish(graph)
    with connect(graph.dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("delete from warehouse.graph_evidence")


def test_names_are_those_of_the_corpus(graph: Corpus) -> None:
    names = [
        "The  Harbour Mill's",
        "Acme Ltd.",
        "ÅNGSTRÖM",
        "Lloyds\u2019",
        "a b",
        "42",
        "\ufb01ne",
    ]
    rows = graph.query(
        "select corpus.normalised_name(n) as name from unnest(%s::text[]) as n", names
    )
    assert [row["name"] for row in rows] == [normalised_name(name) for name in names]
