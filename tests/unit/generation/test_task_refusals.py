"""Task files that cannot work are refused when they are read: one error, with the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.generation.prompt import Subject, render
from include.generation.schema_check import checked_schema
from include.generation.schemas import SHIPPED_SCHEMAS
from include.generation.task import GenerationTask, read_task
from tests.unit.generation.test_task import PROFILE, write

SHOWN = "Describe {{ fields.name }}: {{ text }}"
FIELD = "profile: {type: string}"


def deep(levels: int) -> str:
    return "{properties: {a: " * levels + "{type: string}" + "}}" * levels


def refusal(folder: Path, before: str, after: str) -> str:
    path = write(folder, PROFILE.replace(before, after, 1))
    with pytest.raises(ConfigurationError) as error:
        read_task(path)
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Write a profile.", "shows nothing of its input"),
        ("{# {{ text }} #} Write a profile.", "shows nothing of its input"),
        ("{{ language }} {{ tone }}", "{{ text }}"),
        ("{{ text }}{{ 1/0 }}", "ZeroDivisionError in line 1"),
        ("{{ text }}\n{{ range(10**7)|list }}", "OverflowError in line 2"),
        ("{{ text }}{{ 'a' * (10**11) }}", "more than 2000000"),
        ("{{ text }}{{ 10**(10**11) }}", "too large"),
        ("{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ text }}{{ m(1) }}", "RecursionError"),
        (
            "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}"
            "{{ m(60) }}{{ text }}",
            "steps of loops",
        ),
        (
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
            "{{ text }}",
            "steps of loops",
        ),
        ("{{ fields.name | join(', ') }}", "{{ fields.name or '' }}"),
        ("{{ text }}{{ entities[0] }}", "prompt"),
    ],
)
def test_prompts(tmp_path: Path, prompt: str, said: str) -> None:
    assert said in refusal(tmp_path, SHOWN, prompt)


@pytest.mark.parametrize("prompt", ["{{ fields.name or '' }}", "{{ title }}", "{{ text[:80] }}"])
def test_prompts_that_show_something(tmp_path: Path, prompt: str) -> None:
    assert read_task(write(tmp_path, PROFILE.replace(SHOWN, prompt))).prompt == prompt


def test_a_merge_shows_the_replies(tmp_path: Path) -> None:
    said = refusal(tmp_path, "system:", "merge: Write one.\nsystem:")
    assert "merge of the task profile shows nothing" in said
    assert "{{ replies }}" in said


def test_an_error_while_asking_quotes_no_document() -> None:
    task = GenerationTask(
        name="profile",
        description="d",
        output={"type": "object", "properties": {"profile": {"type": "string"}}},
        system="s",
        prompt="About this:\n{{ {}[text] }}",
    )
    with pytest.raises(ConfigurationError) as error:
        render(task, Subject("t", "a secret sentence", "s", "en"))
    assert "secret" not in str(error.value)
    assert "The template prompt of the task profile" in str(error.value)
    assert "(UndefinedError in line 2)" in str(error.value)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("profile: {$ref: '#/$defs/taste'}", "#/$defs/taste"),
        ("profile: {items: {$ref: 'https://example.com/taste.json'}}", "https://example.com"),
        ("profile: {$ref: '#/required'}", "#/required"),
        ("profile: {$ref: '#/properties/profile'}", "back to itself"),
        (f"profile: {deep(40)}", "levels deep"),
        (f"profile: {deep(300)}", "deep"),
        ("profile: {const: 2026-01-01}", "date"),
        ("profile: {const: !!binary aGVsbG8=}", "bytes"),
        ("profile: {const: !!timestamp soon}", "front matter"),
        ("profile: {const: .nan}", "nan"),
        ("profile: &a {items: *a}", "Circular"),
        ("2026-01-01: {type: string}", "date"),
        ("profile: {pattern: '['}", "regex"),
    ],
)
def test_schemas(tmp_path: Path, field: str, said: str) -> None:
    assert said in refusal(tmp_path, FIELD, field)


def test_schemas_whose_references_stay_within_are_taken() -> None:
    for schema in SHIPPED_SCHEMAS.values():
        assert checked_schema(schema) == schema
    tree = {
        "type": "object",
        "properties": {"$ref": {"type": "array", "items": {"$ref": "#"}}},
    }
    assert checked_schema(tree) == tree


def test_a_value_that_aliases_make_huge_is_refused_at_once(tmp_path: Path) -> None:
    fields = ["p0: {enum: &a0 [x, y]}"]
    fields += [f"p{n}: {{enum: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    assert "more than" in refusal(tmp_path, FIELD, "\n    ".join([FIELD, *fields]))


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("system: Other.", "`system` stands twice in one table in line 10"),
        ("checks: {supported: [profile], supported: []}", "`supported` stands twice"),
        (f"x: {'[' * 3000}{']' * 3000}", "too deep"),
        (f"x: {'{a: ' * 3000}{'}' * 3000}", "too deep"),
    ],
)
def test_front_matter(tmp_path: Path, added: str, said: str) -> None:
    assert said in refusal(tmp_path, "system:", f"{added}\nsystem:")
