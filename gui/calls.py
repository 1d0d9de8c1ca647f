"""What pages and cards ask of the window as a whole: the doctor, the settings, and paths that follow a moved folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from core.findings import Check
from core.i18n import _
from core.wizard import STEPS, Step
from gui.cards import advised
from gui.pages import book
from gui.widgets.notice import Notice

if TYPE_CHECKING:
    from gui.main_window import MainWindow


class PageCall(QEvent):
    """Sent to a window: show the page `name`, a step or one beside the wizard.

    The doctor looks at `checks` only, when there are any. `part` is the group of settings to show first, or "zip" for
    the doctor's diagnostics.
    """

    KIND = QEvent.Type(QEvent.registerEventType())

    def __init__(self, name: str, checks: Sequence[Check] = (), part: str = "") -> None:
        super().__init__(self.KIND)
        self.name, self.checks, self.part = name, tuple(checks), part


def call_doctor(asking: QWidget, checks: Sequence[Check] = (), part: str = "") -> None:
    """Open the doctor's page in the window of `asking`."""
    QCoreApplication.sendEvent(asking.window(), PageCall(book.DOCTOR, checks, part))


def call_settings(asking: QWidget, part: str = "") -> None:
    """Open the settings in the window of `asking`."""
    QCoreApplication.sendEvent(asking.window(), PageCall(book.SETTINGS, part=part))


def call_step(asking: QWidget, step: Step) -> None:
    """Go to a step of the wizard in the window of `asking`, also when it is the one behind this page."""
    QCoreApplication.sendEvent(asking.window(), PageCall(step))


class Calls(QObject):
    """Answers for one window."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        self._reserve = window.desk.settings.reserve_gb
        window.installEventFilter(self)
        window.desk.mover.switched.connect(self._moved)
        window.desk.mover.changed.connect(self._tell_of_move)
        window.desk.dressed.connect(self._settings_changed)
        QTimer.singleShot(0, self, self._tell_of_move)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, PageCall):
            self._answer(event)
            return True
        return super().eventFilter(watched, event)

    def _answer(self, call: PageCall) -> None:
        window = self._window
        if call.name in STEPS:
            window.go(Step(call.name))
            return
        page = window.page(call.name)
        page.called(call.checks, call.part)
        if window.stack.currentWidget() is not page:
            window.open_aside(call.name)
        else:
            window.refresh()

    def _tell_of_move(self) -> None:
        """Runs or models may lie in two places after a move that was killed: say so, not only in the settings."""
        self._window.notices.withdraw("move_broken")
        broken = self._window.desk.mover.broken_off
        if broken is not None and self._window.desk.mover.problem is None:
            words = _("Moving to {folder} was broken off. Nothing is lost; it can go on.").format(folder=broken.target)
            notice = Notice(words, _("Open the settings"), "move_broken")
            notice.accepted.connect(lambda: call_settings(self._window, "folders"))
            self._window.notices.put(notice)

    def _moved(self, old: Path, new: Path) -> None:
        """The files of the state lie elsewhere now."""
        state = self._window.state

        def now(path: Path | None) -> Path | None:
            return new / path.relative_to(old) if path is not None and path.is_relative_to(old) else path

        self._window.state = replace(
            state, model_folder=now(state.model_folder), run=now(state.run), merged=now(state.merged)
        )
        self._window.refresh()

    def _settings_changed(self) -> None:
        """With another reserve of memory something else may be worth recommending."""
        reserve, state = self._window.desk.settings.reserve_gb, self._window.state
        if reserve != self._reserve:
            self._reserve = reserve
            if state.card is not None and state.recommendation is not None and not state.training:
                self._window.state = replace(state, recommendation=advised(state.card, state.goal))
            self._window.refresh()
