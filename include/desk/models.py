"""What the page asks and sends. Every text is bounded; fields that are not known are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from include.query.http.models import Text

Value = Annotated[Text, Field(max_length=20_000)]
# Stripped of what Unicode calls white space; the database knows blanks alone.
Reason = Annotated[Text, AfterValidator(str.strip), Field(min_length=1, max_length=2_000)]


@dataclass(frozen=True, slots=True)
class Person:
    """Who looks at the page.

    Attributes:
        name: the id that Airflow knows the person by; decisions are stored under it.
        groups: whose documents the person may see.
        may_decide: whether Airflow lets the person answer tasks that wait for people.
    """

    name: str
    groups: tuple[str, ...]
    may_decide: bool


class DecisionBody(BaseModel):
    """A decision about a row.

    Attributes:
        seen: hash of the output that was shown.
        fields: of an edit, the fields that are to say something else.
    """

    model_config = ConfigDict(extra="forbid")

    action: Literal["approve", "edit", "reject"]
    seen: Annotated[Text, Field(min_length=1, max_length=200)]
    reason: Reason
    fields: Annotated[
        dict[
            Annotated[str, Field(max_length=200)],
            Value | Annotated[list[Value], Field(max_length=100)],
        ],
        Field(max_length=50),
    ] = Field(default_factory=dict)
