"""Nobody sees what the lists of a document do not allow, whatever way they ask."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from include.lexical import query_terms

GROUPS = ["hr", "legal", "dev", "user:ann"]
WORDS = ["tea", "coffee", "water", "milk", "juice", "cocoa"]
TRIALS = 2000

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Document:
    """A document of the test and who may see it."""

    doc_id: UUID
    chunk_ids: list[UUID]
    acl: frozenset[str]
    status: str
    entities: frozenset[str]

    def visible_to(self, groups: Iterable[str]) -> bool:
        held = {group for group in groups if not group.startswith("!")}
        return not self.acl or bool(self.acl & held)


@pytest.fixture
def documents(corpus: Any) -> list[Document]:
    """Documents with all kinds of lists: public, one group, several, hidden."""
    chance = random.Random(5)
    made = []
    for i in range(80):
        acl = chance.choice(
            [[], ["!nobody"], [chance.choice(GROUPS)], chance.sample(GROUPS, 2), GROUPS]
        )
        status = chance.choice(["current"] * 6 + ["duplicate", "deleted"])
        entities = chance.sample(WORDS, 2)
        texts = [" ".join(chance.choices(WORDS, k=5)) + f" {i} {j}" for j in range(3)]
        passages = texts if status == "current" else []
        row = corpus.add(*passages, acl=acl, status=status, entities=entities, title=f"Title {i}")
        corpus.add_image(row, 3, f"Image {i}", content=b"RIFF")
        if status == "duplicate":
            corpus.connection.execute(
                "insert into corpus.near_duplicate values "
                "(%s, 'docs', %s, 1, '1', '', '', %s, 'near', 100, null, %s, 1)",
                (row.doc_id, str(i), acl, row.doc_id),
            )
        made.append(
            Document(row.doc_id, row.chunk_ids, frozenset(acl), status, frozenset(entities))
        )
    return made


@pytest.fixture
def serving(database: Any) -> Generator[Connection]:
    """A plain connection of the serving role, without groups."""
    with psycopg.connect(database.dsn("serving"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def analyst(database: Any, corpus: Any) -> Generator[Connection]:
    """A login of an analyst who is bound to the group `hr`."""
    login, password = f"test_analyst_{database.name}", "secret"
    corpus.connection.execute(
        sql.SQL("create role {} login password {} in role tidemark_analyst").format(
            sql.Identifier(login), sql.Literal(password)
        )
    )
    corpus.connection.execute("insert into corpus.analyst_role values (%s, '{hr}')", (login,))
    try:
        dsn = database.server.dsn(login, password, database.name)
        with psycopg.connect(dsn, autocommit=True) as connection:
            yield connection
    finally:
        for statement in ("drop owned by {}", "drop role {}"):
            corpus.connection.execute(sql.SQL(statement).format(sql.Identifier(login)))


def ids(connection: Connection, statement: str, *parameters: Any) -> set[UUID]:
    return {row[0] for row in connection.execute(statement, parameters)}


def seen_in_relations(connection: Connection) -> dict[str, set[Any]]:
    """Ids that a role reads from every view and table it has."""
    return {
        "document": ids(connection, "select doc_id from corpus.document"),
        "document_current": ids(connection, "select doc_id from corpus.document_current"),
        "chunk": ids(connection, "select chunk_id from corpus.chunk"),
        "chunk_current": ids(connection, "select chunk_id from corpus.chunk_current"),
        "mention": ids(connection, "select doc_id from corpus.mention"),
        "entity": ids(connection, "select name from corpus.entity"),
        "duplicate": ids(connection, "select doc_id from corpus.duplicate"),
        "image": ids(connection, "select doc_id from corpus.image"),
        "image_current": ids(connection, "select doc_id from corpus.image_current"),
        "chunk_image": ids(connection, "select doc_id from corpus.chunk_image"),
    }


def visible_in_relations(documents: list[Document], groups: Iterable[str]) -> dict[str, set[Any]]:
    """Ids that a caller with these groups should read."""
    seen = [d for d in documents if d.visible_to(groups)]
    stored = [d for d in seen if d.status != "deleted"]
    current = {d.doc_id for d in seen if d.status == "current"}
    chunks = {chunk for d in seen for chunk in d.chunk_ids}
    return {
        "document": {d.doc_id for d in stored},
        "document_current": current,
        "chunk": chunks,
        "chunk_current": chunks,
        "mention": {d.doc_id for d in stored},
        "entity": {name for d in stored for name in d.entities},
        "duplicate": {d.doc_id for d in seen if d.status == "duplicate"},
        **dict.fromkeys(("image", "image_current", "chunk_image"), current),
    }


def passages_of(documents: Iterable[Document], groups: Iterable[str]) -> set[UUID]:
    return {
        chunk
        for document in documents
        if document.status == "current" and document.visible_to(groups)
        for chunk in document.chunk_ids
    }


@pytest.fixture
def ways(corpus: Any, documents: list[Document]) -> list[Callable[..., set[Any]]]:
    """Ways to ask: each takes a connection, a claim of groups and a query and returns ids."""
    every = [chunk for document in documents for chunk in document.chunk_ids]
    owners = [document.doc_id for document in documents]
    model = corpus.embedder.identity.model_id

    def vector(query: str) -> str:
        return str(corpus.embedder.embed([query])[0].tolist())

    def dense(ask: Connection, claim: list[str] | None, query: str) -> set[Any]:
        statement = "select chunk_id from corpus.search_dense(%s, %s, 500, caller => %s::text[])"
        return ids(ask, statement, model, vector(query), claim)

    def lexical(ask: Connection, claim: list[str] | None, query: str) -> set[Any]:
        terms = query_terms(query)
        return ids(
            ask,
            "select chunk_id from corpus.search_lexical(%s::int[], %s::int[], 500, '[]', %s)",
            list(terms),
            list(terms.values()),
            claim,
        )

    def scored(ask: Connection, claim: list[str] | None, query: str) -> set[Any]:
        statement = "select chunk_id from corpus.score_passages(%s, %s, %s, '{}', %s)"
        return ids(ask, statement, every, model, vector(query), claim)

    def fetched(ask: Connection, claim: list[str] | None, query: str) -> set[Any]:
        return ids(ask, "select chunk_id from corpus.passages(%s, %s)", every, claim)

    def nearby(ask: Connection, claim: list[str] | None, query: str) -> set[Any]:
        return ids(ask, "select chunk_id from corpus.passages_nearby(%s, 2, %s)", every, claim)

    def read(ask: Connection, claim: list[str] | None, query: str) -> set[Any]:
        statement = (
            "select (p ->> 'chunk_id')::uuid from unnest(%s::uuid[]) as d "
            "cross join lateral corpus.document_of(d, %s) as o "
            "cross join lateral jsonb_array_elements(o.passages) as p"
        )
        return ids(ask, statement, owners, claim)

    return [dense, lexical, scored, fetched, nearby, read]


def test_random_callers_see_exactly_what_they_may(
    documents: list[Document], serving: Connection, ways: list[Callable[..., set[Any]]]
) -> None:
    chance = random.Random(17)
    owners = [document.doc_id for document in documents]
    for _ in range(TRIALS):
        groups = chance.sample([*GROUPS, "!nobody", "nobody"], chance.randint(0, 3))
        query = " ".join(chance.choices(WORDS, k=3))
        document = chance.choice(documents)
        claim = groups if chance.random() < 0.5 else None
        with serving.transaction():
            if claim is None:
                serving.execute(
                    "select set_config('tidemark.groups', %s, true)", (json.dumps(groups),)
                )
            way = chance.choice([*ways, "facets", "entities", None])
            seen = [d for d in documents if d.status == "current" and d.visible_to(groups)]
            if callable(way):
                found, right = way(serving, claim, query), passages_of(documents, groups)
                assert found <= right, (way.__name__, groups)
                assert way.__name__ == "lexical" or found == right, (way.__name__, groups)
            elif way is not None:
                right = {name for d in seen for name in d.entities}
                statement = {
                    "facets": "select value from corpus.facets(%s, 99, %s) where field = 'entity'",
                    "entities": "select name from corpus.caller_entities(%s, %s)",
                }[way]
                asked = owners if way == "facets" else WORDS
                assert ids(serving, statement, asked, claim) == right, (way, groups)
            elif claim is None:
                name, right = chance.choice(list(visible_in_relations(documents, groups).items()))
                passages = name in {"chunk", "chunk_current"}
                column = {"entity": "name"}.get(name, "chunk_id" if passages else "doc_id")
                assert ids(serving, f"select {column} from corpus.{name}") == right, (name, groups)
            statement = "select doc_id from corpus.document_of(%s, %s)"
            assert bool(ids(serving, statement, document.doc_id, claim)) == (document in seen)


def test_a_claim_ends_with_its_statement(
    documents: list[Document], serving: Connection, ways: list[Callable[..., set[Any]]]
) -> None:
    for way in ways:
        found, right = way(serving, GROUPS, "tea milk"), passages_of(documents, GROUPS)
        assert found <= right
        assert way.__name__ == "lexical" or found == right
        assert seen_in_relations(serving) == visible_in_relations(documents, [])
        assert way(serving, None, "tea milk") <= passages_of(documents, [])


def test_no_setting_means_public_rows_only(
    corpus: Any, documents: list[Document], serving: Connection
) -> None:
    assert seen_in_relations(serving) == visible_in_relations(documents, [])
    vector = str(corpus.embedder.embed(["tea"])[0].tolist())
    assert ids(
        serving, "select chunk_id from corpus.search_dense('words-1', %s, 500)", vector
    ) == passages_of(documents, [])


def test_groups_end_with_their_transaction(documents: list[Document], serving: Connection) -> None:
    with serving.transaction():
        serving.execute("select set_config('tidemark.groups', %s, true)", (json.dumps(GROUPS),))
        assert seen_in_relations(serving) == visible_in_relations(documents, GROUPS)
    assert seen_in_relations(serving) == visible_in_relations(documents, [])


@pytest.mark.parametrize("setting", ["{", '"hr"', '{"a": "hr"}', "hr", "null", "1", "[", "[[]"])
def test_malformed_groups_fail_closed(
    documents: list[Document], serving: Connection, setting: str
) -> None:
    serving.execute("select set_config('tidemark.groups', %s, false)", (setting,))
    chunk = next(d.chunk_ids[0] for d in documents if d.chunk_ids)
    for statement in (
        "select 1 from corpus.document",
        "select 1 from corpus.chunk_current",
        f"select 1 from corpus.passages(array['{chunk}'::uuid])",
        "select 1 from corpus.search_lexical('{1}', '{1}', 5)",
    ):
        with pytest.raises(psycopg.DataError):
            serving.execute(statement)


@pytest.mark.parametrize(
    "setting", ["", "[]", "[null]", '["!nobody"]', '[["hr"]]', '[{"hr": 1}]', '["h", "hr "]']
)
def test_odd_groups_open_nothing(
    documents: list[Document], serving: Connection, setting: str
) -> None:
    serving.execute("select set_config('tidemark.groups', %s, false)", (setting,))

    assert seen_in_relations(serving) == visible_in_relations(documents, [])


def test_an_analyst_has_the_groups_bound_to_the_login(
    documents: list[Document], analyst: Connection
) -> None:
    right = visible_in_relations(documents, ["hr"])
    assert seen_in_relations(analyst) == right
    analyst.execute("select set_config('tidemark.groups', %s, false)", (json.dumps(GROUPS),))
    assert seen_in_relations(analyst) == right


def shadow_catalog(connection: Connection) -> None:
    """Put a table of one's own where the owner of the corpus would be looked up."""
    connection.execute("create temp table pg_class (oid oid, relowner oid)")
    connection.execute(
        "insert into pg_class select 'corpus.document'::pg_catalog.regclass, "
        "(select oid from pg_roles where rolname = session_user)"
    )


