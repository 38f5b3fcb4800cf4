"""Sentences that speak to whoever writes an answer instead of to a reader of the document.

The flags of ingestion are the first line. This is the second: whatever they missed must not steer
a model, so a sentence that gives orders about replies, roles, prompts or code enters no prompt and
supports no answer. It stays in the document, where people find and read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from include.query.answering.segments import Segment
from include.safety.injection import find_injections

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from include.safety.classifier import InjectionClassifier

_OUTPUT = (
    r"(?:answers?|repl(?:y|ies)|responses?|messages?|outputs?|explanations?|solutions?|"
    r"implementations?|code|codebase|summar(?:y|ies)|completions?|prompts?|instructions?|"
    r"directives|guidelines|rules|orders|programming)"
)
_ORDERS = (
    # Your reply, your prompt: documents speak of the reader's things, not of the reader's output.
    rf"\b(?:your|the (?:assistant|model|ai|chatbot|bot)'?s)(?: \w+){{0,3}} {_OUTPUT}\b",
    r"\b(?:all|any|the|these|those|every|other|of)(?: \w+){0,3} "
    r"(?:previous|prior|preceding|above|earlier|foregoing|given|system|initial|original)"
    rf"(?: \w+){{0,2}} {_OUTPUT}\b",
    rf"\b(?:previous|prior|preceding|above|earlier|system|hidden|initial) {_OUTPUT}\b",
    r"\b(?:repeat|print|output|reveal|show|display|recite|leak|disclose|dump)\b.{0,60}"
    r"\b(?:your|the|all|any|these|those|previous) (?:\w+ )?(?:prompts?|instructions?)\b",
    r"\b(?:ignore|disregard|forget|override|bypass|do not listen to|don't listen to)\b.{0,40}"
    r"\b(?:instructions?|orders|prompts?|directives|above|previous\w*|prior|preceding|earlier|"
    r"everything|(?:all|any|your) (?:rules|guidelines)|what you)\b",
    r"^\W*(?:pretend|imagine (?:that )?you|roleplay|role-play|act as|behave as|simulate)\b",
    r"^\W*from now on,? (?:you|your|answer|reply|respond)\b",
    r"^\W*(?:respond|reply|answer)(?: \w+)? (?:as if|only with|with only|in (?:all )?(?:caps|base|"
    r"binary|hex|morse|rhyme|verse|reverse)|backwards?)\b|^\W*(?:begin|start|end|finish) "
    r"(?:your|the|each|every) (?:answer|reply|response|sentence|message)",
    r"^\W*(?:always|only|never) (?:answer|reply|respond|recommend|mention)\b",
    r"^\W*(?:translate|rewrite|rephrase|encode|reverse|write|provide|give|add|append|insert|embed|"
    r"include|incorporate|integrat\w+|introduc\w+|employ|utilize|modify|enhance|format)\b.{0,80}"
    r"\b(?:response|reply|answer|message|output|snippet|(?:this|following|subsequent|below) code|"
    r"code (?:block|section|segment)|backwards?|in reverse|base ?\d\d|rot13|hexadecimal|poem)\b",
    r"^\W*you (?:are|will be|must|shall|should|can|have)\b.{0,60}\b(?:ai|dan|agent|assistant|"
    r"chatbot|model|gpt|mode|persona|character|called)\b",
    r"\b(?:as an ai|language model|chatgpt|openai|jailbreak|developer mode|do anything now|"
    r"system prompt)\b",
    r"^\W*(?:system|assistant|user|developer)\s*[:>]",
    r"</?(?:system|instructions?|prompt|assistant)>|<\||\[/?inst\]|^\s*```|###\s*(?:instruction|"
    r"system)",
    r"^\W*(?:import \w+|from \w+ import |while True:|def \w+\(|\w+\.\w+\(.*\)\s*$)",
)
_SPEAKS_TO_THE_WRITER = re.compile("|".join(_ORDERS), re.IGNORECASE | re.MULTILINE)


def gives_orders(text: str) -> bool:
    """Tell by rules whether a sentence speaks to whoever writes an answer."""
    return _SPEAKS_TO_THE_WRITER.search(text) is not None


class Guard:
    """Tells which segments may enter a prompt and support an answer.

    A sentence is left out that was flagged when it was ingested, that gives orders by the rules
    here or those of the safety checks, or that the classifier takes for an instruction.

    Args:
        classifier: for the embedding model of the vectors that it is shown; None does without.
    """

    def __init__(self, classifier: InjectionClassifier | None = None) -> None:
        self._classifier = classifier

    def trusted(
        self, segments: Sequence[Segment], vectors: Mapping[int, NDArray[np.float32]]
    ) -> list[bool]:
        """Return whether each of the segments is trusted.

        Args:
            segments: of retrieved passages.
            vectors: position among the segments to unit vector, where there is one.
        """
        scores = self._scores(segments, vectors)
        return [
            not segment.flagged
            and not gives_orders(segment.plain)
            and not find_injections(segment.text)
            and scores.get(index, 0.0) < self._bar
            for index, segment in enumerate(segments)
        ]

    @property
    def _bar(self) -> float:
        return self._classifier.threshold if self._classifier is not None else 1.0

    def _scores(
        self, segments: Sequence[Segment], vectors: Mapping[int, NDArray[np.float32]]
    ) -> dict[int, float]:
        if self._classifier is None or not vectors:
            return {}
        import numpy as np

        places = list(vectors)
        scores = self._classifier.scores(
            [segments[place].plain for place in places],
            np.stack([vectors[place] for place in places]),
        )
        return dict(zip(places, map(float, scores), strict=True))
