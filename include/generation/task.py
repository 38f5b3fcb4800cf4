"""Generation tasks as configuration: one file says what is asked, of what, and what comes back.

A task is a Markdown file. Its front matter (YAML) names the input, the output and the checks; its
body is the prompt, a Jinja template. The file's version is a hash of all that decides a reply.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from include import ids, strict_yaml
from include.errors import ConfigurationError
from include.generation.schemas import SHIPPED_SCHEMAS, shorter, smaller

SHIPPED = Path(__file__).with_name("tasks")
SUMMARY = "document_summary"
_NAME = re.compile(r"^name:[ \t]*['\"]?([a-z0-9_]+)", re.MULTILINE)
_STRICT = ConfigDict(extra="forbid", frozen=True)
_CONTEXT_SHARE = 4
"""One token in so many of an input is for passages of other documents, where a task wants any."""


class Input(BaseModel):
    """What a task is asked about.

    Attributes:
        kind: ``documents`` (files), ``records`` (rows of record files) or ``any``.
        sources: their names; empty takes every source that is asked for.
        fields: metadata that the prompt uses; a change of one is paid for again.
        languages: codes; empty takes all.
        foreign: take documents in another language than the one that is written in, and no others.
    """

    model_config = _STRICT

    kind: Literal["documents", "records", "any"] = "any"
    sources: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    foreign: bool = False


class Context(BaseModel):
    """Passages of other documents that go into the prompt.

    Attributes:
        passages: how many; 0 leaves them out.
        query: template of the query that finds them; None makes one of title, leading entities and
            first sentences.
    """

    model_config = _STRICT

    passages: int = Field(0, ge=0, le=10)
    query: str | None = None


class Checks(BaseModel):
    """What a reply must pass.

    Attributes:
        supported: fields whose sentences must be supported by the input.
        numbers: fields in which no number may stand that the input lacks.
        same_language: the reply must be in the input's language, or in the one that is written in.
    """

    model_config = _STRICT

    supported: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    same_language: bool = True


class Options(BaseModel):
    """How the model is asked.

    Attributes:
        input_tokens: longer inputs are cut there, or split.
        split: take long inputs in parts and let the model merge the replies; with ``join`` they are
            put one behind the other, field by field.
        max_tokens: of the reply.
        language: code of the language to write in; None takes the house language of the
            deployment, and without one the input's.
        tone: a sentence that is shown to the model; None takes the house's.
    """

    model_config = _STRICT

    input_tokens: int = Field(2400, ge=100)
    split: bool | Literal["join"] = True
    max_tokens: int = Field(600, ge=16)
    temperature: float = Field(0.0, ge=0, le=2)
    language: str | None = Field(None, pattern="^[a-z]{2}$")
    tone: str | None = None

    @property
    def joins(self) -> bool:
        """Whether replies about parts are put one behind the other."""
        return self.split == "join"


class Small(BaseModel):
    """What is different where a small model on this machine answers.

    Attributes:
        fields: of the output; None keeps all.
        max_items: entries of each of its lists; None leaves what the schema says.
        max_length: characters of each of its texts; None leaves what the schema says.
    """

    model_config = _STRICT

    fields: tuple[str, ...] | None = Field(None, min_length=1)
    max_items: int | None = Field(None, ge=1)
    max_length: int | None = Field(None, ge=1)
    input_tokens: int | None = None
    max_tokens: int | None = None


class GenerationTask(BaseModel):
    """One task, as its file states it.

    Attributes:
        output: name of a shipped schema, or a JSON schema of an object.
        prompt: the body; ``title``, ``text``, ``source``, ``language``, ``fields``, ``entities``,
            ``passages``, ``tone`` and ``house_language`` stand in it.
        merge: template that merges replies about parts; ``replies`` and ``title`` stand in it.
    """

    model_config = _STRICT

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,60}$")
    description: str
    input: Input = Input()
    output: str | dict[str, Any]
    context: Context = Context()
    checks: Checks = Checks()
    options: Options = Options()
    small: Small = Small()
    system: str
    prompt: str
    merge: str = (
        "These are notes on the parts of one text, {{ title }}, in its order:\n\n"
        "{% for reply in replies %}{{ reply }}\n\n{% endfor %}"
        "Write one reply about the whole text from them."
    )

    @field_validator("output")
    @classmethod
    def _known(cls, value: str | dict[str, Any]) -> str | dict[str, Any]:
        from include.generation.schema_check import checked_schema

        if isinstance(value, str) and value not in SHIPPED_SCHEMAS:
            raise ValueError(f"no schema of that name; there are {', '.join(SHIPPED_SCHEMAS)}")
        return checked_schema(value) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _fields_are_in_the_output(self) -> Self:
        properties = self.schema_["properties"]
        named = {
            "checks.supported": self.checks.supported,
            "checks.numbers": self.checks.numbers,
            "small.fields": self.small.fields or (),
        }
        for place, fields in named.items():
            unknown = [name for name in fields if name not in properties]
            if unknown:
                raise ValueError(
                    f"{place}: the output has no field {', '.join(unknown)}; it has "
                    f"{', '.join(properties)}"
                )
        return self

    def for_small_model(self) -> GenerationTask:
        """Return the task with what its file says of small models applied."""
        changes = {
            name: value
            for name in ("input_tokens", "max_tokens")
            if (value := getattr(self.small, name)) is not None
        }
        options = self.options.model_copy(update=changes)
        output = shorter(self.schema_, self.small.max_items, self.small.max_length)
        kept = self.small.fields
        if kept is None:
            return self.model_copy(update={"options": options, "output": output})
        left = {
            name: tuple(one for one in getattr(self.checks, name) if one in kept)
            for name in ("supported", "numbers")
        }
        return self.model_copy(
            update={
                "options": options,
                "output": smaller(output, kept),
                "checks": self.checks.model_copy(update=left),
            }
        )

    @property
    def schema_(self) -> dict[str, Any]:
        """The JSON schema that replies must follow."""
        return SHIPPED_SCHEMAS[self.output] if isinstance(self.output, str) else self.output

    def in_house(self, language: str | None, tone: str) -> GenerationTask:
        """Return the task with the deployment's language and tone, where its file names none."""
        options = self.options.model_copy(
            update={
                "language": self.options.language or language,
                "tone": tone if self.options.tone is None else self.options.tone,
            }
        )
        return self.model_copy(update={"options": options})

    @property
    def context_tokens(self) -> int:
        """Tokens that passages may have together; they are part of the input's."""
        return self.options.input_tokens // _CONTEXT_SHARE if self.context.passages else 0

    @property
    def text_tokens(self) -> int:
        """Tokens that the text of a document may have in one question."""
        return self.options.input_tokens - self.context_tokens

    @property
    def schema_hash(self) -> str:
        """Hash of the output's schema, part of what is paid for."""
        return ids.json_hash(self.schema_)

    @property
    def version(self) -> str:
        """Hash of all but the schema that decides a reply, in 16 digits."""
        deciding = self.model_dump(
            mode="json",
            include={"name", "input", "context", "options", "system", "prompt", "merge"},
        )
        # Which inputs are taken decides no reply; which of their fields are shown does.
        deciding["input"] = {"fields": sorted(self.input.fields)}
        # A tone that no prompt shows and a query that nobody asks decide nothing.
        if not self.options.tone or "tone" not in self.system + self.prompt + self.merge:
            del deciding["options"]["tone"]
        if not self.context.passages:
            deciding["context"] = {"passages": 0, "query": "{{ title }}"}
        return ids.json_hash(deciding)[:16]


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """The tasks of a deployment.

    Attributes:
        tasks: by name.
        broken: what is wrong with the files that cannot be used, by the names of their tasks.
        own: the folder of the deployment's own.
    """

    tasks: dict[str, GenerationTask]
    broken: dict[str, str]
    own: Path | None = None

    def find(self, name: str) -> GenerationTask:
        """Return a task; files of others may be broken.

        Raises:
            ConfigurationError: there is none of that name, or its file cannot be used.
        """
        if name in self.broken:
            raise ConfigurationError(self.broken[name])
        if name not in self.tasks:
            raise ConfigurationError(
                f"There is no task {name}; there are: {', '.join(self.tasks)}."
                + (f" A task file belongs into {self.own}." if self.own else "")
            )
        return self.tasks[name]


