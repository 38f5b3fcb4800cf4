"""Jinja templates of task files: what they name, and filling them within bounds.

A template comes from whoever runs the deployment, so the bounds are against mistakes: a loop that
would not end, a text that would not fit into memory.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.runtime import Context
    from jinja2.sandbox import ImmutableSandboxedEnvironment

_STEPS = "_steps"
_MOST_STEPS = 100_000
_MOST_CHARACTERS = 2_000_000
_MOST_BITS = 4096


class TemplateFailureError(Exception):
    """A template cannot be filled.

    Attributes:
        where: the exception's class and the template's line: nothing of what was filled in.
        detail: the exception's text, which may quote what was filled in.
    """

    def __init__(self, error: Exception) -> None:
        line = _line(error)
        self.where = type(error).__name__ + (f" in line {line}" if line else "")
        self.detail = str(error)
        super().__init__(self.where)


def filled(template: str, values: Mapping[str, Any]) -> str:
    """Return a template with values in it.

    Raises:
        TemplateFailureError: it cannot be filled, or does not end.
    """
    try:
        return _compiled(template).render({**values, _STEPS: count(1)}).strip()
    except Exception as error:  # A template is a program: it may raise anything.
        raise TemplateFailureError(error) from None


def names_in(template: str) -> set[str]:
    """Return the names that a template takes from outside.

    Raises:
        TemplateFailureError: it is no template.
    """
    from jinja2 import meta

    try:
        return meta.find_undeclared_variables(_environment().parse(template))
    except Exception as error:
        raise TemplateFailureError(error) from None


def _line(error: Exception) -> int | None:
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == "<template>"
    ]
    found: int | None = getattr(error, "lineno", None)
    return lines[-1] if lines else found


@lru_cache(maxsize=64)
def _compiled(template: str) -> Template:
    from jinja2 import nodes

    environment = _environment()
    tree = environment.parse(template)
    for loop in list(tree.find_all(nodes.For)):
        loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None)
    return environment.from_string(tree)


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined, pass_context
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Bounded(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**"})

        def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
            _check_size(operator, left, right)
            return super().call_binop(context, operator, left, right)

        def call(self, context: Context, called: Any, /, *args: Any, **named: Any) -> Any:
            _tick(context)
            return super().call(context, called, *args, **named)

    # Prompts are no HTML: what a document holds is fenced and defused, not escaped.
    environment = Bounded(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    counted: Callable[[Context, Iterable[Any]], Iterator[Any]] = pass_context(_counted)
    environment.filters["counted"] = counted
    return environment


def _counted(context: Context, values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        _tick(context)
        yield value


def _tick(context: Context) -> None:
    if next(context[_STEPS]) > _MOST_STEPS:
        raise OverflowError(f"more than {_MOST_STEPS} steps of loops and calls")


def _check_size(operator: str, left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        times = abs(right) if operator == "**" else 1
        if left.bit_length() * times + right.bit_length() > _MOST_BITS:
            raise OverflowError("a number that is too large")
        return
    for one, times in ((left, right), (right, left)):
        many = isinstance(one, (str, list, tuple)) and isinstance(times, int)
        if operator == "*" and many and len(one) * times > _MOST_CHARACTERS:
            raise OverflowError(f"a text or list of more than {_MOST_CHARACTERS}")
