"""The command that looks into data files: what they hold, what cleaning finds, and the cleaned rows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from core.catalog import ModelSpec, spec_of
from core.cli.output import Json, not_one_of, result_out
from core.codec import to_plain
from core.data.clean import Cleaning, CleanReport, Effect, Mode, StepName, StepReport, Switch
from core.data.columns import Columns
from core.data.lengths import RowLengths
from core.data.prepare import examine
from core.data.rows import DataReport
from core.hub import local_folder
from core.i18n import _
from core.settings import load, models_root
from core.wording import count, row_problem_words, shape_words
from core.wording.cleaning import clean_step_words, effect_words

Passage = Annotated[
    int, typer.Option(min=0, max=1_000_000, help="Learn running text in passages of so many characters.")
]
Question = Annotated[str, typer.Option(help="The column that asks, where its name does not say so.")]
Answer = Annotated[str, typer.Option(help="The column that answers.")]


def check(
    files: list[Path],
    model: Annotated[str, typer.Option(help="Count tokens for this model: catalogue id or model folder.")] = "",
    clean: Annotated[Path | None, typer.Option(help="Write the cleaned rows to this JSONL file.")] = None,
    mask: Annotated[bool, typer.Option(help="Put placeholders in the place of private data.")] = False,
    steps: Annotated[str, typer.Option(help="Clean in these steps only, separated by commas.")] = "",
    passage: Passage = 0,
    question: Question = "",
    answer: Answer = "",
    json: Json = False,
) -> None:
    cleaning = _cleaning(steps, mask=mask)
    count_for = RowLengths(folder_of(spec_of(model)) if model else None)
    if clean is not None and clean.resolve() in {file.resolve() for file in files}:
        raise typer.BadParameter(_("the original file is never changed"), param_hint="--clean")
    report, cleaned, private = examine(
        tuple(str(f) for f in files), cleaning,
        columns=columns_of(question, answer), passage=passage, count=count_for, keep=clean,
    )  # fmt: skip
    if json:
        found = {
            "private": private if cleaning.mode(StepName.PRIVATE) is not Mode.OFF else None,
            "tokens": report.tokens | {"exact": report.tokens_exact},
            "clean": to_plain(cleaned),
            "cleaned": None if clean is None else str(clean),
        }
        return result_out(to_plain(report) | found)
    print("\n".join(_lines(report, cleaned)))
    return None


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
