"""The jobs: small frozen requests that cross into a process of their own and run there.

Only here does the way lead to core.engine, and only when a job runs: importing this module loads no torch.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.codec import CodecError, from_plain, to_plain
from core.commands import Command, Predict
from core.data.clean import Cleaning
from core.data.columns import Columns
from core.events import Predicted, Side, Stage, StageName
from core.fit import UNFITTED, Constants
from core.jobs.awake import awake_for
from core.jobs.choose import choose_card
from core.jobs.models import fetch_told
from core.jobs.talk import StopAsked, Talk
from core.plan import TrainingPlan
from core.problems import Code, Problem, Trouble
from core.tracking import tracked


@dataclass(frozen=True)
class InspectJob:
    """Read data files, clean them where `cleaning` says so, and report on them.

    Result: a core.data.rows.DataReport as plain values, with `clean` (a core.data.clean.CleanReport, None without
    `cleaning`) and `private` (pieces of private data by core.data.private.Kind). The files stay as they are; `keep`
    names a file for the rows to learn from. Tokens are counted with the tokenizer in `model_folder`, and estimated
    where it is empty or of no use.
    """

    files: tuple[str, ...]
    model_folder: str = ""
    cleaning: Cleaning | None = None
    columns: Columns | None = None
    passage: int = 0
    keep: str = ""

    def run(self, talk: Talk) -> dict[str, Any]:
        from core.data.lengths import RowLengths
        from core.data.prepare import examine
        from core.data.source import Halted

        try:
            report, cleaned, private = examine(
                self.files,
                self.cleaning,
                columns=self.columns,
                passage=self.passage,
                count=RowLengths(Path(self.model_folder) if self.model_folder else None),
                progress=_progress(talk, StageName.READING),
                checked=lambda done, total: talk.emit(
                    Stage(stage=StageName.CLEANING, done=done, total=total, unit="rows")
                ),
                stopped=lambda: talk.stop_requested,
                keep=Path(self.keep) if self.keep else None,
            )
        except Halted:
            raise StopAsked from None
        if talk.stop_requested:
            raise StopAsked
        return {**to_plain(report), "clean": to_plain(cleaned), "private": private}


@dataclass(frozen=True)
class FetchJob:
    """Bring a model onto this computer: an id of the catalogue or owner/name. Result: `folder`.

    It hears Pause and GoOn; `token` and `source` as in core.hub.listing.
    """

    model: str
    token: str = field(default="", repr=False)
    source: str = ""

    def run(self, talk: Talk) -> dict[str, Any]:
        def convert(gguf: Path, folder: Path) -> None:
            # torch is loaded when it is needed, not before a download
            from core.engine.convert import convert_gguf

            convert_gguf(gguf, folder)

        return {"folder": fetch_told(self.model, talk, convert, token=self.token, source=self.source)}


@dataclass(frozen=True)
class TrainJob:
    """Train the run in folder `run`, from its newest checkpoint when `resume`. Result: `adapter`, losses, steps."""

    run_folder: str
    resume: bool = False

    def run(self, talk: Talk) -> dict[str, Any]:
        choose_card(self.run_folder)
        from core.engine.train import train

        with awake_for(self.run_folder, talk), tracked(self.run_folder, talk) as told:
            return train(Path(self.run_folder), told, resume=self.resume)


@dataclass(frozen=True)
class ChatJob:
    """Load a run's base and adapter once and answer `Say` commands until stopped.

    `questions` are answered first, by the weights in `sides`; with `keep_open` False the job ends after them.
    `base` is "original" (the 16-bit weights), "trained" (held as during training), or "auto": original when it
    fits the card. Answers to `questions` have at most `longest` tokens. Result: `answers` (question, before,
    after), `base`.
    """

    run_folder: str
    questions: tuple[str, ...] = ()
    keep_open: bool = True
    base: str = "auto"
    sides: tuple[Side, ...] = (Side.BASE, Side.TUNED)
    longest: int = 48

    def run(self, talk: Talk) -> dict[str, Any]:
        choose_card(self.run_folder)
        from core.engine.chat import chat

        how: dict[str, Any] = {"keep_open": self.keep_open, "base": self.base, "longest": self.longest}
        return chat(Path(self.run_folder), talk, self.questions, self.sides, **how)


@dataclass(frozen=True)
class MergeJob:
    """Merge a run's adapter into the original 16-bit base and replay `questions` on the result.

    Result: `folder`, `verified`, `agreement`, `replayed`, `bytes`.
    """

    run_folder: str
    target: str
    questions: tuple[str, ...] = ()

    def run(self, talk: Talk) -> dict[str, Any]:
        choose_card(self.run_folder)
        from core.engine.merge import merge

        return merge(Path(self.run_folder), Path(self.target), talk, self.questions)


@dataclass(frozen=True)
class DryRunJob:
    """Predict the memory of `plan` with the real modules, without a card; `facts` are those of the model's config.json.

    With `keep_open` every `Predict` is answered by one `Predicted` until the job is stopped, the own plan first as
    number 0: libraries are loaded once. Result: `total_bytes`, `items`, `seconds`, `trained_parameters`, `source` of
    the own plan; nothing when the job was kept open.
    """

    plan: TrainingPlan
    facts: dict[str, Any]
    adapter_bytes: int = 4
    keep_open: bool = False
    constants: Constants = UNFITTED

    def run(self, talk: Talk) -> dict[str, Any]:
        if not self.keep_open:
            return self._predict(self.plan, self.facts)
        said: Command = Predict(number=0, plan=dict(to_plain(self.plan)))
        while isinstance(said, Predict):
            talk.emit(self._answer(said))
            said = talk.next_command()
        return {}

    def _answer(self, asked: Predict) -> Predicted:
        try:
            plan = from_plain(TrainingPlan, asked.plan)
            found = self._predict(plan, asked.facts or self.facts)
        except CodecError as error:
            return Predicted(number=asked.number, problem=Problem(Code.PLAN_INVALID, {"reason": str(error)[:300]}))
        except Trouble as trouble:
            return Predicted(number=asked.number, problem=trouble.problem)
        return Predicted(number=asked.number, **{name: found[name] for name in found if name != "source"})

    def _predict(self, plan: TrainingPlan, facts: dict[str, Any]) -> dict[str, Any]:
        from core.engine.dryrun import dry_run

        found = dry_run(facts, plan, adapter_bytes=self.adapter_bytes, constants=self.constants)
        return {
            "total_bytes": found.estimate.total_bytes,
            "items": found.estimate.items(),
            "seconds": found.seconds,
            "trained_parameters": found.trained_parameters,
            "source": "dry run",
        }


@dataclass(frozen=True)
class TokensJob:
    """Show rows of the plan's data as training will see them, token by token: `row` (from 0), then as it is asked.

    Rows are read, split and encoded by the code of training. With `keep_open` every `ShowRow` is answered by one
    `RowTokens`, every `FindRow` by one `RowsFound` and every `CountTokens` by one `TokenTotals` until the job is
    stopped. Result: `rows`, `validation` (how many of each), `template` (whether the model brings one), and `shown`,
    the row as plain values, when the job was not kept open.
    """

    plan: TrainingPlan
    row: int = 0
    keep_open: bool = True

    def run(self, talk: Talk) -> dict[str, Any]:
        # tokens need no card
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        from core.engine.tokens import show_tokens

        return show_tokens(self.plan, talk, self.row, keep_open=self.keep_open)


@dataclass(frozen=True)
class ScriptJob:
    """Write a run as a plain script `target`, with its rows beside it. Result: `script`, `rows`, `steps`, `files`."""

    run_folder: str
    target: str

    def run(self, talk: Talk) -> dict[str, Any]:
        # rows and their order need no card
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        from core.engine.script import write_script

        return write_script(Path(self.run_folder), Path(self.target), talk)


def of_first(make: Callable[[], str]) -> str:
    """What `make` returns on the first of several processes that train together, on all of them."""
    from core.engine.processes import from_first, join

    join()
    return from_first(make)


def self_test(names: tuple[str, ...], talk: Talk) -> None:
    """Let torch and bitsandbytes compute small things on every device: the way in for core.jobs.doctor."""
    from core.engine.selftest import self_test as test

    test(names, talk.emit, lambda: talk.stop_requested)


def _progress(talk: Talk, stage: StageName) -> Callable[[int, int], None]:
    return lambda done, total: talk.emit(Stage(stage=stage, done=done, total=total, unit="bytes"))
