"""One step of a run: its numbers, and the rows that it learned from where the training noted them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout

from core.events import StepDone
from core.history import RunHistory
from core.i18n import _, ngettext
from core.wording import count
from gui.widgets.buttons import button
from gui.widgets.fields import short
from gui.widgets.text import clear, label, row

#: Rows in sight, and how many beside each other.
MOST, ACROSS = 16, 4


class StepPanel(QFrame):
    """`row_asked` carries file and line of a row, `moved` the place of another step, -1 to close."""

    row_asked = Signal(str, int)
    moved = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("step_panel")
        self.setProperty("role", "panel")
        self._shown: object = None
        self._spikes: Sequence[int] = ()
        self._place = -1
        self.title = label("", "strong", name="step_title")
        self.words = label("", "muted", name="step_words")
        self._before = button("", "spike_before", lambda: self._jump(-1), kind="quiet", icon="chevron-left")
        self._after = button("", "spike_after", lambda: self._jump(1), kind="quiet", icon="chevron-right")
        close = button("", "step_close", lambda: self.moved.emit(-1), kind="quiet", icon="close")
        for made, words in (
            (self._before, _("The spike before")), (self._after, _("The next spike")), (close, _("Close")),
        ):  # fmt: skip
            made.setToolTip(words)
            made.setAccessibleName(words)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        head = row(spacing=0)
        head.addWidget(self.title, 1)
        for made in (self._before, self._after, close):
            head.addWidget(made)
        inner = QVBoxLayout(self)
        inner.setContentsMargins(16, 8, 16, 16)
        inner.setSpacing(8)
        inner.addLayout(head)
        inner.addWidget(self.words)
        inner.addLayout(self._rows)
        self.hide()

    def set(self, history: RunHistory, place: int, spikes: Sequence[int]) -> None:
        """Show the step at `place` of the history; hide for -1."""
        there = 0 <= place < len(history.steps)
        self.setVisible(there)
        self._place, self._spikes = place, spikes
        if not there:
            self._shown = None
            return
        step = history.steps[place]
        noted = next((note.facts for note in reversed(history.notes) if _about(note, step.step)), {})
        self._before.setEnabled(any(spike < place for spike in spikes))
        self._after.setEnabled(any(spike > place for spike in spikes))
        self._before.setVisible(bool(spikes))
        self._after.setVisible(bool(spikes))
        if self._shown != (step, bool(noted)):
            self._shown = (step, bool(noted))
            self.title.setText(_("Step {n}").format(n=count(step.step)))
            self.words.setText(facts_of(step, noted.get("usual")))
            self.setAccessibleName(f"{self.title.text()}: {self.words.text()}")
            self._show_rows([(str(file), int(line)) for file, line in noted.get("rows", [])])

    def _show_rows(self, rows: list[tuple[str, int]]) -> None:
        clear(self._rows)
        if not rows:
            return
        words = ngettext(
            "It learned from {n} row. Open it in Data:", "It learned from {n} rows. Open one in Data:", len(rows)
        )
        self._rows.addWidget(label(words.format(n=count(len(rows))), "body"))
        shown = rows[:MOST]
        for file in dict.fromkeys(file for file, _line in shown):
            self._rows.addWidget(label(_("{file}, line").format(file=Path(file).name), "small"))
            self._rows.addLayout(self._lines(file, [line for other, line in shown if other == file]))
        if len(rows) > MOST:
            self._rows.addWidget(label(_("… and {n} more").format(n=count(len(rows) - MOST)), "small"))

    def _lines(self, file: str, lines: list[int]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(6)
        for number, line in enumerate(lines):
            asked = partial(self.row_asked.emit, file, line)
            chip = button(count(line), f"open_row_{line}", asked, kind="chip")
            chip.setToolTip(_("Open in Data: {place}").format(place=f"{file}:{line}"))
            chip.setAccessibleName(chip.toolTip())
            grid.addWidget(chip, number // ACROSS, number % ACROSS)
        grid.setColumnStretch(ACROSS, 1)
        return grid

    def _jump(self, way: int) -> None:
        on = [spike for spike in self._spikes if (spike - self._place) * way > 0]
        if on:
            self.moved.emit(on[0] if way > 0 else on[-1])


def _about(note: object, step: int) -> bool:
    facts = getattr(note, "facts", {})
    return bool(facts.get("step") == step and facts.get("rows"))


def facts_of(step: StepDone, usual: float | None = None) -> str:
    """The numbers of a step in a line; `usual` is the gradient of the steps around it."""
    loss = _("no number") if step.loss is None else f"{step.loss:.4g}"
    said = [_("loss {n}").format(n=loss)]
    if step.gradient_norm is not None:
        words = _("gradient {n} instead of {usual}") if usual else _("gradient {n}")
        said.append(words.format(n=f"{step.gradient_norm:.3g}", usual=f"{usual or 0:.3g}"))
    said.append(_("learning rate {n}").format(n=short(step.learning_rate, small=True)))
    if step.rows:
        said.append(ngettext("{n} row", "{n} rows", step.rows).format(n=count(step.rows)))
    if step.trained_tokens:
        words = ngettext("{n} trained token", "{n} trained tokens", step.trained_tokens)
        said.append(words.format(n=count(step.trained_tokens)))
    # a line may end after a fact, not inside one
    return "\u00a0· ".join(part.replace(" ", "\u00a0") for part in said)
