"""The cases of the speed bench on a card: models, methods and lengths, the most telling first, and made-up rows."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from core.catalog import spec_of
from core.codec import to_plain
from core.data.inspect import inspect_files
from core.data.lengths import RowLengths
from core.gpu import Card
from core.plan import Method, TrainingPlan
from core.planning import make_plan
from core.vram import estimate
from tests.bench.card_grid import L1, L3, L8, facts_of
from tests.bench.speed import WARM, Contender
from tests.tiny import make_tiny_tokenizer

LENGTHS = (2048, 4096, 8192)
SIZES = (L1, L3, L8)
#: Tokens that the rows of a case have room for, and the fewest steps that count: short rows take more steps.
ROOM, FEWEST = 256 * 1024, 3
#: Half of the rows are of these shares of the longest length, the others of those; so much of a row is its answer.
SHORT, LONG, ANSWER = (1 / 16, 1 / 4), (1 / 4, 1.0), (0.25, 0.75)
#: The fewest letters of a question and an answer.
LETTERS = 8


@dataclass(frozen=True)
class Case:
    """What all contenders train: a model of the catalogue (or of card_grid.TINY), a method, the longest row."""

    model: str
    method: Method
    tokens: int

    @property
    def key(self) -> str:
        """What it is, in a line."""
        return f"{self.model} {self.method} {self.tokens}"


@dataclass(frozen=True)
class Prepared:
    """A case with its files: the settings are the same for all contenders; the plan is what the product recommends."""

    case: Case
    plan: TrainingPlan
    settings: dict[str, Any]
    predicted_bytes: int

    def facts(self) -> dict[str, Any]:
        """What is kept of it beside the runs, without the places of files."""
        hidden = {"rows", "model"}
        return {
            "key": self.case.key, "case": to_plain(self.case),
            "plan": {name: value for name, value in to_plain(self.plan).items() if name not in ("data", "model")},
            "settings": {name: value for name, value in self.settings.items() if name not in hidden},
            "predicted_bytes": self.predicted_bytes,
        }  # fmt: skip


def _unpacked(plan: TrainingPlan) -> TrainingPlan:
    return replace(plan, packing=False)


#: By their short names. All have the micro-batch of the product's plan; what does not fit is told, see `halved`.
CONTENDERS: dict[str, Contender] = {
    "solotune": Contender("SoloTune, its defaults", "solotune"),
    "solotune-unpacked": Contender("SoloTune, unpacked", "solotune", plan=_unpacked),
    "trl": Contender("TRL, its defaults", "trl"),
    "trl-keeping": Contender("TRL, not recomputing", "trl", {"checkpointing": "none"}),
}


def cases(sizes: Sequence[str] = SIZES, lengths: Sequence[int] = LENGTHS) -> tuple[Case, ...]:
    """Every case once, those that say most first.

    The first three have each size, method and length once, the first nine each pair of them (a Latin square).
    """
    found = []
    for size, method, length in product(range(len(sizes)), range(len(Method)), range(len(lengths))):
        order = ((length - size - method + 1) % len(LENGTHS), (size - method) % len(LENGTHS), -size)
        found.append((order, length, Case(sizes[size], tuple(Method)[method], lengths[length])))
    return tuple(case for *_order, case in sorted(found, key=lambda each: each[:2]))


def prepare(case: Case, card: Card, folder: Path, *, steps: int = 0) -> Prepared:
    """Write the case's rows and its model folder (no weights) into `folder` and let the product plan for the card.

    `steps` is how many count, 0 for as many as ROOM makes of it.
    """
    model = _model_folder(case.model, folder)
    spec = spec_of(str(model))
    usual = _plan(case, card, model, _written(folder / "few.json", case.tokens, count=8))
    steps = steps or max(FEWEST, ROOM // (case.tokens * usual.effective_batch))
    rows = _written(folder / "rows.json", case.tokens, count=steps * usual.effective_batch)
    plan = replace(
        _plan(case, card, model, rows), steps=steps + WARM, validation_share=0.0, save_every=10**6, questions=()
    )
    settings = {
        "rows": str(rows), "model": str(model), "method": case.method.value, "tokens": plan.tokens,
        "steps": plan.steps, "batch": plan.batch, "accumulation": plan.accumulation, "rank": plan.rank,
        "alpha": plan.alpha, "dropout": plan.dropout, "targets": list(plan.target_modules), "seed": plan.seed,
        "learning_rate": plan.learning_rate, "checkpointing": "default",
    }  # fmt: skip
    return Prepared(case, plan, settings, estimate(spec.architecture, plan).total_bytes)


def halved(settings: dict[str, Any], batch: int) -> dict[str, Any]:
    """The settings with micro-batches of at most `batch` rows, and as many rows a step as before."""
    together = int(settings["batch"]) * int(settings["accumulation"])
    return settings | {"batch": batch, "accumulation": -(-together // batch)}


def row_lengths(tokens: int, count: int, seed: int = 0) -> list[int]:
    """Lengths of `count` rows, in tokens: half of them short, one of exactly `tokens`, in random order."""
    chance = random.Random(seed)
    shares = [chance.uniform(*(SHORT if place % 2 else LONG)) for place in range(count)]
    found = [round(share * tokens) for share in shares]
    found[0] = tokens
    chance.shuffle(found)
    return found


def _plan(case: Case, card: Card, model: Path, rows: Path) -> TrainingPlan:
    """What the product recommends to somebody with this card, model, method and these rows."""
    report = inspect_files((str(rows),), count=RowLengths(model))
    return make_plan(spec_of(str(model)), model, report, card, case.method)


def _model_folder(name: str, folder: Path) -> Path:
    """A folder with the facts of a model and a tokenizer to which each letter is a token."""
    place = folder / name.replace("/", "-")
    if not place.exists():
        place.mkdir(parents=True)
        make_tiny_tokenizer().save_pretrained(place)
        (place / "config.json").write_text(json.dumps(facts_of(name)), encoding="utf-8")
    return place


def _written(file: Path, tokens: int, count: int) -> Path:
    """Write made-up questions and answers as a file."""
    chance = random.Random(tokens)
    around = len(_whole("", ""))
    rows = []
    for length in row_lengths(tokens, count):
        letters = max(2 * LETTERS, length - around)
        answer = min(letters - LETTERS, max(LETTERS, round(chance.uniform(*ANSWER) * letters)))
        rows.append({"instruction": _text(chance, letters - answer), "input": "", "output": _text(chance, answer)})
    file.write_text(json.dumps(rows), encoding="utf-8")
    return file


def _whole(question: str, answer: str) -> list[int]:
    """The tokens of a row as the longest-winded contender sees it: with the line break behind its end."""
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    tokenizer: Any = make_tiny_tokenizer()
    return list(tokenizer(tokenizer.apply_chat_template(turns, tokenize=False))["input_ids"])


def _text(chance: random.Random, letters: int) -> str:
    """So many random letters, in words of five."""
    words = "".join(chance.choice("etaoinshrdlu") if place % 6 < 5 else " " for place in range(letters - 1))
    return words + "."
