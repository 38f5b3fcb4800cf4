"""Prompts from templates: what a document shows of itself, within a budget of tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from include.errors import ConfigurationError
from include.generation.languages import language_name
from include.generation.templates import TemplateFailureError, filled, names_in
from include.llm import Message
from include.llm.wire import defused

if TYPE_CHECKING:
    from include.generation.task import GenerationTask

_NAMES = (
    "title",
    "text",
    "source",
    "language",
    "fields",
    "entities",
    "passages",
    "tone",
    "house_language",
    "replies",
)
_DETAIL_CHARACTERS = 300
_QUERY_WORDS = 60
_LEADING_NAMES = 5
_OPENING_SENTENCES = 2
_PUNCTUATION = ".,;:!?()[]{}<>\"'`*_#|-\u2013\u2014"
# What stands in the place of something masked: no word of any document.
_MASK = re.compile(r"\[[a-z][a-z0-9_/]*\]")
_FENCE_END = re.compile(r"<\s*/\s*document\s*>", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])|\n+")
Count = Callable[[str], int]
"""Tokens of a text, as the model counts them or rather too many."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A document or record as a prompt may show it: masked, without flagged sentences.

    Attributes:
        fields: metadata that the task uses, by name.
        entities: names that occur in it, most frequent first.
        passages: texts of related documents.
    """

    title: str
    text: str
    source: str
    language: str
    fields: dict[str, Any] = field(default_factory=dict)
    entities: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()


def check_templates(task: GenerationTask) -> None:
    """Render a task's templates, also for a document that lacks what they show.

    Raises:
        ConfigurationError: one of them cannot be rendered, or shows nothing of what it is about.
    """
    _check_that_input_is_shown(task)
    fields = dict.fromkeys(task.input.fields, "v")
    _try(task, Subject("t", "t", "s", "en", dict(fields), ("e", "f"), ("p", "q")), None)
    _try(task, Subject("", "", "s", "", dict(fields)), None)
    for name in fields:
        _try(task, Subject("t", "t", "s", "en", {**fields, name: None}), name)
    _try(task, Subject("t", "t", "s", "en", dict.fromkeys(fields)), ", ".join(fields))


def _check_that_input_is_shown(task: GenerationTask) -> None:
    shows = ("title", "text", *(("fields",) if task.input.fields else ()))
    wanted = {"prompt": (task.prompt, shows)}
    if task.options.split is True:
        wanted["merge"] = (task.merge, ("replies",))
    for place, (template, names) in wanted.items():
        try:
            shown = names_in(template)
        except TemplateFailureError as failure:
            raise _unusable(task, place, f"{failure.where}: {failure.detail}") from None
        if not shown.intersection(names):
            some = " or ".join(f"{{{{ {name} }}}}" for name in names)
            raise ConfigurationError(
                f"The {place} of the task {task.name} shows nothing of its input: write {some} "
                "where it belongs."
            )


def _try(task: GenerationTask, subject: Subject, missing: str | None) -> None:
    """Render every template with values that are of no document."""
    values = _values(task, subject)
    templates = {
        "prompt": (task.prompt, values),
        "merge": (task.merge, {**values, "text": "", "replies": ["reply"]}),
        "context.query": (task.context.query or "", values),
    }
    for place, (template, given) in templates.items():
        try:
            filled(template, given)
        except TemplateFailureError as failure:
            advice = (
                f" A document may lack the field {missing}: write such as "
                f"{{{{ fields.{missing.split(', ')[0]} or '' }}}}."
                if missing
                else ""
            )
            told = f"{failure.where}: {failure.detail[:_DETAIL_CHARACTERS]}"
            raise _unusable(task, place, told, advice) from None


def _unusable(task: GenerationTask, place: str, told: str, advice: str = "") -> ConfigurationError:
    return ConfigurationError(
        f"The template {place} of the task {task.name} cannot be rendered ({told}). It may use "
        f"{', '.join(_NAMES)}.{advice}"
    )


def render(task: GenerationTask, subject: Subject) -> tuple[Message, ...]:
    """Return the messages that ask about one document, or about one part of it."""
    asked = _fill(task, "prompt", task.prompt, _values(task, subject))
    return (Message("system", _system(task)), Message("user", asked))


def merge_messages(
    task: GenerationTask, subject: Subject, replies: Sequence[str]
) -> tuple[Message, ...]:
    """Return the messages that make one reply of those about the parts of a document."""
    values = {**_values(task, subject), "text": "", "replies": list(replies)}
    asked = _fill(task, "merge", task.merge, values)
    return (Message("system", _system(task)), Message("user", asked))


def _system(task: GenerationTask) -> str:
    """Return who the model is to be, and the language it writes where the prompt does not say."""
    language = task.options.language
    if language is None or "house_language" in task.prompt:
        return task.system.strip()
    return f"{task.system.strip()} Write your texts in {language_name(language)}."


def query_of(task: GenerationTask, subject: Subject) -> str:
    """Return the query that finds related passages: a document rewritten for search.

    Without a template of the task's it is made of what tells a document apart: its title, the names
    that lead in it and its first sentences. Each word stands in it once, and masks do not.
    """
    if task.context.query is None:
        names = " ".join(subject.entities[:_LEADING_NAMES])
        asked = f"{subject.title} {names} {_opening(subject.text)}"
    else:
        asked = _fill(task, "context.query", task.context.query, _values(task, subject))
    words = _MASK.sub(" ", asked).split()
    once: dict[str, str] = {}
    for word in words:
        once.setdefault(word.casefold().strip(_PUNCTUATION), word)
    once.pop("", None)
    return " ".join(list(once.values())[:_QUERY_WORDS])


def _opening(text: str) -> str:
    return " ".join(_SENTENCE.split(text.strip(), maxsplit=_OPENING_SENTENCES)[:_OPENING_SENTENCES])


def parts_of(text: str, count: Count, budget: int) -> list[str]:
    """Cut a text into parts of at most ``budget`` tokens, at paragraphs where there are any.

    A paragraph that is too long is cut at sentences' ends or blanks, a word that is too long
    anywhere. Joined, the parts are the text but for blanks at the cuts.
    """
    parts: list[str] = []
    current = ""
    for block in _blocks(text, count, budget):
        joined = f"{current}\n{block}" if current else block
        if current and count(joined) > budget:
            parts.append(current)
            current = block
        else:
            current = joined
    return [*parts, current] if current else parts


def _blocks(text: str, count: Count, budget: int) -> list[str]:
    blocks: list[str] = []
    for line in text.split("\n"):
        rest = line.strip()
        while rest:
            size = _fitting(rest, count, budget)
            blocks.append(rest[:size].strip())
            rest = rest[size:].strip()
    return blocks


def _fitting(text: str, count: Count, budget: int) -> int:
    """Return how many characters from the start fit, ending at a sentence or a blank."""
    size = len(text)
    while size > 1:
        needed = count(text[:size])
        if needed <= budget:
            break
        size = max(1, min(size - 1, int(size * budget / needed)))
    if size == len(text):
        return size
    for mark in (". ", "。", "! ", "? ", "; ", " "):
        at = text.rfind(mark, size // 2, size)
        if at > 0:
            return at + len(mark)
    return size


def _values(task: GenerationTask, subject: Subject) -> dict[str, Any]:
    language = task.options.language
    return {
        "title": subject.title,
        "text": subject.text,
        "source": subject.source,
        "language": subject.language,
        "fields": {name: subject.fields.get(name) for name in task.input.fields},
        "entities": list(subject.entities),
        "passages": list(subject.passages),
        "tone": task.options.tone or "",
        "house_language": language_name(language) if language else "",
        "replies": [],
    }


def _fill(task: GenerationTask, place: str, template: str, values: dict[str, Any]) -> str:
    try:
        return filled(template, _defused(values))
    except TemplateFailureError as failure:
        # Its text may quote the document.
        raise _unusable(task, place, failure.where) from None


def _defused(value: Any) -> Any:
    """Let no document end the fence around it, nor speak as somebody else."""
    if isinstance(value, str):
        return _FENCE_END.sub("< /document>", defused(value))
    if isinstance(value, list):
        return [_defused(item) for item in value]
    if isinstance(value, dict):
        return {_defused(name): _defused(item) for name, item in value.items()}
    return value
