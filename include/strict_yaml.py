"""YAML that people write: what is stated twice or makes no sense is refused with its line."""

from __future__ import annotations

from typing import Any

import yaml

# What the library raises where a value does not fit its tag, beside its own errors.
_WRONG_VALUES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class StrictYamlError(ValueError):
    """A text is no YAML, or says the same twice; the message names the line."""


class _Loader(yaml.SafeLoader):
    """A loader that refuses keys that stand twice in one table."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"`{key.value}` stands twice in one table",
                        problem_mark=key.start_mark,
                    )
                seen.add((key.tag, key.value))
        return node


def load(text: str, *, lines_before: int = 0) -> Any:
    """Return what a text says.

    Args:
        text: one document of YAML.
        lines_before: how many lines of its file stand before it.

    Raises:
        StrictYamlError: it cannot be read.
    """
    try:
        # A subclass of the safe loader.
        return yaml.load(text, _Loader)  # ruff: ignore[unsafe-yaml-load]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" in line {mark.line + 1 + lines_before}" if mark else ""
        raise StrictYamlError(f"{error.problem or error.context}{where}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 + lines_before
        raise StrictYamlError(f"{error.reason} in line {line}") from None
    except (RecursionError, MemoryError):
        raise StrictYamlError("its tables and lists lie too deep in each other") from None
    except (yaml.YAMLError, *_WRONG_VALUES) as error:
        raise StrictYamlError(
            f"a value that its tag or form does not allow ({type(error).__name__}); write texts in "
            "quotes"
        ) from None
