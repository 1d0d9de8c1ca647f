"""The folders of the settings: where runs and models lie, and moving them."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout

from core.i18n import _
from core.jobs.jobs import FetchJob
from core.moving import Move, names_in, objection
from core.problems import Problem
from core.settings import Settings
from core.wording import gigabytes
from gui.choose import choose_folder, open_folder
from gui.desk import Desk
from gui.pages.settings_group import Group
from gui.widgets.ask import ask
from gui.widgets.badge import Badge
from gui.widgets.buttons import button
from gui.widgets.problem_card import ProblemCard
from gui.widgets.progress import ProgressLine
from gui.widgets.text import Elided, clear, column, label, panel, row


class FolderSettings(Group):
    """Shows both folders; a folder that is not empty can be moved, with all that lies in it."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(_("Folders"))
        self._desk = desk
        self._paths = {kind: Elided("", "body", Qt.TextElideMode.ElideMiddle) for kind in ("runs", "models")}
        self._changes = {
            kind: button(_("Change…"), f"change_{kind}_folder", partial(self._choose, kind)) for kind in self._paths
        }
        for kind, words in (("runs", _("Runs are kept in")), ("models", _("Models are kept in"))):
            self._changes[kind].setAccessibleName(f"{words}: {_('Change…')}")
            self.put(words, self._line(kind), buddy=self._changes[kind])
        self.progress = ProgressLine("cancel_move")
        self.progress.cancelled.connect(desk.mover.cancel)
        self.said = Badge("caution", "", wrap=True)
        self._below = column(spacing=8)
        self._outcome: tuple[Problem | None, Move | None] = (None, None)
        self.progress.hide()
        self.said.hide()
        for part in (self.progress, self.said):
            self.outer.addWidget(part)
        self.outer.addLayout(self._below)
        desk.mover.changed.connect(self.look)

    def _line(self, kind: str) -> QHBoxLayout:
        show = button(_("Open folder"), f"open_{kind}_folder", lambda: self._open(kind), kind="quiet", icon="folder")
        found = row(self._paths[kind], self._changes[kind], show)
        found.setStretch(0, 1)
        return found

    def show_settings(self, settings: Settings) -> None:
        for kind, shown in self._paths.items():
            shown.setText(str(self._root(kind)))
        self.look()

    def look(self) -> None:
        """Show how the move goes, or what became of it."""
        mover = self._desk.mover
        for kind, shown in self._paths.items():
            shown.setText(str(self._root(kind)))
            self._changes[kind].setEnabled(not mover.busy)
        if mover.busy:
            if mover.stage is not None:
                self.progress.show_stage(mover.stage)
            elif not self.progress.isVisibleTo(self):
                waits = self._desk.runner.saves and self._desk.training is not None
                self.progress.begin(_("Waits until the training has ended") if waits else _("Moving"))
        self.progress.setVisible(mover.busy)
        size, folder = mover.left
        self.say("caution", _left_words(size, folder) if size else "")
        outcome = (mover.problem, None if mover.problem is not None else mover.broken_off)
        if outcome == self._outcome:
            # a button that is about to be pressed stays where it is
            return
        self._outcome = outcome
        clear(self._below)
        problem, broken = outcome
        if problem is not None:
            self._below.addWidget(ProblemCard(problem, actions=frozenset()))
        elif broken is not None:
            self._offer(broken)

    def say(self, tone: str, words: str) -> None:
        """Say something below the folders; nothing with no words."""
        self.said.set(tone, words)
        self.said.setVisible(bool(words))

    def _offer(self, broken: Move) -> None:
        words = _("Moving to {folder} was broken off. Nothing is lost; it can go on.").format(folder=broken.target)
        mover = self._desk.mover
        frame, inner = panel("note")
        on = button(_("&Go on"), "move_go_on", lambda: mover.go_on(broken), kind="primary")
        back = button(_("&Put everything back"), "move_put_back", lambda: mover.give_up(broken))
        inner.addWidget(label(words))
        inner.addLayout(row(on, back, None))
        self._below.addWidget(frame)

    def _root(self, kind: str) -> Path:
        return self._desk.runs_root if kind == "runs" else self._desk.models_root

    def _choose(self, kind: str) -> None:
        found = choose_folder(self, _("Choose a folder"), self._root(kind))
        if found is not None:
            self.take(kind, found)

    def take(self, kind: str, found: Path) -> None:
        """Use another folder; what lies in the old one moves along when the user wants that."""
        now = self._root(kind)
        other = self._root("models" if kind == "runs" else "runs")
        why = objection(now, found, other)
        if why == "same":
            return
        if why == "inside":
            self.say("trouble", _("This folder cannot be used: it lies in one of SoloTune's folders, or holds one."))
            return
        if kind == "models" and self._desk.runner.busy_with(FetchJob):
            self.say("caution", _("A model is on its way. Change the folder when it has arrived."))
            return
        answer = self._asked(kind, found, taken=why == "taken") if names_in(now) else "use"
        if answer == "use":
            self.changed.emit({f"{kind}_folder": str(found)})
        elif answer == "move":
            self._desk.mover.start(kind, now, found)

    def _asked(self, kind: str, found: Path, *, taken: bool) -> str:
        title = _("Move the runs along?") if kind == "runs" else _("Move the models along?")
        words = _("They lie in {old}. Everything is copied and compared before anything is deleted there.")
        text = words.format(old=self._root(kind))
        if taken:
            text = _("Some of them are in {new} already, so they cannot be moved there.").format(new=found)
        move = [("move", _("&Move"), "primary")]
        use = ("use", _("&Leave them there"), "plain")
        return ask(self, title, text, (("cancel", _("&Cancel"), "plain"), use, *([] if taken else move)))

    def _open(self, kind: str) -> None:
        folder = self._root(kind)
        folder.mkdir(parents=True, exist_ok=True)
        open_folder(folder)


def _left_words(size: int, folder: str) -> str:
    words = _("{size} were written to {folder} meanwhile and stayed there.")
    return words.format(size=gigabytes(size), folder=folder)
