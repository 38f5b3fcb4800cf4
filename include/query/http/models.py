"""What requests hold and what responses look like, as the OpenAPI document states them.

Responses are built by the real-time side itself; their models here document them and let tests
check them. Every text and list of a request is bounded, and fields that are not known are refused:
a filter with a typing error must not silently be none.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from include.query.answering.events import Style
from include.query.results import Mode

_DEEPEST_FILTER = 4


def _storable(text: str) -> str:
    # Postgres holds neither NUL nor lone surrogates in a text; nobody means one.
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()


def _storable_values(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST_FILTER:
        raise ValueError("a filter has no such depth")
    if isinstance(value, dict):
        return {
            _storable(str(name)): _storable_values(item, depth + 1) for name, item in value.items()
        }
    if isinstance(value, list):
        return [_storable_values(item, depth + 1) for item in value]
    return _storable(value) if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_storable)]
Query = Annotated[Text, Field(max_length=10_000, description="What is asked.")]
Filters = Annotated[
    dict[Annotated[str, Field(max_length=200)], Any],
    AfterValidator(_storable_values),
    Field(
        max_length=32,
        description="Field to a value, a list of values (any of them) or "
        '`{"gte", "lte", "not"}`; fields are joined by and.',
    ),
]
ShortText = Annotated[Text, Field(max_length=500)]
Cursor = Annotated[
    str, Field(max_length=4_000, description="`next` of the page before; all else as there.")
]


class Request(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid")


class Response(BaseModel):
    """A response's body; later versions may add fields."""

    model_config = ConfigDict(extra="allow")


class SessionRequest(Request):
    """Who comes in: exactly one of the two."""

    code: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    token: Annotated[str, Field(min_length=1, max_length=8_000)] | None = None


class SessionResponse(Response):
    """Who is in."""

    user: str
    groups: list[str]
    roles: list[str]
    expires_at: datetime
    managed: bool = Field(description="The identity comes from Airflow; signing out happens there.")


class SearchRequest(Request):
    """A search."""

    query: Query
    top_k: Annotated[int, Field(ge=1, le=200, description="Hits at most.")] = 10
    filters: Filters | None = None
    mode: Mode = "hybrid"
    cursor: Cursor | None = None
    passages_per_document: Annotated[int, Field(ge=1, le=200)] = 1
    neighbours: Annotated[
        int, Field(ge=0, le=3, description="Passages before and after each hit to give with it.")
    ] = 0
    facets: Annotated[bool, Field(description="Count values of the documents found.")] = True
    as_typed: Annotated[
        bool, Field(description="Neither correct the spelling nor read filters out of the words.")
    ] = False


class Hit(Response):
    """A passage found."""

    rank: int
    doc_id: UUID
    chunk_id: UUID
    uri: str
    title: str
    text: str
    score: float
    flags: list[str]
    metadata: dict[str, Any]
    source: str
    type: str
    language: str
    modified_at: datetime
    start_char: int
    end_char: int
    page: int | None
    heading_path: list[str]


class FacetValue(Response):
    """A value and how many of the documents found have it."""

    value: str
    count: int


class Reading(Response):
    """What the words of a query were taken to mean."""

    corrected: str | None
    suggestion: str | None
    filters: dict[str, Any]
    intent: str
    language: str


class SearchResponse(Response):
    """What a search found."""

    query_id: UUID
    query: str
    hits: list[Hit]
    facets: dict[str, list[FacetValue]]
    next: str | None
    understood: Reading | None
    timings_ms: dict[str, float]


class History(Request):
    """What the visitor did before: untrusted, used as a hint."""

    documents: Annotated[list[UUID], Field(max_length=20)] = []
    queries: Annotated[list[ShortText], Field(max_length=20)] = []


Profile = Annotated[
    dict[
        Annotated[Text, Field(max_length=40)],
        Annotated[Text, Field(max_length=200)]
        | Annotated[list[Annotated[Text, Field(max_length=80)]], Field(max_length=10)],
    ],
    Field(max_length=8, description="A few short fields, such as role, locale, interests."),
]


class AnswerRequest(Request):
    """A question."""

    query: Query
    style: Style = "chat"
    conversation_id: UUID | None = None
    filters: Filters | None = None
    profile: Profile | None = None
    history: History | None = None


class Image(Response):
    """An image of a document: a preview; `url` is relative to the service's base address."""

    url: str
    alt: str
    caption: str
    start_char: int
    width: int
    height: int


class CitedImage(Image):
    """An image of a passage that an answer cites."""

    marker: int
    doc_id: UUID
    chunk_id: UUID


class Citation(Response):
    """Where a sentence comes from."""

    marker: int
    doc_id: UUID
    chunk_id: UUID
    uri: str
    quote: str
    start_char: int
    end_char: int
    verified: bool


class AnswerResponse(Response):
    """An answer."""

    answer_id: UUID
    answer: str
    html: str
    citations: list[Citation]
    images: list[CitedImage]
    refused: bool
    degraded: bool
    conversation_id: UUID | None
    timings_ms: dict[str, float]


class FeedbackRequest(Request):
    """A verdict on an answer or a query of one's own: exactly one of the two ids."""

    answer_id: UUID | None = None
    query_id: UUID | None = None
    rating: Literal["up", "down"]
    comment: Annotated[Text, Field(max_length=2_000)] = ""


class DocumentMention(Response):
    """An entity where it stands in the text."""

    start_char: int
    end_char: int
    text: str
    label: str


class DocumentResponse(Response):
    """A document."""

    doc_id: UUID
    source: str
    uri: str
    title: str
    language: str
    type: str
    text: str
    metadata: dict[str, Any]
    modified_at: datetime
    flags: list[dict[str, Any]]
    mentions: list[DocumentMention]
    images: list[Image]


class Conversation(Response):
    """A conversation in the list."""

    conversation_id: UUID
    title: str
    updated_at: datetime


class ConversationList(Response):
    """The caller's conversations, the newest first."""

    conversations: list[Conversation]


class ConversationTurns(Response):
    """A conversation with its turns, the oldest first."""

    conversation_id: UUID
    title: str
    turns: list[dict[str, Any]]


class Health(Response):
    """Whether the process lives, or can serve."""

    status: str
    checks: dict[str, str] = {}


class Problem(Response):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[dict[str, Any]] | None = None
