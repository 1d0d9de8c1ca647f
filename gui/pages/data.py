"""Data page: drop a file, see what is in it row by row, and which rows cannot be used and why."""

from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from core.assets import resource
from core.codec import from_plain
from core.data.rows import DataReport
from core.events import Failed, Finished, Last, Stage
from core.i18n import _
from core.jobs.jobs import InspectJob
from core.problems import Problem
from core.wizard import WizardState, choose_data
from core.wording import Action
from gui.choose import choose_files
from gui.desk import Desk
from gui.jobs import JobThread, Lane
from gui.pages.data_report import ReportView
from gui.pages.page import Page
from gui.pages.plan_rules import guide_words, rules_fold
from gui.widgets.buttons import Tile, button
from gui.widgets.drop_zone import DropZone
from gui.widgets.problem_card import ProblemCard
from gui.widgets.progress import ProgressLine
from gui.widgets.text import clear, column, label, row

#: Language of a sample set → its file in resources/samples.
SAMPLES = {"en": "support_en.jsonl", "zh": "support_zh.jsonl"}


class DataPage(Page):
    """Shows the drop zone until there is a report, then the report."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("What should it learn?"), _("Questions with the answers you would like to get."))
        self._job: JobThread | None = None
        self._problem: Problem | None = None
        self._again = False
        self._counted_for = ""
        self._drawn: object = None
        self._problems = QVBoxLayout()
        self.column.addLayout(self._problems)
        self._entry = self._build_entry()
        self._progress = ProgressLine("cancel_inspect")
        self._progress.cancelled.connect(self._cancel)
        self._progress.hide()
        self._report = QVBoxLayout()
        self.column.addWidget(self._progress)
        self.column.addWidget(self._entry)
        self.column.addLayout(self._report)
        self.column.addWidget(rules_fold(guide_words(), "data_guide", "data"))
        self.column.addStretch(1)

    def _build_entry(self) -> QWidget:
        browse = button(_("Bro&wse…"), "browse_data", self._browse, icon="folder")
        zone = DropZone(
            _("Drop files here"),
            _("JSONL, JSON, CSV, TSV, Parquet or text. Nothing leaves this computer."),
            browse,
        )
        zone.dropped.connect(self.take_files)
        zone.asked.connect(self._browse)
        samples = QHBoxLayout()
        samples.setSpacing(16)
        for language, title, hint in (
            (
                "en",
                _("Sample: a support desk, in English"),
                _("196 questions about a machine that does not exist."),
            ),
            ("zh", _("Sample: a support desk, in Chinese"), _("The same machine, asked about in Chinese.")),
        ):
            samples.addWidget(self._sample(language, title, hint))
        box = QWidget()
        heading = label(_("Or try one of these first"), "muted")
        box.setLayout(column(zone, heading, samples, spacing=16))
        return box

    def _sample(self, language: str, title: str, hint: str) -> Tile:
        tile = Tile(
            f"sample_{language}",
            column(label(title, "strong"), label(hint, "muted"), spacing=2),
            checkable=False,
        )
        tile.setAccessibleName(title)
        tile.clicked.connect(lambda: self.take_files([str(resource("samples", SAMPLES[language]))]))
        return tile

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        busy = self._job is not None
        self._progress.setVisible(busy)
        self._entry.setVisible(not busy and (state.report is None or self._again))
        report = state.report
        if report is not None and not busy and self._problem is None and (not report.rows or self._outdated(report)):
            self.take_files(list(report.files))
            return
        drawn = (id(state.report), busy, self._again)
        if drawn != self._drawn:
            self._drawn = drawn
            self._draw(None if busy or self._again else state.report)

    def _draw(self, report: DataReport | None) -> None:
        clear(self._report)
        if report is None:
            return
        self._report.addWidget(ReportView(report))
        other = button(_("Choose other data"), "other_data", self._choose_again, icon="refresh")
        self._report.addLayout(row(other, None))

    def take_files(self, paths: list[str]) -> None:
        """Read these files; the report follows."""
        if self._job is not None or not paths:
            return
        clear(self._problems)
        self._problem = None
        self._progress.begin(_("Reading the data"))
        self._counted_for = self._tokenizer()
        job = InspectJob(tuple(paths), self._counted_for)
        self._job = self.desk.runner.start(job, self._heard, lane=Lane.BESIDE)
        self.show_state(self.state)

    def _tokenizer(self) -> str:
        """The folder of the model that will read the rows; its tokenizer counts them."""
        return str(self.state.model_folder) if self.state.model_folder else ""

    def _outdated(self, report: DataReport) -> bool:
        """Whether another model was chosen since the rows were counted; a run's own data is left alone."""
        now = self._tokenizer()
        counted = bool(report.tokens) and self.state.run is None
        return counted and now not in ("", report.tokens_model, self._counted_for)

    def _browse(self) -> None:
        self.take_files(choose_files(self))

    def _choose_again(self) -> None:
        self._again = True
        self.show_state(self.state)

    def _cancel(self) -> None:
        self.desk.runner.cancel(self._job)

    def _heard(self, event: object) -> None:
        if isinstance(event, Stage):
            self._progress.show_stage(event)
        if not isinstance(event, Last):
            return
        self._job = None
        if isinstance(event, Failed):
            self._show_problem(event.problem)
        if isinstance(event, Finished):
            self._again = False
            self._propose(from_plain(DataReport, event.result, strict=False))
        elif self.isVisible():
            self.show_state(self.state)

    def _propose(self, report: DataReport) -> None:
        known = self.state.report
        if known is not None and not known.rows and known.files == report.files:
            # the data of a run that was opened: reading it again must not drop the run
            from dataclasses import replace

            self.proposed.emit(replace(self.state, report=report))
        else:
            self.proposed.emit(choose_data(self.state, report))

    def _show_problem(self, problem: Problem) -> None:
        self._problem = problem
        card = ProblemCard(problem, actions=frozenset({Action.CHOOSE_DATA}))
        card.acted.connect(lambda _action: self._browse())
        self._problems.addWidget(card)
        self._again = True

    def left(self) -> None:
        if self.state.report is not None and self._job is None:
            self._again = False

    def shutdown(self) -> None:
        self._cancel()


def sample_language(files: tuple[str, ...]) -> str:
    """The language of the sample set in `files`, empty when it is the user's own data."""
    names = [Path(file).name for file in files]
    return next((language for language, name in SAMPLES.items() if names == [name]), "")
