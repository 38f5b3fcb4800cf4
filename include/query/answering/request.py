"""What is asked for, and the limits of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args
from uuid import UUID

from include.query.answering.events import Style
from include.query.errors import InvalidQueryError
from include.query.filters import Filters

LONGEST_QUESTION = 2_000
_MOST_FIELDS = 8
_LONGEST_VALUE = 200
_MOST_HISTORY = 20


@dataclass(frozen=True, slots=True)
class History:
    """What the visitor did lately; untrusted.

    Attributes:
        viewed: ids of documents, newest first.
        queries: earlier queries, newest first.
    """

    viewed: tuple[UUID, ...] = ()
    queries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """A question and how it is to be answered.

    Attributes:
        conversation_id: the conversation that it continues; None begins a new one.
        filters: as a search takes them.
        profile: a few short fields of the visitor, such as role, locale and interests.
        history: tells a follow-up what it follows where there is no conversation, and the model
            what the visitor has read and asked.
    """

    query: str
    style: Style = "chat"
    conversation_id: UUID | None = None
    filters: Filters | None = None
    profile: Mapping[str, str] = field(default_factory=dict)
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            InvalidQueryError: something is missing, too long or not known.
        """
        if not self.query.strip():
            raise InvalidQueryError("The query is empty; ask something.")
        if len(self.query) > LONGEST_QUESTION:
            raise InvalidQueryError(f"A question has {LONGEST_QUESTION} characters at most.")
        if self.style not in get_args(Style):
            raise InvalidQueryError("style must be short, detailed or chat.")
        values = [*self.profile.keys(), *self.profile.values()]
        if len(self.profile) > _MOST_FIELDS or any(
            not isinstance(value, str) or len(value) > _LONGEST_VALUE for value in values
        ):
            raise InvalidQueryError(
                f"profile takes {_MOST_FIELDS} fields at most, each a text of up to "
                f"{_LONGEST_VALUE} characters."
            )
        if max(len(self.history.viewed), len(self.history.queries)) > _MOST_HISTORY or any(
            len(query) > LONGEST_QUESTION for query in self.history.queries
        ):
            raise InvalidQueryError(
                f"history takes {_MOST_HISTORY} document ids and {_MOST_HISTORY} queries at most."
            )

    @property
    def locale(self) -> str | None:
        """The visitor's locale, where the profile says one."""
        return self.profile.get("locale")


@dataclass(frozen=True, slots=True)
class AnswerPolicy:
    """Limits of an answer; a deployment sets them.

    Attributes:
        seconds: for the model to write in; what is not written then is left out.
        wait_seconds: for the model to begin; then the documents are quoted.
        context_tokens: of a prompt at most; the model's own limit holds besides.
        candidates: drafts that are written and ranked; more than one comes unstreamed.
        understanding_ms: for what only a model can do before the search.
        top_k: hits that are read.
        likely: evidence that is less likely to hold the answer is not even shown to the model.
        quotable: evidence must be this likely to be quoted in place of a model's answer.
        beyond_doubt: evidence that is this likely is quoted although the model found no answer:
            small models give up easily.
    """

    seconds: float = 60.0
    wait_seconds: float = 45.0
    context_tokens: int = 800
    candidates: int = 1
    understanding_ms: float = 60.0
    top_k: int = 8
    likely: float = 0.25
    quotable: float = 0.5
    beyond_doubt: float = 0.6
    max_sentences: Mapping[Style, int] = field(
        default_factory=lambda: {"short": 2, "detailed": 10, "chat": 5}
    )
    max_tokens: Mapping[Style, int] = field(
        default_factory=lambda: {"short": 90, "detailed": 400, "chat": 200}
    )
