"""Taking a downloaded model off the disk: asked first, never while something uses it, and with the space it frees."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from core.catalog import ModelSpec
from core.hub import remove
from core.i18n import _
from core.jobs.jobs import DryRunJob
from core.jobs.models import ListJob
from core.jobs.moves import ClearJob, MoveJob
from core.problems import Code, Trouble
from core.runs import RunFolder, list_runs
from core.wording import gigabytes
from gui.background import Errand
from gui.desk import Desk
from gui.pages.model_places import Place
from gui.widgets.ask import ask


def is_used(spec: ModelSpec, place: Place, desk: Desk) -> bool:
    """Whether something in this window works with the model now."""
    return desk.mover.busy or any(uses(job, spec, place.folder) for job in desk.runner.jobs)


def uses(job: Any, spec: ModelSpec, folder: Path | None) -> bool:
    """Whether a job works with the model, or with everything that lies in the models folder."""
    if isinstance(job, (MoveJob, ClearJob)):
        return True
    if isinstance(job, (DryRunJob, ListJob)):
        # they know the model by its facts alone
        return False
    names = {spec.id, spec.repo, str(folder)} - {""}
    plan = getattr(job, "plan", None)
    if plan is None and (run := getattr(job, "run_folder", "")):
        plan = _plan(RunFolder(Path(run)))
    said = (getattr(plan, "model", ""), getattr(job, "model", ""), getattr(job, "model_folder", ""))
    return not names.isdisjoint(said)


def _plan(run: RunFolder) -> Any:
    try:
        return run.plan()
    except (Trouble, OSError):
        return None


def takes_off(model: str, spec: ModelSpec, place: Place, desk: Desk) -> int:
    """Delete it and return the bytes that frees. Raises Trouble(RUN_BUSY) while a run of any window uses it, NOT_OURS.

    Reads the plans of runs that are alive, and deletes gigabytes: not for the GUI thread.
    """
    for run in list_runs(desk.runs_root):
        if run.is_busy() and uses(_Alive(run), spec, place.folder):
            raise Trouble(Code.RUN_BUSY, path=run.path)
    return remove(model, desk.models_root)


class Removal(QObject):
    """Asks, and deletes off the window's thread; `done` carries the freed bytes, or a Problem."""

    done = Signal(object)

    def __init__(self, desk: Desk, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk, self._window = desk, parent

    def start(self, spec: ModelSpec, place: Place) -> None:
        """Remove a model, or what there is of it, when the user is sure and nothing uses it."""
        if is_used(spec, place, self._desk) or not sure(self._window, spec.title, place):
            return
        doomed = str(place.folder) if place.folder else spec.id
        Errand(lambda: takes_off(doomed, spec, place, self._desk), self, self.done.emit)


class _Alive:
    """A run of another process, as a job."""

    def __init__(self, run: RunFolder) -> None:
        self.run_folder = str(run.path)


def sure(parent: QWidget, title: str, place: Place) -> bool:
    """Ask whether the model shall go; the harmless answer is the first."""
    freed = place.bytes or place.waiting_bytes
    if place.kind:
        question = _("Remove {model} from the disk?").format(model=title)
        words = _(
            "This frees {size}. Runs that were trained on it stay, and need it again to be tested or merged: "
            "it can be downloaded anew."
        ).format(size=gigabytes(freed))
    else:
        question = _("Delete what has arrived of {model}?").format(model=title)
        words = _("This frees {size}. The next download begins from the start.").format(size=gigabytes(freed))
    answers = (("keep", _("Keep it"), "plain"), ("remove", _("Remove"), "primary"))
    return ask(parent, question, words, answers) == "remove"
