"""Conversations: their owner's alone, never more than its reader may see, gone when deleted."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from include.query.answering.conversations import ConversationNotFoundError
from include.query.caller import OPERATOR, Caller
from include.store import lineage
from include.store.database import connect
from tests.fake_llm import FakeLLM

ANN, BOB = Caller("ann", ()), Caller("bob", ())
HR = Caller("ann", ("hr",))
TEA = "The kettle boils the tea water in four minutes."


@pytest.fixture
def tea(corpus: Any, model: FakeLLM) -> Any:
    model.say(TEA)
    return corpus.add(TEA, title="Kettle")


def ask(desk: Any, caller: Caller = ANN, **asked: Any) -> Any:
    return desk.ask("How long does the kettle take for the tea water?", caller, **asked)


def read(desk: Any, caller: Caller, conversation: UUID) -> Any:
    return desk.run(lambda _, kept: kept.read(caller, conversation)).as_json()


def listed(desk: Any, caller: Caller) -> list[UUID]:
    found = desk.run(lambda _, kept: kept.list(caller))
    return [item.conversation_id for item in found]


def test_a_conversation_is_kept_and_read_again(desk: Any, tea: Any) -> None:
    first = ask(desk)
    second = ask(desk, conversation_id=first.conversation_id)

    assert second.conversation_id == first.conversation_id
    assert listed(desk, ANN) == [first.conversation_id]
    found = read(desk, ANN, first.conversation_id)
    assert found["title"] == "How long does the kettle take for the tea water?"
    assert [turn["answer"]["answer"] for turn in found["turns"]] == [first.text, second.text]
    assert found["turns"][0]["answer"]["citations"] == first.as_json()["citations"]
    assert "<p>" in found["turns"][0]["answer"]["html"]


def test_others_neither_see_nor_continue_nor_delete_it(desk: Any, tea: Any) -> None:
    mine = ask(desk).conversation_id

    for stranger in (BOB, OPERATOR, Caller("", ()), Caller("ANN", ())):
        if stranger.user:
            assert listed(desk, stranger) == []
        for attempt in (mine, uuid4()):
            with pytest.raises(ConversationNotFoundError, match="no conversation of that id"):
                read(desk, stranger, attempt)
            with pytest.raises(ConversationNotFoundError):
                ask(desk, stranger, conversation_id=attempt)
            assert not desk.run(lambda _, kept, a=attempt, s=stranger: kept.delete(s, a))
    assert listed(desk, ANN) == [mine]


def test_the_operators_conversations_are_nobodys_of_that_name(desk: Any, tea: Any) -> None:
    mine = ask(desk, OPERATOR).conversation_id

    assert listed(desk, OPERATOR) == [mine]
    assert listed(desk, Caller("operator", ())) == []


def test_deleting_leaves_nothing(desk: Any, corpus: Any, tea: Any) -> None:
    mine = ask(desk).conversation_id

    assert desk.run(lambda _, kept: kept.delete(ANN, mine))

    for table in ("conversation", "turn", "answer"):
        assert corpus.value(f"select count(*) from serving.{table}") == 0


def test_expired_ones_are_gone_at_once_and_then_for_good(desk: Any, corpus: Any, tea: Any) -> None:
    mine = ask(desk).conversation_id
    corpus.connection.execute("update serving.conversation set expires_at = now()")

    assert listed(desk, ANN) == []
    with pytest.raises(ConversationNotFoundError):
        read(desk, ANN, mine)
    desk.run(lambda _, kept: kept.expire())
    assert corpus.value("select count(*) from serving.turn") == 0


def test_a_right_that_is_lost_takes_the_answer_along(desk: Any, corpus: Any, model: Any) -> None:
    row = corpus.add("The bonus of the pilot is 900 euros.", acl=["hr"])
    model.say("The bonus of the pilot is 900 euros.")
    kept = desk.ask("What is the bonus of the pilot?", HR)
    assert "900" in kept.text
    conversation = kept.conversation_id

    assert "900" in str(read(desk, HR, conversation))
    assert "900" not in str(read(desk, ANN, conversation))
    assert read(desk, ANN, conversation)["turns"][0]["withheld"]
    model.requests.clear()
    desk.ask("And what is the bonus of the pilot in winter?", ANN, conversation_id=conversation)
    assert all("900" not in model.prompt(index) for index in range(len(model.requests)))

    corpus.connection.execute(
        "update corpus.document set acl = '{board}' where doc_id = %s", (row.doc_id,)
    )
    assert "900" not in str(read(desk, HR, conversation))


def test_what_came_of_a_document_goes_with_it(desk: Any, corpus: Any, tea: Any) -> None:
    conversation = ask(desk).conversation_id

    corpus.connection.execute(
        "update corpus.document set status = 'deleted', text = '', acl = '{!nobody}' "
        "where doc_id = %s",
        (tea.doc_id,),
    )

    assert corpus.value("select answer from serving.turn") is None
    assert corpus.value("select citations::text from serving.turn") == "[]"
    assert read(desk, ANN, conversation)["turns"][0]["withheld"]


def test_a_follow_up_is_asked_with_what_was_said(desk: Any, tea: Any, model: FakeLLM) -> None:
    mine = ask(desk).conversation_id

    desk.ask("And how long does the kettle take?", ANN, conversation_id=mine, style="chat")

    assert "four minutes" in model.prompt()
    assert "Earlier in this conversation" in model.prompt()


def test_an_answer_is_traced_to_its_source(desk: Any, database: Any, tea: Any) -> None:
    answer = ask(desk)

    with connect(database.dsn("operator")) as connection:
        found = lineage.trace(connection, str(answer.answer_id))
        back = lineage.trace(connection, str(tea.chunk_ids[0]))

    assert found["answer"]["model"] == "scripted"
    (passage,) = [item for item in found["passages"] if item["cited"]]
    assert passage["chunk_id"] == tea.chunk_ids[0]
    assert passage["uri"] == "file:///docs/1.txt"
    assert passage["still_current"]
    assert [document["doc_id"] for document in found["documents"]] == [tea.doc_id]
    assert "boils" not in str(found)
    assert [item["answer_id"] for item in back["answers"]] == [answer.answer_id]


def test_the_tables_are_closed_to_everybody_but_the_operator(
    desk: Any, database: Any, tea: Any
) -> None:
    ask(desk)
    for role in ("serving", "pipeline"):
        with psycopg.connect(database.dsn(role), autocommit=True) as connection:
            for table in ("conversation", "turn", "answer"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"select * from serving.{table}")
    with psycopg.connect(database.dsn("operator"), autocommit=True) as connection:
        assert connection.execute("select count(*) from serving.turn").fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from serving.turn")


def test_random_readers_see_exactly_what_they_may(desk: Any, corpus: Any, model: FakeLLM) -> None:
    chance, groups = random.Random(11), ["hr", "legal", "dev"]
    made = []
    for number in range(6):
        acl = chance.sample(groups, chance.randint(0, 2))
        corpus.add(f"The code word of room {number} is w{number}ord.", acl=acl, title=f"R{number}")
        model.say(f"The code word of room {number} is w{number}ord.")
        owner = Caller("ann", tuple(groups))
        answer = desk.ask(f"What is the code word of room {number}?", owner)
        assert f"w{number}ord" in answer.text
        made.append((answer.conversation_id, f"w{number}ord", set(acl)))
    for _ in range(30):
        held = set(chance.sample(groups, chance.randint(0, 3)))
        for conversation, word, acl in made:
            shown = word in str(read(desk, Caller("ann", tuple(held)), conversation)["turns"])
            assert shown == (not acl or bool(acl & held))