def load_tasks(own: Path | None = None) -> TaskFiles:
    """Read the shipped tasks and a deployment's own, which win where names are equal.

    Args:
        own: a folder of task files; one that does not exist holds none.
    """
    tasks: dict[str, GenerationTask] = {}
    broken: dict[str, str] = {}
    for folder in (SHIPPED, own):
        for path in sorted(folder.glob("*.md")) if folder is not None else ():
            try:
                task = read_task(path)
            except ConfigurationError as error:
                # Nothing is asked with a shipped prompt that a broken file was to replace.
                broken[_stated_name(path)] = str(error)
            else:
                tasks[task.name] = task
    return TaskFiles(tasks, broken, own)


def _stated_name(path: Path) -> str:
    """Return the name of the task that a file is about, whatever else is wrong with it."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if stated := _NAME.search(path.read_text(encoding="utf-8")):
            return stated[1]
    return path.stem


def read_task(path: Path) -> GenerationTask:
    """Read one task file.

    Raises:
        ConfigurationError: it cannot be used.
    """
    from include.generation.prompt import check_templates

    head, body = _split(path)
    try:
        task = GenerationTask.model_validate({"name": path.stem, **head, "prompt": body.strip()})
        check_templates(task)
        _check_summary(task)
    except ValidationError as error:
        wrong = "; ".join(map(_described, error.errors()))
    except ConfigurationError as error:
        wrong = str(error)
    else:
        return task
    raise ConfigurationError(f"The task file {path} cannot be used. {wrong}")


def _described(item: Mapping[str, Any]) -> str:
    place = ".".join(map(str, item["loc"]))
    reason = str(item["msg"]).removeprefix("Value error, ")
    return f"{place}: {reason}" if place else reason


def _check_summary(task: GenerationTask) -> None:
    """Let no file of that name write what its table in the warehouse cannot hold."""
    if task.name != SUMMARY:
        return
    if task.output != SUMMARY:
        raise ConfigurationError(
            f"output: a task named {SUMMARY} must have `output: {SUMMARY}`. Write that, or give "
            "the task another name."
        )
    if task.small.fields is not None and "summary" not in task.small.fields:
        raise ConfigurationError("small.fields: it must hold summary.")


def _split(path: Path) -> tuple[dict[str, Any], str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The task file {path} cannot be read ({type(error).__name__})."
        ) from None
    parts = text.replace("\r\n", "\n").split("---\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise ConfigurationError(
            f"The task file {path} has no front matter: a line `---`, YAML, a line `---`, and then "
            "the prompt. docs/generation-tasks.md shows one."
        )
    try:
        head = strict_yaml.load(parts[1], lines_before=parts[0].count("\n") + 1)
    except strict_yaml.StrictYamlError as error:
        raise ConfigurationError(f"The front matter of {path} is no YAML: {error}.") from None
    if not isinstance(head, dict):
        raise ConfigurationError(f"The front matter of {path} must be a table of YAML.")
    return {str(key): value for key, value in head.items()}, parts[2]
