"""A past run as a card: its curve, name, what it was, what became of it."""

from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from core.events import Wait
from core.i18n import _
from core.runs import RunState
from core.wording import method_words, state_words
from core.wording.waits import wait_badge
from gui.opening import own_folder
from gui.run_reader import Summary
from gui.widgets.badge import Badge
from gui.widgets.buttons import button
from gui.widgets.sparkline import Sparkline
from gui.widgets.text import Elided, column, label, row

_TONES = {
    RunState.FINISHED: "good", RunState.RUNNING: "muted", RunState.STOPPED: "muted", RunState.NEW: "muted",
    RunState.FAILED: "trouble", RunState.INTERRUPTED: "caution",
}  # fmt: skip


class RunCard(QFrame):
    """`opened` carries the folder and whether to resume."""

    opened = Signal(object, bool)
    delete_asked = Signal(object)

    def __init__(self, summary: Summary, *, here: bool = False) -> None:
        """`here` says that this window trains the run."""
        super().__init__()
        self.summary = summary
        self.setObjectName(f"run_{summary.path.name}")
        self.setProperty("role", "panel")
        inner = QHBoxLayout(self)
        inner.setContentsMargins(16, 12, 16, 12)
        inner.setSpacing(16)
        inner.addWidget(Sparkline(summary.losses))
        name = Elided(own_folder(summary.path), "strong")
        name.setToolTip(str(summary.path))
        badge = Badge(*standing(summary, here=here))
        title = row(name, badge, spacing=12)
        title.setStretch(0, 1)
        inner.addLayout(column(title, label(_facts(summary), "muted"), spacing=4), 1)
        inner.addLayout(self._buttons(summary))

    def _buttons(self, summary: Summary) -> QHBoxLayout:
        buttons = row(spacing=4)
        kind = "primary" if summary.state is RunState.INTERRUPTED else "plain"
        words = _("Resume") if summary.checkpoint_step else _("Start over")
        resume = button(words, "resume_run", lambda: self.opened.emit(summary.path, True), kind=kind)
        policy = resume.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        resume.setSizePolicy(policy)
        resume.setVisible(summary.resumable)
        if not summary.checkpoint_step:
            resume.setToolTip(_("Nothing was saved yet, so it starts again from the beginning."))
        show = button(_("Open"), "open_run", lambda: self.opened.emit(summary.path, False))
        for made in (resume, show):
            # many runs, the same words: a screen reader says whose button it is
            made.setAccessibleDescription(" ".join(filter(None, (own_folder(summary.path), made.toolTip()))))
            buttons.addWidget(made)
        delete = button("", "delete_run", lambda: self.delete_asked.emit(summary.path), kind="quiet", icon="trash")
        delete.setToolTip(_("Delete this run"))
        delete.setAccessibleName(_("Delete {name}").format(name=summary.path.name))
        delete.setEnabled(summary.state is not RunState.RUNNING)
        buttons.addWidget(delete)
        return buttons


def standing(summary: Summary, *, here: bool) -> tuple[str, str]:
    """What became of a run, as the tone and the words of a badge."""
    if summary.state is RunState.RUNNING and summary.waits:
        return "caution" if summary.waits != Wait.USER else "muted", wait_badge(summary.waits)
    if summary.state is RunState.RUNNING and not here:
        return "muted", _("Trains in the background")
    return _TONES[summary.state], state_words(summary.state)


def _facts(summary: Summary) -> str:
    parts = []
    if summary.plan is not None:
        files = [Path(name).name for name in summary.plan.data]
        parts += [method_words(summary.plan.method), _("rank {n}").format(n=summary.plan.rank)]
        parts += [files[0] + (f" +{len(files) - 1}" if files[1:] else "")] if files else []
    if summary.first is not None and summary.last is not None:
        parts.append(_("loss {first} → {last}").format(first=f"{summary.first:.2f}", last=f"{summary.last:.2f}"))
    if summary.merged:
        parts.append(_("merged"))
    if summary.resumable and not summary.checkpoint_step:
        parts.append(_("nothing saved yet"))
    if summary.started:
        parts.append(_date(summary.started))
    # a line may end after a fact, not inside one
    return "\u00a0· ".join(part.replace(" ", "\u00a0") for part in parts)


def _date(moment: float) -> str:
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(moment)), QLocale.FormatType.ShortFormat)
