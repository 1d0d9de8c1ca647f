"""Runs page: everything that was trained here, interrupted runs on top, each a click away from its curves."""

from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout

from core.i18n import _, ngettext
from core.problems import Trouble, diagnose
from core.runs import RunFolder, RunState
from core.wizard import WizardState
from core.wording import count
from gui.choose import open_folder
from gui.desk import Desk
from gui.pages.page import Page
from gui.pages.run_card import RunCard
from gui.run_reader import RunReader, Summary
from gui.widgets.ask import ask
from gui.widgets.buttons import button
from gui.widgets.text import clear, label, row

#: Cards in sight before "Show all".
FIRST = 40


class RunsPage(Page):
    """Cards of past runs; their histories are read off the window's thread."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("Runs"), _("Everything that was trained on this computer."))
        self._reader = RunReader(self)
        self._reader.found.connect(self._add)
        self._reader.done.connect(self._finish)
        self._cards: dict[Path, RunCard] = {}
        self._limit = FIRST
        self._hidden = 0
        self._fresh = True
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        self._status = label(_("Reading the runs…"), "muted", name="runs_status")
        self._more = button(_("Show all"), "all_runs", self._show_all)
        folder = button(_("Open folder"), "open_runs", self._open_root, kind="quiet", icon="folder")
        self.column.addLayout(row(self._status, None, folder))
        self.column.addLayout(self._list)
        self.column.addLayout(row(self._more, None))
        self.column.addStretch(1)
        desk.ended.connect(self._run_ended)

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        if self._fresh:
            self._fresh = False
            self.read()

    def read(self) -> None:
        """Read the folder again."""
        clear(self._list)
        self._cards, self._hidden = {}, 0
        self._more.hide()
        self._status.setText(_("Reading the runs…"))
        self._reader.read(self.desk.runs_root)

    def _add(self, summary: Summary) -> None:
        interrupted = summary.state is RunState.INTERRUPTED
        if len(self._cards) >= self._limit and not interrupted:
            self._hidden += 1
            return
        training = self.desk.training
        card = RunCard(summary, here=training is not None and training.folder.path == summary.path)
        card.opened.connect(self.opened)
        card.delete_asked.connect(self._delete)
        self._cards[summary.path] = card
        place = sum(c.summary.state is RunState.INTERRUPTED for c in self._cards.values()) - 1
        self._list.insertWidget(place if interrupted else -1, card)

    def _finish(self, total: int) -> None:
        words = ngettext("{n} run", "{n} runs", total).format(n=count(total))
        self._status.setText(words if total else _("Nothing was trained yet. Your first run will be listed here."))
        self._more.setVisible(self._hidden > 0)

    def _show_all(self) -> None:
        self._limit = 1_000_000
        self.read()

    def _delete(self, path: Path) -> None:
        answer = ask(
            self,
            _("Delete this run?"),
            _("{name} with its adapter, checkpoints and curves is deleted for good.").format(name=path.name),
            (("keep", _("&Keep it"), "plain"), ("delete", _("&Delete"), "primary")),
        )
        if answer == "delete":
            self.delete(path)

    def delete(self, path: Path) -> None:
        """Remove a run from the disk."""
        try:
            RunFolder(path).delete()
        except (Trouble, OSError) as error:
            self.desk.trouble(diagnose(error))
            return
        self.desk.forget(path)
        self.read()
        if self.state.run == path:
            from dataclasses import replace

            self.proposed.emit(replace(self.state, run=None, run_state=None, has_adapter=False, merged=None))

    def _run_ended(self, _live: object) -> None:
        self._fresh = True
        if self.isVisible():
            self.show_state(self.state)

    def _open_root(self) -> None:
        self.desk.runs_root.mkdir(parents=True, exist_ok=True)
        open_folder(self.desk.runs_root)

    def left(self) -> None:
        self._reader.drop()
        self._fresh = True
