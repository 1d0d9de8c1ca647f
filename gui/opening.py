"""From a run's folder back to a wizard state, so that an old run is shown by the pages that made it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from core.catalog import ModelSpec, spec_of
from core.data.rows import DataReport, Shape
from core.plan import TrainingPlan
from core.problems import Trouble
from core.runs import RunState, list_runs
from core.wizard import Step, WizardState, choose_plan, open_run
from gui.answers import viewable
from gui.cards import back_home
from gui.desk import Desk
from gui.live_run import LiveRun
from gui.shell import Notices


def attach(state: WizardState, live: LiveRun, desk: Desk) -> WizardState:
    """The state with the run in it; a base model that has gone for good is told, and its place stays empty."""
    plan = live.plan
    if plan is None or live.state is None:
        return state
    # a run was made here, whatever card was planned for just now
    state = back_home(state)
    spec = model_of(plan, desk)
    folder = desk.model_folder(spec) if spec else None
    report = state.report if state.report and state.report.files == plan.data else placeholder(plan)
    merged = live.folder.path / "merged"
    opened = choose_plan(replace(state, model=spec, model_folder=folder, report=report), plan)
    opened = open_run(opened, live.folder.path, live.state, live.has_adapter)
    if (merged / "config.json").is_file():
        opened = replace(opened, merged=merged)
    return replace(opened, step=landing(opened))


def model_of(plan: TrainingPlan, desk: Desk) -> ModelSpec | None:
    """The plan's base model, None when nothing is known of it any more."""
    try:
        return spec_of(plan.model)
    except Trouble as trouble:
        desk.trouble(trouble.problem)
        return None


def placeholder(plan: TrainingPlan) -> DataReport:
    """A report for data that was inspected long ago: usable, with nothing known of its rows."""
    return DataReport(files=plan.data, rows=0, usable=1, shape=Shape.UNKNOWN)


def landing(state: WizardState) -> Step:
    """Where a run opens: at its curves; one that never began, at the model that has gone from this computer."""
    return Step.TRAIN if viewable(state, Step.TRAIN) else Step.MODEL


def refreshed(state: WizardState, live: LiveRun) -> WizardState:
    """The state after its run changed; other runs change nothing."""
    if state.run != live.folder.path or live.state is None:
        return state
    return open_run(state, live.folder.path, live.state, live.has_adapter)


def own_folder(path: Path) -> str:
    """The run's name without the time in front."""
    return path.name.partition("_")[2] or path.name


def started_over(state: WizardState) -> WizardState:
    """The state of a new fine-tuning on the same card."""
    advice = state.recommendation
    return WizardState(
        step=Step.MODEL if state.probed else Step.GPU,
        probed=state.probed,
        card=state.card,
        goal=state.goal,
        recommendation=advice,
        method=advice.method if advice else None,
        own_card=state.own_card,
    )


@dataclass(frozen=True)
class Unfinished:
    """A run that was interrupted, or that another process trains: one that was left alone by a window, perhaps."""

    path: Path
    alive: bool

    def offer(self, notices: Notices, open_run: Callable[[Path, bool], None]) -> None:
        """Show a run that lives; offer to go on with one that does not."""
        if self.alive:
            open_run(self.path, False)
        else:
            notices.offer_resume(own_folder(self.path), lambda: open_run(self.path, True))


def newest_unfinished(root: Path) -> Unfinished | None:
    """The newest run when it has not ended. Reads all of its history: not for the GUI thread."""
    newest = next(iter(list_runs(root)), None)
    state = newest.state() if newest is not None else None
    if newest is None or state not in (RunState.INTERRUPTED, RunState.RUNNING):
        return None
    return Unfinished(newest.path, state is RunState.RUNNING)