def shadow_functions(connection: Connection) -> None:
    for name in ("caller_sees_all", "pg_get_userbyid"):
        connection.execute(
            f"create function pg_temp.{name}() returns boolean language sql return true"
        )
    connection.execute("set search_path = pg_temp, corpus, pg_catalog")


def shadow_types(connection: Connection) -> None:
    connection.execute("create temp table text (value bytea)")
    connection.execute("create temp table jsonb (value bytea)")


def shadow_operators(connection: Connection) -> None:
    connection.execute(
        "create function pg_temp.yes(text[], text[]) returns boolean language sql return true"
    )
    connection.execute(
        "create operator pg_temp.&& (leftarg = text[], rightarg = text[], function = pg_temp.yes)"
    )
    connection.execute("set search_path = pg_temp, pg_catalog")


@pytest.mark.parametrize(
    "trick", [shadow_catalog, shadow_functions, shadow_types, shadow_operators]
)
def test_objects_of_the_callers_own_change_nothing(
    documents: list[Document],
    serving: Connection,
    analyst: Connection,
    trick: Callable[[Connection], None],
) -> None:
    every = [chunk for document in documents for chunk in document.chunk_ids]
    for connection, groups in ((serving, []), (analyst, ["hr"])):
        trick(connection)
        assert seen_in_relations(connection) == visible_in_relations(documents, groups)
        assert not connection.execute("select corpus.caller_sees_all()").fetchone()[0]
    statement = "select chunk_id from corpus.passages(%s::pg_catalog.uuid[])"
    assert ids(serving, statement, every) == passages_of(documents, [])


