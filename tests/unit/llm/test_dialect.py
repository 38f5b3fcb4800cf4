"""What an endpoint was found not to take."""

from __future__ import annotations

from include.llm import Message
from include.llm.dialect import Dialect
from include.llm.wire import chat_body

SCHEMA = {"type": "object", "required": ["a"]}
PLAIN = chat_body("m", [Message("user", "Hi")], max_tokens=5, temperature=0.0, schema=SCHEMA)


def test_a_schema_that_is_no_option_is_told() -> None:
    dialect = Dialect()
    told, first = dialect.changed(PLAIN, "response_format.type must be json_object") or ({}, "")
    assert told["response_format"] == {"type": "json_object"}
    assert '"required": ["a"]' in told["messages"][0]["content"]
    bare, second = dialect.changed(told, "unknown field response_format") or ({}, "")
    assert "response_format" not in bare
    assert bare["messages"] == told["messages"]
    assert dialect.changed(bare, "unknown field response_format") is None
    assert dialect.spoken(PLAIN) == PLAIN, "nothing is learnt before the endpoint took it"
    dialect.learn([first, second])
    assert dialect.spoken(PLAIN) == bare


def test_the_schema_joins_the_instructions_that_are_there() -> None:
    body = chat_body("m", [Message("system", "Be brief."), Message("user", "Hi")],
                     max_tokens=5, temperature=0.0, schema=SCHEMA)  # fmt: skip
    told, _ = Dialect().changed(body, "json_schema") or ({}, "")
    assert [message["role"] for message in told["messages"]] == ["system", "user"]
    assert told["messages"][0]["content"].startswith("Be brief.\n\nReply with one JSON object")


def test_what_is_learnt_holds_for_any_body_and_once() -> None:
    dialect = Dialect()
    dialect.learn(["limit renamed", "no temperature"])
    once = dialect.spoken(PLAIN)
    assert once["max_completion_tokens"] == 5
    assert not {"max_tokens", "temperature"} & once.keys()
    assert dialect.spoken(once) == once


def test_other_complaints_change_nothing() -> None:
    assert Dialect().changed(PLAIN, "context_length_exceeded") is None
