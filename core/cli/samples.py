"""`solotune samples`: what a model answered before its training, and by and by while it learned."""

from typing import Any

import typer

from core.cli.named import Run
from core.cli.output import Json, result_out
from core.events import Sampled
from core.i18n import _
from core.runs import RunFolder
from core.timelines import AnswerTimeline, timelines
from core.wording import count


def add_to(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("samples", help="Show what a run answered to its questions while it trained.")(samples)


def samples(run: Run, json: Json = False) -> None:
    folder = RunFolder.open(run)
    found = timelines(folder.history())
    if json:
        return result_out({"run": str(folder.path), "questions": [_plain(each) for each in found]})
    if not found:
        print(_("This run answered no questions while it trained."))
    for each in found:
        _print(each)
    return None


def _print(each: AnswerTimeline) -> None:
    print(f"? {each.question}")
    if each.expected:
        _line(_("data"), each.expected)
    if each.base is not None:
        _line(_("base"), _said(each.base))
    for sample in each.rounds:
        _line(_("step {step}").format(step=count(sample.step)), _said(sample))


def _line(who: str, text: str) -> None:
    print(f"  {who}: " + " ".join(text.split()))


def _said(sample: Sampled) -> str:
    return (sample.answer or _("(no answer)")) + (" …" if sample.cut else "")


def _plain(each: AnswerTimeline) -> dict[str, Any]:
    base = each.base and {"answer": each.base.answer, "cut": each.base.cut}
    rounds = [{"step": sample.step, "answer": sample.answer, "cut": sample.cut} for sample in each.rounds]
    return {"question": each.question, "expected": each.expected, "base": base, "rounds": rounds}
