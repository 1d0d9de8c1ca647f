"""The command that looks into data files: what they hold, what cleaning finds, and the cleaned rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from core.catalog import ModelSpec, spec_of
from core.cli.learn import LOOKING, judged, learn_facts, learn_lines, plan_of
from core.cli.output import Json, not_one_of, result_out
from core.cli.work import plan_in
from core.codec import to_plain
from core.data.clean import Cleaning, CleanReport, Effect, Mode, StepName, StepReport, Switch
from core.data.columns import Columns
from core.data.lengths import RowLengths
from core.data.prepare import examine
from core.data.rows import DataReport, Shape
from core.data.separate import separate
from core.hub import local_folder
from core.i18n import _
from core.learnable import blocked
from core.plan import TrainingPlan
from core.problems import Code, Trouble
from core.settings import load, models_root
from core.wording import count, row_problem_words, shape_words
from core.wording.cleaning import clean_step_words, effect_words

Passage = Annotated[
    int, typer.Option(min=0, max=1_000_000, help="Learn running text in passages of so many characters.")
]
Question = Annotated[str, typer.Option(metavar="COLUMN", help="The column that asks, where its name does not say so.")]
Answer = Annotated[str, typer.Option(metavar="COLUMN", help="The column that answers.")]


def check(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE", help="Data files, folders or archives.")] = None,
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="Count tokens for this model: catalogue id or model folder.")
    ] = "",
    will_it_learn: Annotated[
        bool, typer.Option("--will-it-learn", help="Judge a run with --model, or --plan; exit 1 if nothing is learned.")
    ] = False,
    plan: Annotated[
        Path | None,
        typer.Option(metavar="PLAN", help="Judge this plan.json; it says what is read and how it is cleaned."),
    ] = None,
    clean: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the cleaned rows to this JSONL file.")
    ] = None,
    separately: Annotated[
        Path | None,
        typer.Option(
            "--separate", metavar="FOLDER", help="Write rows of each shape to a file of their own in this folder."
        ),
    ] = None,
    mask: Annotated[bool, typer.Option(help="Put placeholders in the place of private data.")] = False,
    steps: Annotated[
        str, typer.Option(metavar="STEPS", help=f"Clean in these steps only: {', '.join(StepName)}.")
    ] = "",
    passage: Passage = 0,
    question: Question = "",
    answer: Answer = "",
    json: Json = False,
) -> int:
    if plan is not None and (files or model or steps or mask or passage or question or answer):
        raise typer.BadParameter(_("the plan says that itself"), param_hint="--plan")
    if will_it_learn and not model and plan is None:
        raise typer.BadParameter(_("give either --model or --plan"), param_hint="--will-it-learn")
    asked = plan_in(plan) if plan else None
    if asked:
        way = _Way(asked.data, asked.model, asked.cleaning or LOOKING, asked.columns, asked.passage)
    else:
        names = _named(files, whole=will_it_learn)
        way = _Way(names, model, _cleaning(steps, mask=mask), columns_of(question, answer), passage)
    if clean is not None and clean.resolve() in {Path(name).resolve() for name in way.files}:
        raise typer.BadParameter(_("the original file is never changed"), param_hint="--clean")
    separately = _empty(separately) if separately else None
    report, cleaned, private = examine(
        way.files, way.cleaning, columns=way.columns, passage=way.passage, count=way.lengths(), keep=clean
    )
    parts = separate(way.files, separately, columns=way.columns, passage=way.passage) if separately else {}
    if will_it_learn and asked is None:
        asked = way.plan(report)
    checks = judged(asked, report, cleaned) if asked else ()
    if json:
        found = {
            "private": private if way.cleaning.mode(StepName.PRIVATE) is not Mode.OFF else None,
            "tokens": report.tokens | {"exact": report.tokens_exact},
            "clean": to_plain(cleaned),
            "cleaned": None if clean is None else str(clean),
            "separated": {shape: {"file": str(path), "rows": rows} for shape, (path, rows) in parts.items()},
        }
        result_out(to_plain(report) | found | ({"learn": learn_facts(asked, checks)} if asked else {}))
    else:
        apart = (f"{path}: {count(rows)}" for path, rows in parts.values())
        print("\n".join([*_lines(report, cleaned), *apart, *(learn_lines(asked, checks) if asked else ())]))
    return int(blocked(checks))


@dataclass(frozen=True)
class _Way:
    """What is read and how, and the model whose tokens are counted ("" for none)."""

    files: tuple[str, ...]
    model: str
    cleaning: Cleaning
    columns: Columns | None
    passage: int

    def lengths(self) -> RowLengths:
        """What counts the rows' tokens."""
        return RowLengths(folder_of(spec_of(self.model)) if self.model else None)

    def plan(self, report: DataReport) -> TrainingPlan:
        """The recommended plan for the model and what was read."""
        made = plan_of(self.model, report)
        return replace(made, cleaning=self.cleaning, columns=self.columns, passage=self.passage)


