"""Answers of this deployment against questions: ``evaluate answers [--data DIR]``.

Without options the questions about the sample corpus are asked, as the operator. ``--questions
FILE`` takes JSON lines of ``question`` and ``answers`` (texts of which one must stand in the
answer; none where the documents do not answer it). ``--data DIR`` measures the check of support on
``DIR/groundedness/*.jsonl`` besides: sentences labelled as consistent with a text or not.

Prints one JSON object and writes nothing but the conversations, which it deletes again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from include.query.answering import Answer, AnswerRequest, Done, HitsFound, Retract
from include.query.answering.kinship import Kinship
from include.query.answering.segments import cut
from include.query.answering.support import Verifier
from include.query.caller import OPERATOR
from include.query.results import Passage

SAMPLE = Path(__file__).with_name("sample_questions.jsonl")
_SAMPLED = 400


def main() -> int:
    """Run the evaluation."""
    parser = argparse.ArgumentParser(prog="tidemark evaluate answers", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with groundedness/*.jsonl")
    parser.add_argument("--questions", type=Path, default=SAMPLE)
    parser.add_argument("--style", default="short", choices=("short", "detailed", "chat"))
    parser.add_argument("--limit", type=int, default=_SAMPLED, help="labelled texts at most")
    given = parser.parse_args()
    lines = given.questions.read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines if line.strip()]
    report: dict[str, Any] = {"answers": asyncio.run(_ask_all(questions, given.style))}
    if given.data:
        report["support"] = support_check(given.data, given.limit)
    print(json.dumps(report, indent=2))
    return 0


async def _ask_all(questions: Sequence[Mapping[str, Any]], style: Any) -> dict[str, Any]:
    """Ask every question and count."""
    from include.commands.answer import open_answerer
    from include.platform.database import dsn
    from include.query import AsyncPool
    from include.query.answering.conversations import Conversations

    rows = []
    operator = AsyncPool(dsn("operator"))
    conversations = Conversations(operator, operator)
    async with open_answerer() as answerer:
        for row in questions:
            began = asyncio.get_running_loop().time()
            first = 0.0
            retracted = 0
            request = AnswerRequest(row["question"], style)
            async with aclosing(answerer.answer(request, OPERATOR)) as events:
                async for event in events:
                    if isinstance(event, HitsFound):
                        first = asyncio.get_running_loop().time() - began
                    retracted += isinstance(event, Retract)
                    if isinstance(event, Done):
                        rows.append((row["answers"], event.answer, first, retracted))
            conversation = rows[-1][1].conversation_id
            if conversation is not None:
                await conversations.delete(OPERATOR, conversation)
        exact = await _exact([answer for _, answer, _, _ in rows], operator)
    await operator.close()
    return _counted(rows, exact)


async def _exact(answers: Sequence[Answer], operator: Any) -> float:
    """Return the share of citations whose quote stands at its offsets in the document."""
    cited = [citation for answer in answers for citation in answer.citations]
    right = 0
    async with operator.connection() as connection:
        for citation in cited:
            found = await connection.execute(
                "select text from corpus.document_current where doc_id = %s", (citation.doc_id,)
            )
            row = await found.fetchone()
            right += bool(row and row[0][citation.start_char : citation.end_char] == citation.quote)
    return right / len(cited) if cited else 1.0


def _counted(rows: Sequence[tuple[list[str], Answer, float, int]], exact: float) -> dict[str, Any]:
    answerable = [row for row in rows if row[0]]
    others = [row for row in rows if not row[0]]

    def says(wanted: list[str], answer: Answer) -> bool:
        shown = " ".join((answer.text, *(item.quote for item in answer.citations))).casefold()
        return not answer.refused and any(text.casefold() in shown for text in wanted)

    def share(count: int, of: int) -> float | None:
        return round(count / of, 3) if of else None

    shown = sum(len(answer.citations) for _, answer, _, _ in rows)
    taken_back = sum(row[3] for row in rows)
    return {
        "questions": len(rows),
        "with_verified_citation": share(
            sum(any(c.verified for c in a.citations) for _, a, _, _ in answerable), len(answerable)
        ),
        "right": share(sum(says(wanted, a) for wanted, a, _, _ in answerable), len(answerable)),
        "degraded": share(sum(a.degraded for _, a, _, _ in answerable), len(answerable)),
        "refused_unanswerable": share(sum(a.refused for _, a, _, _ in others), len(others)),
        "refused_answerable": share(sum(a.refused for _, a, _, _ in answerable), len(answerable)),
        "citations_exact": round(exact, 3),
        "support_rate": share(shown, shown + taken_back),
        "first_event_ms": round(1000 * median(row[2] for row in rows), 1),
        "seconds": round(median(a.timings_ms["total"] for _, a, _, _ in rows) / 1000, 2),
    }


def support_check(data: Path, limit: int) -> dict[str, Any]:
    """Measure the check of support on labelled sentences: what it keeps, what it drops."""
    from include.embedding import load_embedder

    rows = [
        json.loads(line)
        for path in sorted((data / "groundedness").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    random.Random(7).shuffle(rows)
    kinship = Kinship(load_embedder())
    kept = dropped = consistent = 0
    rows = rows[:limit]
    for row in rows:
        said = bool(Verifier(cut(_passage(row["doc"])), "", kinship).check(row["summary"]))
        consistent += row["consistent"]
        kept += said and row["consistent"] == 1
        dropped += not said and row["consistent"] == 0
    wrong = len(rows) - consistent
    return {
        "texts": len(rows),
        "consistent_kept": round(kept / consistent, 3) if consistent else None,
        "inconsistent_dropped": round(dropped / wrong, 3) if wrong else None,
    }


def _passage(text: str) -> Passage:
    return Passage(
        chunk_id=uuid4(), doc_id=uuid4(), ordinal=0, start_char=0, end_char=len(text), page=None,
        heading_path=[], text=text, flags=[], flag_spans=[], source="bench", uri="", title="",
        language="en", type="text", metadata={}, modified_at=datetime.now(UTC),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
