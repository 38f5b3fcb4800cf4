"""Suggestions know the words of public passages, and no other, at any time."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from include.lexical import query_terms


def words(corpus: Any) -> dict[str, int]:
    return dict(corpus.connection.execute("select word, passages from corpus.word").fetchall())


def test_public_passages_are_counted_by_their_words(corpus: Any) -> None:
    corpus.add("Green tea, GREEN tea!", "black-tea (2024)\u2014caf\u00e9", title="Brews")

    assert words(corpus) == {"green": 1, "tea": 2, "black": 1, "caf\u00e9": 1}


def test_scripts_without_spaces_and_long_strings_are_no_words(corpus: Any) -> None:
    corpus.add("数据库 is a データベース 데이터 ฐานข้อมูล " + "x" * 40)

    assert set(words(corpus)) <= {"is", "a"}


def test_restricted_words_are_not_known(corpus: Any) -> None:
    corpus.add("projectzebra launches", acl=["hr"])
    corpus.add("tigers launch", acl=["!nobody"])

    assert words(corpus) == {}


def test_a_word_leaves_with_its_last_public_passage(corpus: Any) -> None:
    first = corpus.add("projectzebra launches")
    second = corpus.add("projectzebra grows")
    change = "update corpus.chunk set acl = %s where doc_id = %s"

    corpus.connection.execute(change, (["hr"], first.doc_id))
    assert words(corpus) == {"projectzebra": 1, "grows": 1}
    corpus.connection.execute("delete from corpus.document where doc_id = %s", (second.doc_id,))
    assert words(corpus) == {}
    corpus.connection.execute(change, ([], first.doc_id))
    assert words(corpus) == {"projectzebra": 1, "launches": 1}


def test_what_is_written_again_is_not_counted_again(corpus: Any) -> None:
    row = corpus.add("green tea")
    before = words(corpus)

    corpus.connection.execute(
        "update corpus.chunk set ordinal = 7, flags = '{x}' where doc_id = %s", (row.doc_id,)
    )
    assert words(corpus) == before
    corpus.connection.execute(
        "update corpus.chunk set heading_path = '{Oolong}' where doc_id = %s", (row.doc_id,)
    )
    assert words(corpus) == {**before, "oolong": 1}


def test_whether_a_word_is_missed_depends_on_what_the_caller_may_see(
    corpus: Any, database: Any
) -> None:
    corpus.add("projectzebra launches", acl=["hr"], title="Quokkas")
    corpus.add("green tea")
    asked = ["projectzebra", "quokkas", "green", "unheard"]
    terms = [next(iter(query_terms(word))) for word in asked]
    statement = "select * from corpus.caller_unknown_words(%s::text[], %s::integer[], %s::text[])"

    def missed(role: str, groups: list[str] | None) -> set[str]:
        with psycopg.connect(database.dsn(role), autocommit=True) as connection:
            return {word for (word,) in connection.execute(statement, (asked, terms, groups))}

    assert missed("serving", []) == {"projectzebra", "quokkas", "unheard"}
    assert missed("serving", None) == {"projectzebra", "quokkas", "unheard"}
    assert missed("serving", ["hr"]) == {"unheard"}
    assert missed("operator", None) == {"unheard"}


def test_values_are_those_of_documents_that_the_caller_may_see(corpus: Any, database: Any) -> None:
    corpus.add("salaries", source="Payroll", type="pdf", language="de", acl=["hr"])
    corpus.add("tea", source="docs", type="html", language="en")
    corpus.add("old", source="archive", type="eml", status="deleted")
    statement = "select * from corpus.caller_values(%s::text[], %s::text[], %s::text[], %s::text[])"
    asked = (["payroll", "docs", "archive"], ["pdf", "html", "eml"], ["de", "en"])

    def values(groups: list[str] | None) -> set[tuple[str, str]]:
        with psycopg.connect(database.dsn("serving"), autocommit=True) as connection:
            return set(connection.execute(statement, (*asked, groups)))

    public = {("source", "docs"), ("type", "html"), ("language", "en")}
    assert values([]) == public
    assert values(["hr"]) == public | {
        ("source", "Payroll"),
        ("type", "pdf"),
        ("language", "de"),
    }


@pytest.mark.parametrize(
    "statement",
    [
        "insert into corpus.word values ('x', 1)",
        "select corpus.change_words('{a}', '{b}')",
        "select * from corpus.words_of('a b')",
    ],
)
def test_nobody_but_the_triggers_writes_the_vocabulary(database: Any, statement: str) -> None:
    for role in ("serving", "pipeline"):
        with (
            psycopg.connect(database.dsn(role), autocommit=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)


def test_the_pipeline_may_load_what_the_vocabulary_follows(corpus: Any, database: Any) -> None:
    corpus.add("green tea")
    with psycopg.connect(database.dsn("pipeline"), autocommit=True) as connection:
        connection.execute("delete from corpus.chunk")

    assert words(corpus) == {}
