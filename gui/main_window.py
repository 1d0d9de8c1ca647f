"""The window: holds the WizardState, shows the page of its step, and derives everything else in `refresh`."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget

from core import wizard
from core.gpu import Reading
from core.i18n import _
from core.wizard import Step, WizardState
from core.wording import blocker_words, step_words
from gui.answers import closed, stops, viewable
from gui.arriving import Arrivals
from gui.background import Errand
from gui.calls import Calls
from gui.card_watch import CardWatch
from gui.cards import here
from gui.desk import Desk
from gui.icons import retint
from gui.keys import pressed_escape, pressed_return
from gui.live_run import LiveRun
from gui.opening import Unfinished, attach, newest_unfinished, refreshed, started_over
from gui.pages import book
from gui.pages.page import Page
from gui.shell import Footer, Notices, Saving, TopBar, ask_to_stop, framed
from gui.tab_order import Comeback, turn, walk
from gui.widgets.step_bar import StepBar


class MainWindow(QMainWindow):
    """One wizard, one desk. `state` changes only in `propose`."""

    def __init__(self, desk: Desk, state: WizardState | None = None) -> None:
        super().__init__()
        self.desk = desk
        self.state = state or WizardState()
        self._aside, self.closing = "", False
        self._pages: dict[str, Page] = {}
        self._shown: Page | None = None
        self._reading: Reading | None = None
        self.arrivals, self.calls = Arrivals(self), Calls(self)
        self.watch = CardWatch(self)
        self.watch.read.connect(self._read)
        self.watch.answers.connect(self._card_answers)
        self.setMinimumSize(880, 600)
        self.resize(1200, 800)
        if desk.settings.geometry:
            self.restoreGeometry(QByteArray.fromBase64(desk.settings.geometry.encode()))
        self._build()
        desk.ended.connect(self._run_ended)
        desk.troubled.connect(self.notices.add)
        desk.runner.changed.connect(self._jobs_changed)
        self.refresh()
        self.setFocus()

    def _build(self) -> None:
        self.top, self.rail, self.footer, self.notices = TopBar(), StepBar(), Footer(), Notices()
        self.stack = QStackedWidget()
        self.shell = framed(self.top, self.rail, self.notices, self.stack, self.footer)
        self.setCentralWidget(self.shell)
        Comeback(self.shell, self.stack)
        self.rail.chosen.connect(self.go)
        self.footer.back.clicked.connect(self._back)
        self.footer.next.clicked.connect(self._next)
        self.top.runs.connect(lambda: self.open_aside(book.RUNS))
        self.top.settings.connect(lambda: self.open_aside(book.SETTINGS))
        self.top.fresh.connect(self._start_over)

    def propose(self, state: WizardState) -> None:
        """Take the next state; a page beside the wizard gives way to it."""
        if state != self.state:
            # that the cards were found is no answer of the user's
            self._aside = "" if self.state.probed else self._aside
            self.state = state
        self.refresh()

    def refresh(self) -> None:
        """Derive every page, button and title from the state."""
        state = self.state
        self._show_page(self._aside or state.step)
        blocked = closed(state)
        hint = self.page(state.step).hint() or (blocker_words(blocked) if blocked else "")
        self.footer.reason.setText("" if self._aside else hint)
        self.footer.back.setText(_("&Back to the steps") if self._aside else _("&Back"))
        self.footer.back.setEnabled(bool(self._aside) or state.step is not Step.GPU)
        self.footer.next.setVisible(not self._aside and state.step is not Step.EXPORT)
        self.footer.next.setEnabled(blocked is None)
        live = self.desk.live(state.run) if state.run else None
        losses = (live.history.first_loss, live.history.last_loss) if live else (None, None)
        self.rail.set(stops(state, losses, aside=bool(self._aside)))
        self.top.runs_button.setChecked(self._aside == book.RUNS)
        self.top.gear.setChecked(self._aside in (book.SETTINGS, book.DOCTOR))
        self.top.show_card(state, self._reading)
        self.setWindowTitle(f"SoloTune – {step_words(state.step)}")
        self.watch.watch(here(state))
        self.arrivals.follow(state)

    def _show_page(self, name: str) -> None:
        page = self.page(name)
        if page is not self._shown:
            leaving, self._shown = self._shown, page
            turn(self.stack, page)
            if leaving is not None:
                leaving.left()
        for other in self._pages.values():
            other.state = self.state
        page.show_state(self.state)

    def page(self, name: str) -> Page:
        """The page of a step, built when it is first asked for."""
        if name not in self._pages:
            page = book.make(name, self.desk)
            page.proposed.connect(self.propose)
            page.opened.connect(self.open_run)
            self._pages[name] = page
            self.stack.addWidget(page)
        return self._pages[name]

    def open_aside(self, name: str) -> None:
        """Show a page beside the wizard, or go back to the wizard when it is shown already."""
        self._aside = "" if self._aside == name else name
        self.refresh()

    def go(self, step: Step) -> None:
        """Show the page of a step when it is open."""
        self._aside = ""
        if viewable(self.state, step):
            self.propose(replace(self.state, step=step))

    def _back(self) -> None:
        self.open_aside(self._aside) if self._aside else self.propose(wizard.back(self.state))

    def _next(self) -> None:
        self.propose(wizard.forward(self.page(self.state.step).answered()))

    def _start_over(self) -> None:
        self._aside = ""
        self.propose(started_over(self.state))

    def open_run(self, path: Path, resume: bool = False) -> None:
        """Attach the run at `path` to the wizard and show it; `resume` trains on."""
        self.notices.withdraw("resume_last")
        live = self.desk.live(path)
        if not live.loaded:
            live.changed.connect(lambda: self.open_run(path, resume), Qt.ConnectionType.SingleShotConnection)
            return
        if live.problem is not None and live.plan is None:
            self.notices.add(live.problem)
            return
        if resume:
            live.start(resume=True)
        self._aside = ""
        self.propose(attach(self.state, live, self.desk))

    def offer_resume(self) -> None:
        """Look whether the newest run was interrupted, and offer to go on with it; show one that trains without us."""
        root = self.desk.runs_root
        Errand(lambda: newest_unfinished(root), self, self._offer_resume)

    def _offer_resume(self, found: object) -> None:
        if isinstance(found, Unfinished) and self.desk.training is None:
            found.offer(self.notices, self.open_run)

    def retint(self) -> None:
        """Draw everything again after the colours changed."""
        retint(self)
        self.refresh()

    def _read(self, reading: Reading | None) -> None:
        self._reading = reading
        self.top.show_card(self.state, reading)
        if self._shown is not None:
            self._shown.show_reading(reading)

    def _card_answers(self, answers: bool) -> None:
        self.top.set_lost(not answers)
        self.notices.card_answers(here(self.state), answers, lambda: self.go(Step.GPU))

    def _run_ended(self, live: LiveRun) -> None:
        # an ended run says so on its page; it must not pull the user away from another one
        self.state = refreshed(self.state, live)
        self.refresh()

    def _jobs_changed(self) -> None:
        if self.closing and self.desk.runner.idle:
            QTimer.singleShot(0, self.close)
        elif not self.closing:
            if self.desk.training is not None:
                self.notices.withdraw("resume_last")
            self.refresh()

    def focusNextPrevChild(self, forward: bool) -> bool:
        return walk(self.shell, self.stack.currentWidget(), forward=forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        chosen = (self._shown.primary() if self._shown else None) or self.footer.next
        if self._aside and pressed_escape(event, self.focusWidget()):
            self._back()
        elif not pressed_return(event, self.focusWidget(), chosen):
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for notice in self.findChildren(Saving):
            notice.setGeometry(self.shell.rect())

    def closeEvent(self, event: QCloseEvent) -> None:
        answer = "stop"
        if not self.closing and self.desk.training is not None:
            answer = ask_to_stop(self, keep=self.desk.settings.keep_training)
        if answer == "cancel" or not self.desk.runner.idle:
            event.ignore()
            if answer != "cancel":
                self.stop_and_close(leave=answer == "keep")
            return
        self.closing = True
        self.watch.stop()
        self.desk.remember_geometry(self.saveGeometry().toBase64().toStdString())
        event.accept()

    def stop_and_close(self, *, leave: bool = False) -> None:
        """Ask every job to end, and close when the last one has; with `leave` a training goes on alone."""
        if not self.closing:
            self.closing = True
            Saving(self.shell).setVisible(self.desk.runner.saves and not leave)
        self.desk.runner.leave() if leave else self.desk.runner.stop_all()
        if self.desk.runner.idle:
            self.close()

    def rebuilt(self) -> "MainWindow":
        """A window like this one, in the language and colours that are in use now."""
        made = MainWindow(self.desk, self.state)
        made.setGeometry(self.geometry())
        if self._aside:
            made.open_aside(self._aside)
        return made

    def retire(self) -> None:
        """Go without closing anything: another window has taken over."""
        self.desk.ended.disconnect(self._run_ended)
        self.desk.troubled.disconnect(self.notices.add)
        self.desk.runner.changed.disconnect(self._jobs_changed)
        self.watch.stop()
        for page in self._pages.values():
            page.shutdown()
        self.hide()
        self.deleteLater()
