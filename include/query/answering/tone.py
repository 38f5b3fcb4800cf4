"""The company's tone: what a model is told of it, and what is said word for word."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.errors import ConfigurationError

_DEFAULT = Path(__file__).with_name("tone.toml")
_LONGEST_VOICE = 500


@dataclass(frozen=True, slots=True)
class Tone:
    """How answers sound.

    Attributes:
        voice: told to the model.
        voice_upset: told besides where a visitor sounds upset.
        phrases: occasion (``greeting``, ``not_found``, ``blocked``, ``out_of_scope``) to language
            to sentence.
    """

    voice: str
    voice_upset: str
    phrases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def say(self, occasion: str, language: str) -> str:
        """Return what is said on an occasion, in English where the language is not known."""
        known = self.phrases[occasion]
        return known.get(language, known["en"])


def load_tone(path: Path | None = None) -> Tone:
    """Return the tone of a file; what the file leaves out is the product's own.

    Raises:
        ConfigurationError: the file cannot be read or holds something else.
    """
    default = tomllib.loads(_DEFAULT.read_text(encoding="utf-8"))
    given = default if path is None else _read(path, default)
    phrases = {
        name: {**table, **dict(given.get(name, {}))}
        for name, table in default.items()
        if isinstance(table, dict)
    }
    return Tone(
        str(given.get("voice", default["voice"]))[:_LONGEST_VOICE],
        str(given.get("voice_upset", default["voice_upset"]))[:_LONGEST_VOICE],
        phrases,
    )


def _read(path: Path, default: Mapping[str, Any]) -> dict[str, Any]:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"TIDEMARK_ANSWER_TONE is {path}, which is no TOML file that can be read."
        ) from error
    for name, value in given.items():
        if name not in default or type(value) is not type(default[name]):
            raise ConfigurationError(
                f"{path}: {name} is not a key of a tone; it has {', '.join(default)}."
            )
        if isinstance(value, dict) and not all(isinstance(text, str) for text in value.values()):
            raise ConfigurationError(f"{path}: {name} must map languages to sentences.")
    return given
