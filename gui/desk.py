"""What the pages share: settings, the job runner, the runs being watched, and the models on offer."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.catalog import ModelSpec, models
from core.fit import UNFITTED, Constants, constants_of
from core.gpu import Card
from core.hub import local_folder
from core.plan import TrainingPlan
from core.problems import Problem, diagnose
from core.runs import RunFolder
from core.settings import Settings, measured_file, models_root, runs_root, save
from core.tiers import keep_free
from core.vram import Estimate, estimate
from gui.jobs import JobRunner
from gui.live_run import LiveRun
from gui.moving import Mover


class Desk(QObject):
    """One for the window. `ended` carries a LiveRun, `troubled` a Problem that no page expected."""

    ended = Signal(object)
    troubled = Signal(object)
    dressed = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        keep_free(settings.reserve_bytes)
        self.runner = JobRunner(self)
        self.mover = Mover(self)
        #: Whether pages may start processes of their own unasked: the model's own modules, all tokens counted.
        self.dry_runs = True
        #: What the last look at the data found beside its report (gui.pages.data_look.Look).
        self.looked: object = None
        #: File and line of a row that the Data page is asked to show.
        self.wanted_row: tuple[str, int] | None = None
        #: Access tokens by source, as they were typed: until the window closes, and nowhere else.
        self.tokens: dict[str, str] = {}
        self._live: dict[Path, LiveRun] = {}
        self._constants: dict[str, Constants] = {}
        self._models: tuple[ModelSpec, ...] | None = None

    @property
    def runs_root(self) -> Path:
        return runs_root(self.settings)

    @property
    def models_root(self) -> Path:
        return models_root(self.settings)

    def models(self) -> tuple[ModelSpec, ...]:
        """The catalogue, read once."""
        if self._models is None:
            self._models = models()
        return self._models

    def model_folder(self, spec: ModelSpec) -> Path | None:
        """Where the model's files lie on this computer, None when they do not."""
        return local_folder(spec, self.models_root)

    def constants(self, card: Card | None) -> Constants:
        """What runs on this card taught of its memory; read once, and again after a run ended."""
        if card is None:
            return UNFITTED
        if card.name not in self._constants:
            self._constants[card.name] = constants_of(card.name, measured_file())
        return self._constants[card.name]

    def predict(self, plan: TrainingPlan, model: ModelSpec, card: Card | None) -> Estimate:
        """Memory of a plan on a card by arithmetic: at once, and as good as it gets without the model's modules."""
        return estimate(model.architecture, plan, constants=self.constants(card))

    def live(self, path: Path) -> LiveRun:
        """The run at `path`; the same object each time, so that a page can come back to it."""
        if path not in self._live:
            found = LiveRun(RunFolder(path), self.runner, self)
            found.ended.connect(lambda _last: self._run_ended(found))
            self._live[path] = found
            found.load()
        return self._live[path]

    def _run_ended(self, run: LiveRun) -> None:
        self._constants.clear()
        self.ended.emit(run)

    def forget(self, path: Path) -> None:
        """Let go of a run that was deleted."""
        found = self._live.pop(path, None)
        if found is not None:
            found.deleteLater()

    @property
    def training(self) -> LiveRun | None:
        """The run that this window trains now."""
        return next((run for run in self._live.values() if run.training), None)

    def change(self, settings: Settings) -> None:
        """Take other settings and write them down."""
        self.settings = settings
        keep_free(settings.reserve_bytes)
        try:
            save(settings)
        except OSError as error:
            self.troubled.emit(diagnose(error))
        self.dressed.emit()

    def remember_geometry(self, geometry: str) -> None:
        """Keep the window's place for the next start."""
        self.remember(geometry=geometry)

    def remember(self, **choices: Any) -> None:
        """Keep how things are shown for the next start; losing it is no trouble."""
        self.settings = replace(self.settings, **choices)
        with contextlib.suppress(OSError):
            save(self.settings)

    def trouble(self, problem: Problem) -> None:
        """Show a problem that belongs to no page."""
        self.troubled.emit(problem)