def test_a_talkative_condition_learns_nothing(
    documents: list[Document], serving: Connection
) -> None:
    heard: list[str] = []
    serving.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
    serving.execute(
        "create function pg_temp.tell(said text) returns boolean cost 0.0000001 "
        "language plpgsql as $$ begin raise notice '%', said; return true; end $$"
    )
    serving.execute("select 1 from corpus.document where pg_temp.tell(doc_id::text)")
    serving.execute("select 1 from corpus.document_current where pg_temp.tell(doc_id::text)")

    assert heard
    assert set(heard) <= {str(doc) for doc in visible_in_relations(documents, [])["document"]}


REFUSED = [
    "set role tidemark_operator",
    "set role tidemark_pipeline",
    "set session authorization tidemark_operator",
    "set session_replication_role = replica",
    "alter table corpus.document disable row level security",
    "alter role current_user bypassrls",
    "grant tidemark_operator to current_user",
    "update corpus.document set acl = '{}'",
    "delete from corpus.document",
    "delete from corpus.image",
    "update corpus.image set content = 'x'",
    "insert into corpus.analyst_role values (session_user, '{hr}')",
    "create table corpus.mine (x integer)",
    "create function corpus.mine() returns integer language sql return 1",
    "select * from corpus.analyst_role",
    "select * from corpus.term",
    "select * from corpus.word",
    "select * from corpus.chunk_lexical",
    "select * from corpus.near_duplicate",
    "select * from corpus.vector_cache",
    "select * from corpus.place",
    "select * from corpus.file",
    "select * from corpus.source",
    "select * from corpus.embedding_model",
    "select * from corpus.search_number",
    "select * from corpus.search_change",
    "update corpus.search_number set number = 0",
    "select corpus.act_for('{hr}')",
    "select * from ops.quarantine",
    "select * from ops.run_change",
    "select * from serving.session",
    "select * from serving.query_log",
    "select * from serving.feedback",
    "select * from serving.one_time_code",
    "delete from serving.query_log",
    "update serving.session set groups = '{hr}'",
    "insert into serving.one_time_code values ('', 'ann', '{hr}', '{}', 60, now(), now())",
    "select nextval('corpus.fence')",
    "select * from corpus.nearest_exactly('chunk', '[1]', 1, 'true', '[]', '{}')",
    "select * from corpus.score_terms('true', '{}/1', 0, 1, 'true', '[]', '{}')",
    "select * from corpus.score_filtered('{}/1', 1, 'true', '[]', '{}')",
    "select corpus.matching_share('true', '[]', '{}')",
    "select corpus.register_embedding_model('x', '{}', 3)",
    "set row_security = off; select 1 from corpus.document",
]


