"""Train the injection classifier and write the weights that ship with the package.

Reads ``injection/train.jsonl`` below the data folder (``text``, ``label`` a line) and the sentences
of ``injection_examples.toml``; nothing else decides the weights, the gate or the threshold::

    .venv/bin/python scripts/train_injection.py --data DIR [--report]

``--report`` also trains once without each kind of planted order and prints how many of that kind
are found, beside the false alarms on harmless families that were left out in the same way.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from include.embedding import Embedder, load_embedder  # ruff: ignore[module-import-not-at-top-of-file]
from include.platform.sample.package_docs import package_docs  # ruff: ignore[module-import-not-at-top-of-file]
from include.safety import classifier as shipped  # ruff: ignore[module-import-not-at-top-of-file]
from include.safety.injection import find_injections, sentences  # ruff: ignore[module-import-not-at-top-of-file]

_FILLS = 6
_LONGEST = 1_000
_FOLDS = 10
_FALSE_ALARMS = 0.03
_FALSE_MARKS = 0.005
_MISSED_BY_GATE = 0.01
_PROSE = 1_200
# Kinds that are the same orders in languages that the bundled embedding model hardly knows.
_LANGUAGES = ("german", "romance", "other_script")
_SEED = 7
# Documents that give orders to models, or quote them.
_ABOUT_MODELS = re.compile(r"agent|skill|prompt|llm|openai|anthropic|transformers|\bai\b")

Floats = NDArray[np.float64]


class Example(NamedTuple):
    """A text to learn from; those of one group are never on both sides of a split."""

    text: str
    order: bool
    kind: str
    group: str


class Fitted(NamedTuple):
    """The two halves of the classifier."""

    embedding: Floats
    lexical: Floats
    bias: float


def read_examples(data: Path) -> list[Example]:
    """Return all examples, in the same order each time."""
    chance = np.random.default_rng(_SEED)
    table = tomllib.loads((ROOT / "scripts/injection_examples.toml").read_text(encoding="utf-8"))
    slots, leads = table["slots"], table["leads"]
    planted = list(_filled(table["attacks"], (*leads["planted"], *leads["any"]), slots, chance))
    harmless = list(_filled(table["harmless"], leads["any"], slots, chance, order=False))
    unseen = list(_filled(table["attacks"], leads["unseen"], slots, chance, mark="unseen"))
    company = _in_company(planted, harmless, chance)
    examples = [*planted, *harmless, *unseen, *company, *_found(data)]
    examples += _prose([example for example in examples if example.kind[:6] != "unseen"], chance)
    return list({example.text: example for example in examples}.values())


def _filled(
    kinds: dict[str, list[str]],
    leads: Sequence[str],
    slots: dict[str, list[str]],
    chance: np.random.Generator,
    *,
    order: bool = True,
    mark: str | None = None,
) -> Iterator[Example]:
    """Yield each template some times with other values, plain and behind words that lead to it.

    With ``mark`` all stand behind a lead, and belong to a kind of examples that is not trained on.
    """

    def picked(values: Sequence[str]) -> str:
        return values[chance.integers(len(values))]

    for kind, templates in kinds.items():
        for number, template in enumerate(templates):
            name = f"{mark or ('planted' if order else 'harmless')}/{kind}"
            for turn in range(2 if mark else _FILLS):
                led = f"{picked(leads)} {template}" if mark or turn % 2 else template
                text = re.sub(
                    r"\{(" + "|".join(slots) + r")\}", lambda slot: picked(slots[slot[1]]), led
                )
                yield Example(text, order, name, f"{kind}/{number}")


def _in_company(
    planted: Sequence[Example], harmless: Sequence[Example], chance: np.random.Generator
) -> Iterator[Example]:
    """Yield orders and harmless sentences beside others, as a query or a passage holds them."""
    for example in (*planted[::3], *harmless[::3]):
        before, after = (harmless[place].text for place in chance.integers(len(harmless), size=2))
        form = (f"{before} {example.text}", f"{example.text} {after}")
        both = f"{before} {example.text} {after}"
        yield example._replace(text=(*form, both)[chance.integers(3)])


def _prose(others: Sequence[Example], chance: np.random.Generator) -> list[Example]:
    """Return sentences of the documents in installed packages, half of them the hardest to tell.

    The hardest are those whose words look most like an order to a model of the others' words.
    """
    pool = [
        Example(text[start:end], False, "prose", f"prose/{path}")
        for path, text in ((path, raw.decode()) for path, raw in package_docs().items())
        if not _ABOUT_MODELS.search(path)
        for start, end in sentences(text)
        if end - start >= 20 and not find_injections(text[start:end])
    ]
    said = LogisticRegression(C=10.0, class_weight="balanced", max_iter=2_000)
    said.fit(lexical_matrix(example.text for example in others), [e.order for e in others])
    hard = np.argsort(-said.decision_function(lexical_matrix(example.text for example in pool)))
    chosen = {*hard[:_PROSE].tolist(), *chance.integers(len(pool), size=_PROSE).tolist()}
    return [pool[place] for place in sorted(chosen)]


def _found(data: Path) -> Iterator[Example]:
    """Yield the texts of the data, and their sentences where the label holds for each."""
    path = data / "injection" / "train.jsonl"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        order, group = bool(row["label"]), f"found/{number}"
        yield Example(row["text"][:_LONGEST], order, "found/whole", group)
        if order:
            marked = [(flag.start_char, flag.end_char) for flag in find_injections(row["text"])]
        else:
            marked = list(sentences(row["text"]))
        for start, end in marked[:4]:
            if end - start >= 20:
                yield Example(row["text"][start:end], order, "found/sentence", group)


def lexical_matrix(texts: Iterable[str]) -> csr_matrix:
    """Return (n, BUCKETS) counts of hashed words, each row of length 1."""
    indices: list[int] = []
    values: list[float] = []
    ends = [0]
    for text in texts:
        places = shipped.buckets(text)
        indices += places
        values += [max(1, len(places)) ** -0.5] * len(places)
        ends.append(len(indices))
    return csr_matrix((values, indices, ends), shape=(len(ends) - 1, shipped.BUCKETS))


class Data:
    """Examples with what is computed from them once."""

    def __init__(self, examples: Sequence[Example], vectors: NDArray[np.float32]) -> None:
        self.examples = examples
        self.vectors = vectors
        self.lexical = lexical_matrix(example.text for example in examples)
        self.orders = np.array([example.order for example in examples])
        self.groups = np.array([example.group for example in examples])
        self.kinds = np.array([example.kind for example in examples])
        self.known = ~np.char.startswith(self.kinds, "unseen/")

    def fit(self, rows: NDArray[np.bool_]) -> Fitted:
        """Train both halves on some rows; classes weigh the same."""
        about = LogisticRegression(C=1.0, class_weight="balanced", max_iter=2_000)
        about.fit(self.vectors[rows], self.orders[rows])
        said = LogisticRegression(C=10.0, class_weight="balanced", max_iter=2_000)
        said.fit(self.lexical[rows], self.orders[rows])
        # The mean of two calibrated logits is one again.
        return Fitted(
            about.coef_[0] / 2, said.coef_[0] / 2, (about.intercept_[0] + said.intercept_[0]) / 2
        )

    def logits(self, fitted: Fitted, rows: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Return the whole logits of some rows and the lexical part of them."""
        said = self.lexical[rows] @ fitted.lexical
        return self.vectors[rows] @ fitted.embedding + said + fitted.bias, said

    def unseen(self, within: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Return logits by models that did not see the row's group; NaN outside ``within``."""
        whole, said = np.full(len(self.orders), np.nan), np.full(len(self.orders), np.nan)
        names = sorted(set(self.groups[within]))
        np.random.default_rng(_SEED).shuffle(names)
        for number in range(_FOLDS):
            out = np.isin(self.groups, names[number::_FOLDS]) & within
            whole[out], said[out] = self.logits(self.fit(within & ~out), out)
        return whole, said

    def bars(self, within: NDArray[np.bool_]) -> tuple[float, float]:
        """Choose the threshold and the gate, as logits, on rows that training did not see.

        The threshold is the least at which neither more of the harmless prompts than
        ``_FALSE_ALARMS`` nor more of the documents' sentences than ``_FALSE_MARKS`` are taken for
        orders; the gate lets through all but ``_MISSED_BY_GATE`` of the orders it finds.
        """
        whole, said = self.unseen(within)
        prompts = within & ~self.orders & np.isin(self.kinds, ("found/whole", "found/sentence"))
        prose = within & (self.kinds == "prose")
        threshold = float(
            max(
                np.quantile(whole[prompts], 1 - _FALSE_ALARMS) if prompts.any() else -np.inf,
                np.quantile(whole[prose], 1 - _FALSE_MARKS) if prose.any() else -np.inf,
            )
        )
        found = within & self.orders & (whole >= threshold)
        return threshold, float(np.quantile(said[found], _MISSED_BY_GATE))


class Sentences:
    """The sentences of the examples that a report judges: at ingestion each is judged alone."""

    def __init__(self, data: Data, embedder: Embedder) -> None:
        self._data = data
        self._spans = {
            row: [example.text[start:end] for start, end in sentences(example.text)]
            for row, example in enumerate(data.examples)
            if example.kind.partition("/")[0] in {"planted", "unseen", "harmless"}
        }
        texts = sorted({text for found in self._spans.values() for text in found})
        self._places = {text: place for place, text in enumerate(texts)}
        self._vectors = embedder.embed(texts)
        self._lexical = lexical_matrix(texts)
        self._ruled = np.array([bool(find_injections(text)) for text in texts])

    def share(self, fitted: Fitted, bars: tuple[float, float], kind: str) -> float:
        """Return the share of a kind's texts of which a sentence is taken for an order."""
        threshold, gate = bars
        said = self._lexical @ fitted.lexical
        whole = self._vectors @ fitted.embedding + said + fitted.bias
        taken = self._ruled | ((whole >= threshold) & (said >= gate))
        marked = [
            any(taken[self._places[text]] for text in self._spans[int(row)])
            for row in np.flatnonzero(self._data.kinds == kind)
        ]
        return round(float(np.mean(marked)), 3)


def report(data: Data, embedder: Embedder) -> None:
    """Print recall on kinds of orders, and false alarms on families, that were left out.

    Orders of a kind are told as they are, and behind leads that training never sees.
    """
    bars = data.bars(data.known)
    judged = Sentences(data, embedder)
    kinds = sorted({kind.partition("/")[2] for kind in data.kinds if kind.startswith("planted/")})
    led: dict[str, float] = {}
    for kind in kinds:
        fitted = data.fit(data.known & (data.kinds != f"planted/{kind}"))
        plain = judged.share(fitted, bars, f"planted/{kind}")
        led[kind] = judged.share(fitted, bars, f"unseen/{kind}")
        print(json.dumps({"left_out": kind, "plain": plain, "behind_unseen_leads": led[kind]}))
    for family in sorted({kind for kind in data.kinds if kind.startswith("harmless/")}):
        fitted = data.fit(data.known & (data.kinds != family))
        share = judged.share(fitted, bars, family)
        print(json.dumps({"left_out": family, "false_alarms": share}))
    english = [share for kind, share in led.items() if kind not in _LANGUAGES]
    means = {"kinds": np.mean(english), "with_languages": np.mean(list(led.values()))}
    print(json.dumps({name: round(float(mean), 3) for name, mean in means.items()}))


def main() -> None:
    """Train, choose the bars, write the weights."""
    parser = argparse.ArgumentParser(description="Train the injection classifier.")
    parser.add_argument("--data", type=Path, required=True, help="has injection/train.jsonl")
    parser.add_argument("--out", type=Path, default=shipped.WEIGHTS)
    parser.add_argument("--report", action="store_true", help="leave out kinds, print recall")
    arguments = parser.parse_args()
    embedder = load_embedder()
    examples = read_examples(arguments.data)
    data = Data(examples, embedder.embed([example.text for example in examples]))
    threshold, gate = data.bars(data.known)
    fitted = data.fit(data.known)
    shipped.save(
        shipped.Weights(
            embedder.identity.model_id,
            fitted.embedding.astype(np.float32),
            fitted.lexical.astype(np.float32),
            fitted.bias,
            gate,
            float(1 / (1 + np.exp(-threshold))),
        ),
        arguments.out,
    )
    print(json.dumps({"examples": int(data.known.sum()), "threshold": round(threshold, 3)}))
    if arguments.report:
        report(data, embedder)


if __name__ == "__main__":
    main()
