"""A command that shows a row of data as training will see it, token by token."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from core.catalog import spec_of
from core.cli.output import Json, ending, follow, result_out
from core.codec import from_plain
from core.events import Finished
from core.hub import find_folder
from core.i18n import _
from core.jobs.jobs import TokensJob
from core.jobs.process import JobProcess
from core.plan import TrainingPlan
from core.problems import Trouble
from core.settings import load, models_root
from core.tokens import Kind, RowTokens, TokenPiece
from core.wording import count

_MARKS = {Kind.TRAINED: "[{}]", Kind.TRUNCATED: "~{}~"}


def add_to(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("tokens", help="Show a row as training sees it. [What is learned] and ~what is cut off~.")(tokens)


def tokens(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Data files, folders or archives.")],
    model: Annotated[str, typer.Option(metavar="MODEL", help="Catalogue id or model folder.")],
    row: Annotated[int, typer.Option(min=1, help="Which row, counted from 1.")] = 1,
    length: Annotated[int, typer.Option("--tokens", min=16, max=1_048_576, help="Longest sequence.")] = 1024,
    system: Annotated[str, typer.Option(metavar="TEXT", help="System text for rows that bring none.")] = "",
    json: Json = False,
) -> int:
    # said now, not after torch was loaded
    find_folder(spec_of(model).id, models_root(load()))
    data = tuple(str(file.absolute()) for file in files)
    plan = TrainingPlan(model=model, data=data, tokens=length, system=system, validation_share=0.0)
    last = follow(JobProcess(TokensJob(plan, row - 1, keep_open=False)))
    if not isinstance(last, Finished):
        return ending(last, as_json=json)
    shown = from_plain(RowTokens, last.result["shown"])
    if shown.row != row - 1:
        words = _("there is no row {row}; the last one is {last}").format(row=row, last=shown.of)
        raise typer.BadParameter(words, param_hint="--row")
    if shown.problem:
        raise Trouble(shown.problem.code, **shown.problem.facts)
    if json:
        result_out(last.result["shown"] | {"row": row})
    else:
        _print_row(shown)
    return 0


def _print_row(shown: RowTokens) -> None:
    print(f"{Path(shown.file).name}:{shown.line}")
    print(_marked(shown.tokens))
    words = _("{trained} of {total} tokens are learned from.")
    print(words.format(trained=count(shown.trained), total=count(shown.total)))
    if not shown.as_in_chat:
        print(_("Chat hands the model another text before its answer than training does:"))
        print(shown.prompt)


def _marked(pieces: Iterable[TokenPiece]) -> str:
    """The text of a row with marks around what is learned and what is cut off."""
    return "".join(
        _MARKS.get(kind, "{}").format("".join(piece.text for piece in group))
        for kind, group in groupby(pieces, key=lambda piece: piece.kind)
    )