@pytest.mark.parametrize("role", ["serving", "analyst"])
@pytest.mark.usefixtures("documents")
def test_what_is_not_granted_is_refused(
    role: str, request: pytest.FixtureRequest, corpus: Any
) -> None:
    connection = request.getfixturevalue(role)
    vectors = f"select * from corpus.{corpus.vectors}"
    searches = [
        "select * from corpus.search_dense('words-1', '[1]', 1)",
        "select * from corpus.search_lexical('{1}', '{1}', 1)",
        "select * from corpus.passages('{}')",
        "select * from corpus.facets('{}', 9)",
        "select * from corpus.passages_nearby('{}', 1)",
        "select * from corpus.document_of(gen_random_uuid())",
        "select * from corpus.caller_entities('{tea}')",
        "select corpus.search_version()",
        "set role tidemark_serving",
    ]
    for statement in [*REFUSED, vectors, *(searches if role == "analyst" else [])]:
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.SyntaxError)):
            connection.execute(statement)
        connection.execute("set row_security = on")


def test_filters_cannot_carry_statements(documents: list[Document], serving: Connection) -> None:
    hidden = "true or true) or ((true"
    for field in (hidden, "source", "date", "x' || 'y"):
        for item in (
            {"field": field, "op": "any", "values": [hidden]},
            {"field": field, "op": "gte", "values": [hidden]},
            {"field": field, "op": "any", "values": [hidden], "metadata": True},
        ):
            if field == "date" and "metadata" not in item:
                continue
            found = ids(
                serving,
                "select chunk_id from corpus.search_lexical(%s::int[], %s::int[], 500, %s::jsonb)",
                list(query_terms("tea")),
                [1],
                json.dumps([item]),
            )
            assert found == set()
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        serving.execute(
            "select 1 from corpus.search_lexical('{1}', '{1}', 5, %s::jsonb)",
            (json.dumps([{"field": "source", "op": "or true", "values": []}]),),
        )