def _empty(folder: Path) -> Path:
    """The folder to write. Raises Trouble(FOLDER_NOT_EMPTY) for one that holds something, OSError for a file."""
    if folder.exists() and any(folder.iterdir()):
        raise Trouble(Code.FOLDER_NOT_EMPTY, path=folder)
    return folder.absolute()


def _named(files: list[Path] | None, *, whole: bool) -> tuple[str, ...]:
    """The files as they were typed, or from the root on for a plan. Raises BadParameter when there are none."""
    if not files:
        raise typer.BadParameter(_("name a data file"), param_hint="FILES")
    return tuple(str(file.absolute() if whole else file) for file in files)


def _cleaning(steps: str, *, mask: bool) -> Cleaning:
    """What to clean. Raises BadParameter for steps that there are not."""
    names = [name.strip() for name in steps.split(",") if name.strip()]
    if not set(names) <= set(StepName):
        raise not_one_of(*StepName, hint="--steps")
    switches = (Switch(StepName(name), Mode.ACT) for name in dict.fromkeys(names))
    cleaning = Cleaning(tuple(switches)) if names else Cleaning()
    if not mask:
        return cleaning
    modes = {switch.step: switch.mode for switch in cleaning.steps} | {StepName.PRIVATE: Mode.ACT}
    return replace(cleaning, steps=tuple(Switch(name, modes[name]) for name in StepName if name in modes))


def columns_of(question: str, answer: str) -> Columns | None:
    """The columns that were named. Raises BadParameter for one without the other."""
    if bool(question) != bool(answer):
        raise typer.BadParameter(_("name both columns"), param_hint="--question, --answer")
    return Columns(question, answer) if question else None


def _lines(report: DataReport, cleaned: CleanReport | None) -> Iterator[str]:
    """What a person reads: the sum, what cleaning found with the worst first, and rows that are not used."""
    yield _("{rows} rows, {usable} usable, {rejected} not used, {duplicates} duplicates, shape: {shape}").format(
        rows=count(report.rows),
        usable=count(report.usable),
        rejected=count(report.rejected),
        duplicates=count(report.duplicates),
        shape=shape_words(report.shape),
    )
    if len(report.shapes) > 1:
        each = ", ".join(f"{shape_words(Shape(name))} {count(rows)}" for name, rows in report.shapes.items())
        yield _("Rows of several shapes: {shapes}. --separate FOLDER takes them apart.").format(shapes=each)
    if report.tokens:
        yield _tokens_line(report)
    for found in cleaned.findings if cleaned else ():
        yield _finding_line(found)
    if report.kept is not None and report.kept < report.usable:
        yield _("{kept} of {rows} rows stay after cleaning").format(kept=count(report.kept), rows=count(report.usable))
    for problem in report.problems[:20]:
        yield f"  {Path(problem.file).name}:{problem.line}  {row_problem_words(problem)}"


def _finding_line(found: StepReport) -> str:
    """A step, its rows, what became of them, and the first of them."""
    title, _finds, _does = clean_step_words(found.step)
    effect = Effect.DROPPED if found.dropped else Effect.CHANGED if found.changed else Effect.REPORTED
    line = f"{title}: {count(found.touched)}  {effect_words(effect)}"
    first = found.touches[0].row if found.touches else None
    return f"{line}  {Path(first.file).name}:{first.line}" if first else line


def _tokens_line(report: DataReport) -> str:
    words = (
        _("tokens a row: {shortest} to {longest}, half of them up to {median}, 99 of 100 up to {p99}")
        if report.tokens_exact
        else _("tokens a row, estimated: {shortest} to {longest}, half of them up to {median}, 99 of 100 up to {p99}")
    )
    return words.format_map({name: count(number) for name, number in report.tokens.items()})


def folder_of(spec: ModelSpec) -> Path | None:
    """Where a tokenizer can lie; of a folder nothing else needs to be there."""
    return Path(spec.id) if spec.source == "folder" else local_folder(spec, models_root(load()))
