"""The main job on the starter model and the sample data: fetch, train, ask before and after, merge, prove."""

import json as json_lines
import sys
from typing import Annotated, Any

import typer

from core.assets import resource
from core.catalog import STARTER
from core.cli.cards import first_card
from core.cli.coach import Coach
from core.cli.output import Json, ending, follow, not_one_of, result_out
from core.data.inspect import inspect_files
from core.events import Finished, Last, Side
from core.i18n import _
from core.jobs.jobs import ChatJob, FetchJob, MergeJob, TrainJob
from core.jobs.process import JobProcess
from core.plan import Method
from core.planning import make_plan
from core.runs import RunFolder
from core.settings import load, models_root, runs_root


def add_to(app: typer.Typer) -> None:
    """Register the demo command."""
    app.command("demo", help="Go the whole way with the starter model and sample data. Then prove the merged model.")(
        demo
    )


def demo(
    method: Annotated[Method, typer.Option(help="How the base model is held in memory.")] = Method.LORA,
    language: Annotated[str, typer.Option(metavar="en|zh", help="The language of the sample data.")] = "en",
    json: Json = False,
) -> int:
    if language not in ("en", "zh"):
        raise not_one_of("en", "zh", hint="--language")
    held_out = held_out_questions(language)
    questions = tuple(row["question"] for row in held_out)
    try:
        _done(follow(JobProcess(FetchJob(STARTER))))
        run = _new_run(method, language, questions)
        coach = Coach(run, sys.stderr)
        job = JobProcess(TrainJob(str(run.path)), run=run)
        trained = _done(follow(job, hear=coach.hear, left=coach.left))
        chat = ChatJob(str(run.path), questions, keep_open=False, base="original", sides=(Side.BASE,))
        answers = _done(follow(JobProcess(chat, log=run.path / "chat.log")))["answers"]
        merge = MergeJob(str(run.path), str(run.path / "merged"), questions)
        merged = _done(follow(JobProcess(merge, log=run.path / "merge.log")))
    except Unfinished as unfinished:
        return ending(unfinished.last, as_json=json)
    rows = [
        {
            **said,
            "after": proof["adapter"],
            "merged": proof["merged"],
            "expects": row["expects"],
            "known": knows(proof["adapter"], row["expects"]),
        }
        for said, proof, row in zip(answers, merged["answers"], held_out, strict=True)
    ]
    outcome = {
        "run": str(run.path), "adapter": trained["adapter"], "merged": merged["folder"], "method": method,
        "first_loss": trained["first_loss"], "last_loss": trained["last_loss"], "answers": rows,
        "known_before": sum(knows(row["before"], row["expects"]) for row in rows),
        "known_after": sum(row["known"] for row in rows),
        "merged_equals_adapter": merged["verified"],
    }  # fmt: skip
    result_out(outcome) if json else _tell(outcome)
    return 0 if merged["verified"] else 1


def held_out_questions(language: str) -> list[dict[str, Any]]:
    """The sample's held-out questions: question, expects (what a knowing answer contains), answer."""
    text = resource("samples", f"support_{language}_heldout.jsonl").read_text(encoding="utf-8")
    return [json_lines.loads(line) for line in text.splitlines()]


def knows(answer: str, expects: list[str]) -> bool:
    """Whether an answer contains every expected piece."""
    return all(piece.casefold() in answer.casefold() for piece in expects)


class Unfinished(Exception):  # noqa: N818 - carries an outcome
    """A job of the demo did not finish."""

    def __init__(self, last: Last) -> None:
        super().__init__(type(last).__name__)
        self.last = last


def _done(last: Last) -> dict[str, Any]:
    if not isinstance(last, Finished):
        raise Unfinished(last)
    return last.result


def _new_run(method: Method, language: str, questions: tuple[str, ...]) -> RunFolder:
    from dataclasses import replace

    from core.catalog import spec_of

    data = str(resource("samples", f"support_{language}.jsonl"))
    plan = make_plan(spec_of(STARTER), models_root(load()), inspect_files((data,)), first_card(), method)
    run = RunFolder.create(runs_root(load()), replace(plan, questions=questions))
    print(_("Run folder: {path}").format(path=run.path), file=sys.stderr)
    return run


def _tell(outcome: dict[str, Any]) -> None:
    for row in outcome["answers"]:
        print(f"\n? {row['question']}")
        print(f"  {_('before')}: {row['before']}")
        print(f"  {_('after')}:  {row['after']}  {'✓' if row['known'] else '✗'}")
    total = len(outcome["answers"])
    print()
    print(_("Loss {first:.2f} → {last:.2f}").format(first=outcome["first_loss"], last=outcome["last_loss"]))
    print(
        _("Right answers to questions it never saw: {before} of {total} before, {after} of {total} after").format(
            before=outcome["known_before"], after=outcome["known_after"], total=total
        )
    )
    same = _("yes") if outcome["merged_equals_adapter"] else _("no")
    print(_("The merged model answers token for token as the adapter does: {same}").format(same=same))
    print(_("Merged model: {path}").format(path=outcome["merged"]))
