"""Doctor page: looks whether this computer is ready, row by row, with a fix under each row that needs one."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QPushButton, QVBoxLayout

from core.codec import from_plain
from core.doctor.readings import Readings
from core.events import Failed, Finished, Last, Stage
from core.findings import Check, Diagnosed, Finding, Fix, Level, worst
from core.i18n import _
from core.wizard import Step, WizardState
from core.wording.doctor import verdict_words
from gui.calls import call_settings, call_step
from gui.choose import open_driver_page, open_folder
from gui.desk import Desk
from gui.jobs import JobThread, Lane
from gui.pages.doctor_repair import RepairPanel
from gui.pages.doctor_row import MARKS, FindingRow
from gui.pages.doctor_zip import Diagnostics
from gui.pages.page import Page
from gui.widgets.badge import Badge
from gui.widgets.buttons import button
from gui.widgets.problem_card import ProblemCard
from gui.widgets.progress import ProgressLine
from gui.widgets.text import clear, line, row


class DoctorPage(Page):
    """Looks when it is opened, and again when it is asked to; it stops when it is left."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("Doctor"))
        self.lead.show()
        self._job: JobThread | None = None
        self._checks: tuple[Check, ...] = tuple(Check)
        self._wants_zip = self._looked = False
        self.findings: list[Finding] = []
        self.again = button(_("&Look again"), "doctor_again", self.look, icon="refresh")
        self.everything = button(_("Look at &everything"), "doctor_everything", self._look_at_all)
        self.progress = ProgressLine("doctor_cancel")
        self.progress.cancelled.connect(self._cancel)
        self.verdict = Badge("muted", "", wrap=True, role="lead")
        self.verdict.setObjectName("verdict")
        self.repair = RepairPanel(desk)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._problems = QVBoxLayout()
        self.diagnostics = Diagnostics(desk)
        for part in (self.progress, self.verdict, self.repair):
            part.hide()
            self.column.addWidget(part)
        self.column.addLayout(self._problems)
        self.column.addLayout(self._rows)
        self.column.addLayout(row(self.again, self.everything, None))
        self.column.addSpacing(8)
        self.column.addWidget(self.diagnostics)
        self.column.addStretch(1)

    def called(self, checks: Sequence[Check], part: str) -> None:
        wanted = tuple(checks) or tuple(Check)
        if wanted != self._checks:
            self._cancel()
            self._checks, self._looked = wanted, False
        self._wants_zip = part == "zip"

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        if not self._looked and self._job is None:
            self.look()
        if self._wants_zip:
            self._wants_zip = False
            self.diagnostics.fold.open()
            self.bring_to_top(self.diagnostics)

    def look(self) -> None:
        """Begin to look; rows come as they are known."""
        from core.jobs.doctor import DoctorJob

        self._looked = True
        self._clear()
        few = len(self._checks) < len(Check)
        self.lead.setText(_few_words() if few else _whole_words())
        self.verdict.hide()
        self.repair.hide()
        self.progress.begin(_("Looking at this computer"))
        self.progress.show()
        self._show_buttons(busy=True)
        # no lane of the card: it leaves a card alone that is being trained on
        self._job = self.desk.runner.start(DoctorJob(self._checks), self._heard, lane=Lane.BESIDE)

    def _clear(self) -> None:
        self.findings.clear()
        clear(self._rows)
        clear(self._problems)

    def _look_at_all(self) -> None:
        self._checks = tuple(Check)
        self.look()

    def _cancel(self) -> None:
        self.desk.runner.cancel(self._job)

    def _heard(self, event: object) -> None:
        if self.sender() is not None and self.sender() is not self._job:
            # a look that was left says its last word
            return
        if isinstance(event, Diagnosed):
            self._add(event.finding)
        elif isinstance(event, Stage):
            self.progress.show_stage(event)
        elif isinstance(event, Last):
            self._job = None
            self._ended(event)

    def _add(self, finding: Finding) -> None:
        if self.findings:
            self._rows.addWidget(line())
        self.findings.append(finding)
        self._rows.addWidget(self._finding_row(finding))

    def _finding_row(self, finding: Finding) -> FindingRow:
        made = FindingRow(finding)
        made.fixed.connect(self._fix)
        return made

    def _worst_first(self) -> None:
        """Now that all is known: what needs a hand stands above what is well."""
        order = list(Level)
        sorted_rows = sorted(self.findings, key=lambda finding: -order.index(finding.level))
        if sorted_rows == self.findings:
            return
        clear(self._rows)
        for at, finding in enumerate(sorted_rows):
            if at:
                self._rows.addWidget(line())
            self._rows.addWidget(self._finding_row(finding))

    def _ended(self, last: Last) -> None:
        self.progress.hide()
        self._show_buttons(busy=False)
        readings = Readings()
        if isinstance(last, Finished):
            readings = from_plain(Readings, last.result["readings"])
            icon_tone = MARKS[worst(tuple(self.findings))][1]
            self.verdict.set(icon_tone, verdict_words(self.findings))
            self._worst_first()
        elif isinstance(last, Failed):
            self._problems.addWidget(ProblemCard(last.problem, actions=frozenset()))
        else:
            self.verdict.set("muted", _("Stopped before everything was looked at."))
        self.verdict.setVisible(not isinstance(last, Failed))
        self.diagnostics.take(tuple(self.findings), readings)
        if any(finding.fix is Fix.REPAIR for finding in self.findings):
            self.repair.look()

    def _show_buttons(self, *, busy: bool) -> None:
        self.again.setVisible(not busy)
        self.everything.setVisible(not busy and len(self._checks) < len(Check))
        self.diagnostics.set_ready(not busy)

    def _fix(self, finding: Finding) -> None:
        match finding.fix:
            case Fix.REPAIR:
                self.repair.ask()
                if self.repair.isVisible():
                    self.bring_to_top(self.repair)
            case Fix.OPEN_FOLDER:
                folder = Path(str(finding.facts.get("path", "")))
                folder.mkdir(parents=True, exist_ok=True)
                open_folder(folder)
            case Fix.GET_DRIVER:
                open_driver_page()
            case Fix.FREE_MEMORY:
                call_step(self, Step.GPU)
            case Fix.SETTINGS:
                call_settings(self, _GROUPS.get(finding.check, ""))

    def left(self) -> None:
        if self._job is not None:
            self._cancel()
            # half a table would look like a whole one
            self._looked = False

    def primary(self) -> QPushButton | None:
        return self.again if self.again.isVisible() else None


#: Where in the settings something can be done about a check.
_GROUPS = {Check.NETWORK: "sources", Check.FOLDERS: "folders", Check.WSL: "folders"}


def _whole_words() -> str:
    return _(
        "It reads what is here, computes a few small things on the card, and asks whether the sources of models "
        "answer. Nothing is changed."
    )


def _few_words() -> str:
    return _("What may be behind the trouble that was just reported. Nothing is changed.")