def test_a_searcher_keeps_callers_apart(
    corpus: Any,
    searcher: Any,
    documents: list[Document],
    make_searcher: Callable[..., Any],
) -> None:
    chance = random.Random(23)
    for _ in range(60):
        groups = chance.choice([None, [], *[[group] for group in GROUPS], GROUPS])
        hits = searcher.search("tea milk", groups=groups, top_k=200, passages_per_document=9).hits
        found = {hit.passage.chunk_id for hit in hits}
        everything = {chunk for document in documents for chunk in document.chunk_ids}
        assert found == (everything if groups is None else passages_of(documents, groups))
    only_serving = make_searcher(corpus.embedder, operator=False)
    hits = only_serving.search("tea", groups=["!nobody"], top_k=200).hits
    assert {hit.passage.doc_id for hit in hits} == {
        d.doc_id for d in documents if d.status == "current" and not d.acl
    }


RELATIONS = {
    "corpus.chunk",
    "corpus.chunk_current",
    "corpus.chunk_image",
    "corpus.document",
    "corpus.document_current",
    "corpus.duplicate",
    "corpus.entity",
    "corpus.image",
    "corpus.image_current",
    "corpus.mention",
}
RULES = {
    "corpus.caller_groups",
    "corpus.caller_sees_all",
    "corpus.duplicate_of",
    "corpus.effective_acl",
}
SEARCHES = {
    "corpus.caller_unknown_words",
    "corpus.caller_values",
    "corpus.public_words",
    "corpus.caller_entities",
    "corpus.document_of",
    "corpus.facets",
    "corpus.passages",
    "corpus.passages_nearby",
    "corpus.score_passages",
    "corpus.search_dense",
    "corpus.search_lexical",
    "corpus.search_version",
}
# They take the user, whom the service has identified, and act on what is that user's alone.
SERVICE = {
    "serving.accept_upload",
    "serving.close_session",
    "serving.conversations_of",
    "serving.delete_conversation",
    "serving.delete_expired_conversations",
    "serving.filtered_recall",
    "serving.forget_queries",
    "serving.give_feedback",
    "serving.keep_answer",
    "serving.log_queries",
    "serving.open_conversation",
    "serving.open_session",
    "serving.owns_conversation",
    "serving.read_session",
    "serving.record_recall",
    "serving.redeem_code",
    "serving.sweep",
    "serving.turns_of",
    "serving.upload_groups",
    "serving.upload_work",
    "serving.uploads_of",
}
OURS = "('corpus', 'ops', 'serving', 'warehouse', 'public')"


