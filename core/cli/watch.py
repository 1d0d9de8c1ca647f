"""`solotune watch`: what was observed in a training, running or over, one sentence each."""

from typing import Any

import typer

from core.cli.named import Run
from core.cli.output import Json, result_out
from core.codec import to_plain
from core.history import RunHistory
from core.i18n import _
from core.plan import TrainingPlan
from core.runs import RunFolder, RunState
from core.watch import Episode, Severity, episodes, remedies, seconds_left
from core.wording import count, duration, joined
from core.wording.watch import observation_words, remedy_words, severity_words


def add_to(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("watch", help="Say what was observed in a run, and what helps. Overfitting, spikes, slow steps.")(watch)


def watch(run: Run, json: Json = False) -> None:
    folder = RunFolder.open(run)
    plan, events = folder.plan(), list(folder.events())
    history, seen = folder.history(), episodes(events, plan)
    running = folder.state(history) is RunState.RUNNING
    left = seconds_left(history, plan) if running else None
    if json:
        observations = [_told(each, plan, history) for each in seen]
        return result_out(_facts(folder, history, left) | {"observations": observations})
    for line in _lines(history, left):
        print(line)
    for each in seen:
        _print(each, plan, history)
    if not any(each.observation.severity is not Severity.GOOD for each in seen):
        print(_("Nothing stands out."))
    return None


def _facts(folder: RunFolder, history: RunHistory, left: float | None) -> dict[str, Any]:
    best = history.best_evaluation
    return {
        "run": str(folder.path), "state": folder.state(history).value, "step": history.step,
        "total_steps": history.total_steps, "seconds_left": left, "waited": history.waited,
        "best": best and {"step": best.step, "loss": best.loss, "perplexity": best.perplexity},
        "tokens_per_second": history.tokens_per_second, "samples_per_second": history.samples_per_second,
    }  # fmt: skip


def _lines(history: RunHistory, left: float | None) -> list[str]:
    """Where the run is, and its best evaluation."""
    where = _("Step {step} of {total}").format(step=count(history.step), total=count(history.total_steps))
    lines = [where if left is None else where + " · " + _("{time} left").format(time=duration(left))]
    best = history.best_evaluation
    if best is not None and best.perplexity is not None:
        words = _("The best perplexity was {perplexity}, at step {step}.")
        lines.append(words.format(perplexity=f"{best.perplexity:.3g}", step=count(best.step)))
    return lines


def _print(each: Episode, plan: TrainingPlan, history: RunHistory) -> None:
    seen = each.observation
    words = observation_words(seen)
    where = _("step {step}").format(step=count(each.first))
    if each.last > each.first:
        where = _("steps {first} to {last}").format(first=count(each.first), last=count(each.last))
    told = {"severity": severity_words(seen.severity), "where": where, "words": joined(words.title, words.advice)}
    print(_("{severity} ({where}): {words}").format_map(told))
    for remedy in remedies(seen, plan, history.total_steps):
        print(f"  → {remedy_words(remedy)}")


def _told(each: Episode, plan: TrainingPlan, history: RunHistory) -> dict[str, Any]:
    words = observation_words(each.observation)
    old = to_plain(plan)
    helping = [
        {
            "name": remedy.name,
            "text": remedy_words(remedy),
            "plan": {name: value for name, value in to_plain(remedy.plan).items() if value != old[name]},
        }
        for remedy in remedies(each.observation, plan, history.total_steps)
    ]
    told = {"first": each.first, "last": each.last, "now": each.now, "title": words.title, "advice": words.advice}
    return {**to_plain(each.observation), **told, "action": words.action, "remedies": helping}
