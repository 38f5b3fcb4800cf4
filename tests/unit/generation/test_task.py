"""Task files: what a user writes, what is wrong with it, and what makes it another task."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.generation.prompt import Subject, render
from include.generation.task import SHIPPED, GenerationTask, load_tasks, read_task

PROFILE = """---
description: A line about a listener.
input: {kind: records, fields: [name]}
output:
  type: object
  required: [profile]
  properties:
    profile: {type: string}
system: You write profiles.
---
Describe {{ fields.name }}: {{ text }}
"""


def write(folder: Path, text: str = PROFILE, name: str = "profile.md") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_is_a_task(tmp_path: Path) -> None:
    write(tmp_path)
    task = load_tasks(tmp_path).tasks["profile"]
    _, asked = render(task, Subject("t", "likes blues", "s", "en", {"name": "Paula"}))
    assert asked.content == "Describe Paula: likes blues"
    assert list(task.schema_["properties"]) == ["profile"]


def test_shipped_tasks_stand_beside_own_ones_and_yield_to_them(tmp_path: Path) -> None:
    shipped = (SHIPPED / "document_summary.md").read_text()
    write(tmp_path, shipped.replace("A summary", "Our summary"), "document_summary.md")
    tasks = load_tasks(tmp_path).tasks
    assert {"catalogue_attributes", "marketing_copy", "conversation_labels"} < set(tasks)
    assert tasks["document_summary"].description.startswith("Our summary")


def test_a_summary_of_ones_own_fits_the_table_it_is_published_in(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="`output: document_summary`"):
        read_task(write(tmp_path, PROFILE, "document_summary.md"))
    with pytest.raises(ConfigurationError, match="`output: document_summary`"):
        read_task(write(tmp_path, PROFILE.replace("desc", "name: document_summary\ndesc", 1)))
    shipped = (SHIPPED / "document_summary.md").read_text()
    less = shipped.replace("fields: [summary, ", "fields: [")
    with pytest.raises(ConfigurationError, match="must hold summary"):
        read_task(write(tmp_path, less, "document_summary.md"))


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("checks: {supported: [profile, detials]}", "checks.supported: the output has no field d"),
        ("checks: {numbers: [profil]}", "checks.numbers: the output has no field profil"),
        ("small: {fields: [taste]}", "small.fields: the output has no field taste"),
        ("small: {fields: []}", "small.fields"),
    ],
)
def test_fields_that_the_output_lacks_are_named(tmp_path: Path, added: str, said: str) -> None:
    path = write(tmp_path, PROFILE.replace("system:", f"{added}\nsystem:"))
    with pytest.raises(ConfigurationError) as error:
        read_task(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)


def test_a_small_model_is_checked_for_what_it_is_asked(tmp_path: Path) -> None:
    shipped = (SHIPPED / "document_summary.md").read_text()
    fewer = shipped.replace("[summary, key_points]", "[summary, key_points, questions]")
    small = read_task(write(tmp_path, fewer, "document_summary.md")).for_small_model()
    assert small.checks.supported == ("summary", "key_points")
    assert GenerationTask.model_validate(small.model_dump(mode="json")) == small


def test_a_file_that_cannot_be_used_stops_its_own_task_alone(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, PROFILE.replace("system:", "sytem:"), "half.md")
    # A shipped task does not stand in for the file that was to replace it.
    write(tmp_path, "---\nname: document_summary\nsytem: You: read\n---\n{{ text }}", "mine.md")
    found = load_tasks(tmp_path)
    assert found.find("profile").name == "profile"
    assert found.find("translation").name == "translation"
    for name, said in (("half", "sytem"), ("document_summary", "mine.md"), ("other", "profile")):
        with pytest.raises(ConfigurationError, match=said):
            found.find(name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("---\n", "", 1), "front matter"),
        (("kind: records", "kind: rows"), "input.kind"),
        (("type: object", "type: array"), "object with properties"),
        (("{{ text }}", "{{ txt }}"), "txt"),
        (("{{ text }}", "{% if %}"), "template"),
        (("system: You", "sistem: You"), "sistem"),
        (("kind: records,", "kind: [records,"), "in line 3"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(
    tmp_path: Path, change: tuple[str, ...], said: str
) -> None:
    path = write(tmp_path, PROFILE.replace(change[0], change[1], *map(int, change[2:])))
    with pytest.raises(ConfigurationError) as error:
        read_task(path)
    assert said in str(error.value)
    assert "profile" in str(error.value)


def test_the_version_follows_what_decides_a_reply(tmp_path: Path) -> None:
    first = read_task(write(tmp_path))
    same = read_task(write(tmp_path, PROFILE.replace("A line", "Some line")))
    other = read_task(write(tmp_path, PROFILE.replace("Describe", "Praise")))
    typed = read_task(write(tmp_path, PROFILE.replace("{type: string}", "{type: integer}")))
    assert same.version == first.version
    assert other.version != first.version
    assert typed.version == first.version
    assert typed.schema_hash != first.schema_hash


def test_a_small_model_is_asked_for_shorter_lists_and_texts(tmp_path: Path) -> None:
    shorter = """---
description: A line.
output:
  type: object
  required: [line, tags, tone, long]
  properties:
    line: {type: string, maxLength: 90}
    tags: {type: array, items: {type: string}, minItems: 4}
    tone: {type: string, enum: [calm, a tone that is longer than twenty characters]}
    long: {type: string}
small: {max_items: 3, max_length: 120}
system: You read notes.
---
{{ text }}
"""
    small = read_task(write(tmp_path, shorter)).for_small_model().schema_["properties"]
    assert small["line"]["maxLength"] == 90
    assert small["long"]["maxLength"] == 120
    assert small["tags"]["maxItems"] == 4  # which are the least
    assert "maxLength" not in small["tone"]


def test_a_small_model_is_asked_for_less() -> None:
    task = load_tasks().tasks["document_summary"]
    small = task.for_small_model()
    assert set(small.schema_["properties"]) < set(task.schema_["properties"])
    assert small.options.max_tokens < task.options.max_tokens
    assert small.version != task.version


def test_templates_reach_nothing_of_python(tmp_path: Path) -> None:
    path = write(tmp_path, PROFILE.replace("{{ text }}", "{{ text.__class__.__mro__ }}"))
    with pytest.raises(ConfigurationError):
        read_task(path)


def test_the_house_language_reaches_every_prompt_and_the_version(tmp_path: Path) -> None:
    task = read_task(write(tmp_path))
    german = task.in_house("de", "We speak plainly.")
    system, _ = render(german, Subject("t", "likes blues", "s", "en", {"name": "Paula"}))
    assert system.content == "You write profiles. Write your texts in German."
    assert german.version != task.version
    # No prompt of this task shows a tone, and what its file says of the language stands.
    assert german.version == task.in_house("de", "").version
    own = PROFILE.replace("system:", "options: {language: fr}\nsystem:")
    assert read_task(write(tmp_path, own)).in_house("de", "").options.language == "fr"


def test_what_is_not_asked_for_leaves_the_version_alone(tmp_path: Path) -> None:
    task = read_task(write(tmp_path))
    assert task.in_house(None, "").version == task.version
    shown = read_task(write(tmp_path, PROFILE.replace("{{ text }}", "{{ text }} {{ tone }}")))
    assert shown.in_house(None, "Plainly.").version != shown.in_house(None, "").version