WAREHOUSE = {
    "warehouse.compliance_finding",
    "warehouse.digest_daily",
    "warehouse.document_summary",
    "warehouse.edge",
    "warehouse.entity_daily",
    "warehouse.evidence",
    "warehouse.finding",
    "warehouse.generated_record",
    "warehouse.graph_evidence",
    "warehouse.llm_cost",
    "warehouse.llm_cost_daily",
    "warehouse.node",
    "warehouse.record",
    "warehouse.summary",
    "warehouse.topic_daily",
}


@pytest.mark.parametrize(
    ("role", "relations", "functions"),
    [
        ("tidemark_serving", RELATIONS, RULES | SEARCHES | SERVICE),
        ("tidemark_analyst", RELATIONS | WAREHOUSE, RULES | {"warehouse.visible_costs_by_access"}),
    ],
)
def test_everything_granted_is_on_the_list(
    corpus: Any, role: str, relations: set[str], functions: set[str]
) -> None:
    readable = corpus.connection.execute(
        f"""
        select n.nspname || '.' || c.relname, c.relkind, c.relrowsecurity,
            coalesce(c.reloptions, '{{}}')
        from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
        where n.nspname in {OURS} and c.relkind in ('r', 'p', 'v', 'm', 'f')
            and (has_any_column_privilege(%(role)s, c.oid, 'select')
                or has_table_privilege(%(role)s, c.oid, 'select'))
        """,
        {"role": role},
    ).fetchall()
    assert {name for name, *_ in readable} == relations
    for name, kind, guarded, options in readable:
        assert guarded if kind == "r" else "security_invoker=true" in options, name

    writable = corpus.connection.execute(
        f"""
        select c.relname from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
        where n.nspname in {OURS} and (
            (c.relkind in ('r', 'p', 'v') and has_table_privilege(
                %(role)s, c.oid, 'insert, update, delete, truncate, references, trigger'
            ))
            or (c.relkind = 'S' and has_sequence_privilege(
                %(role)s, c.oid, 'usage, select, update'
            ))
        )
        """,
        {"role": role},
    ).fetchall()
    assert writable == []

    callable_ = corpus.connection.execute(
        f"""
        select distinct n.nspname || '.' || p.proname
        from pg_proc as p inner join pg_namespace as n on p.pronamespace = n.oid
        where n.nspname in {OURS} and has_function_privilege(%s, p.oid, 'execute')
            and not exists (
                select from pg_depend as d where d.objid = p.oid and d.deptype = 'e'
            )
        """,
        (role,),
    ).fetchall()
    assert {name for (name,) in callable_} == functions

    for schema in ("corpus", "ops", "serving", "warehouse", "public"):
        may_create = "select has_schema_privilege(%s, %s, 'create')"
        assert not corpus.value(may_create, role, schema)


def test_functions_that_run_as_the_owner_pin_their_search_path(corpus: Any) -> None:
    rows = corpus.connection.execute(
        f"""
        select p.proname, coalesce(p.proconfig, '{{}}')
        from pg_proc as p inner join pg_namespace as n on p.pronamespace = n.oid
        where n.nspname in {OURS} and p.prosecdef
        """
    ).fetchall()
    assert rows
    for name, settings in rows:
        paths = [s for s in settings if s.startswith("search_path=")]
        assert paths, name
        assert paths[0].endswith("pg_temp"), name
