"""Export page: the adapter that is already there, and a merged model with the proof that it answers alike."""

import json
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout

from core.events import Failed, Finished, Last, Stage
from core.files import free_bytes, tree_bytes
from core.hub.folder import MARK
from core.i18n import _
from core.jobs.jobs import MergeJob
from core.wizard import WizardState
from core.wording import Action, gigabytes
from gui.background import Errand
from gui.choose import choose_folder, open_folder
from gui.desk import Desk
from gui.jobs import JobThread
from gui.pages.export_answers import DifferencesView
from gui.pages.page import Page
from gui.questions import held_out
from gui.widgets.badge import Badge
from gui.widgets.buttons import button, primary, set_kind
from gui.widgets.problem_card import ProblemCard
from gui.widgets.progress import ProgressLine
from gui.widgets.text import Elided, clear, label, panel, row

#: Bytes of one 16-bit parameter.
HALF = 2


class ExportPage(Page):
    """Two ways to take the result away."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            desk,
            _("Take it with you"),
            _("The adapter is small and needs its base model; the merged model stands alone."),
        )
        self._job: JobThread | None = None
        self._target: Path | None = None
        self._run: Path | None = None
        self._result: dict[str, object] = {}
        self.column.addWidget(self._build_adapter())
        self.column.addWidget(self._build_merged())
        self.column.addStretch(1)

    def _build_adapter(self) -> QFrame:
        frame, inner = panel(margin=20)
        self._adapter_size = label("", "muted", wrap=False)
        self._adapter_path = Elided("")
        self._open_adapter = button(_("Open folder"), "open_adapter", self._show_adapter, icon="folder")
        inner.addLayout(row(label(_("Adapter"), "lead", wrap=False), self._adapter_size, None, spacing=12))
        inner.addWidget(
            label(
                _("What was learned, as a LoRA adapter. PEFT and most tools load it on top of its base."),
                "muted",
            )
        )
        inner.addWidget(self._adapter_path)
        inner.addSpacing(4)
        inner.addLayout(row(self._open_adapter, None))
        return frame

    def _build_merged(self) -> QFrame:
        frame, inner = panel(margin=20)
        self._merged_size = label("", "muted", wrap=False, name="merge_size")
        inner.addLayout(row(label(_("Merged model"), "lead", wrap=False), self._merged_size, None, spacing=12))
        words = _("Adapter and base in one 16-bit folder. Then its answers are compared with the adapter's.")
        inner.addWidget(label(words, "muted"))
        self._target_path = Elided("")
        self._choose = button(_("&Change…"), "choose_target", self._choose_target)
        place = row(self._target_path, self._choose)
        place.setStretch(0, 1)
        inner.addLayout(place)
        self._space = Badge("good")
        inner.addWidget(self._space)
        self._progress = ProgressLine("cancel_merge")
        self._progress.cancelled.connect(self._cancel)
        self._proof = Badge("good", role="lead")
        self._proof.setObjectName("proof")
        self._differences = DifferencesView()
        self._problems = QVBoxLayout()
        self.merge = primary(_("&Merge"), "merge", self.start_merge, icon="merge")
        self._open_merged = button(_("Open folder"), "open_merged", self._show_merged, icon="folder")
        inner.addWidget(self._progress)
        inner.addLayout(self._problems)
        inner.addWidget(self._proof)
        inner.addWidget(self._differences)
        inner.addSpacing(4)
        inner.addLayout(row(self.merge, self._open_merged, None))
        return frame

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        if state.run != self._run:
            self._begin(state)
        self._show_space()
        busy, merged = self._job is not None, state.merged
        self._progress.setVisible(busy)
        self._proof.setVisible(not busy and merged is not None)
        self._open_merged.setVisible(not busy and merged is not None)
        self.merge.setVisible(not busy)
        self.merge.setText(_("&Merge again") if merged else _("&Merge"))
        self.merge.setEnabled(state.has_adapter)
        set_kind(self.merge, "plain" if merged else "primary", "merge")
        set_kind(self._open_merged, "primary" if merged else "plain", "folder")
        self._choose.setEnabled(not busy)
        self._show_proof()

    def _begin(self, state: WizardState) -> None:
        """Another run: its own folders."""
        self._run, self._result = state.run, {}
        self._differences.set(None)
        clear(self._problems)
        if state.run is None:
            return
        self._target = state.merged or state.run / "merged"
        adapter = state.run / "adapter"
        self._adapter_path.setText(str(adapter))
        self._adapter_size.setText("")
        Errand(lambda: tree_bytes(adapter), self, self._show_adapter_size)

    def _show_adapter_size(self, found: object) -> None:
        if isinstance(found, int):
            self._adapter_size.setText(gigabytes(found))

    def _show_space(self) -> None:
        model = self.state.model
        if model is None or self._target is None:
            return
        needed = model.parameters * HALF
        self._target_path.setText(str(self._target))
        self._merged_size.setText(_("about {size}").format(size=gigabytes(needed)))
        free = free_bytes(self._target)
        words = _("{free} free on this disk").format(free=gigabytes(free))
        self._space.set("good" if free > 1.1 * needed else "trouble", words)

    def _show_proof(self) -> None:
        result = self._result or _written_proof(self.state.merged)
        if not result:
            self._proof.set("muted", _("Merged earlier."))
            return
        asked = int(str(result.get("replayed", 0) or 0))
        agreement = float(str(result.get("agreement", 0) or 0))
        same = int(str(result.get("identical", round(asked * agreement))))
        words = _("{same} of {asked} answers identical").format(same=same, asked=asked)
        if not result.get("verified"):
            words += " · " + _("rounding changed some words; compare them below")
        self._proof.set("good" if result.get("verified") else "caution", words)

    def start_merge(self) -> None:
        """Merge into the chosen folder and compare."""
        run, plan = self.state.run, self.state.plan
        if run is None or plan is None or self._target is None or self._job is not None:
            return
        clear(self._problems)
        self._progress.begin(_("Starting…"))
        job = MergeJob(str(run), str(self._target), plan.questions or held_out(plan.data))
        self._job = self.desk.runner.start(job, self._heard)
        self.show_state(self.state)

    def set_target(self, folder: Path) -> None:
        """Merge into another folder."""
        self._target = folder
        clear(self._problems)
        self._show_space()

    def _choose_target(self) -> None:
        start = self._target.parent if self._target else Path.home()
        found = choose_folder(self, _("Choose where the merged model goes"), start)
        if found is not None and self.state.run is not None:
            # a folder with something in it gets a folder of ours inside
            self.set_target(found / self.state.run.name if found.exists() and any(found.iterdir()) else found)

    def _cancel(self) -> None:
        self.desk.runner.cancel(self._job)

    def _heard(self, event: object) -> None:
        if isinstance(event, Stage):
            self._progress.show_stage(event)
        if not isinstance(event, Last):
            return
        self._job = None
        if isinstance(event, Failed):
            card = ProblemCard(event.problem, actions=frozenset({Action.CHOOSE_FOLDER, Action.RETRY, Action.FREE_DISK}))
            card.acted.connect(self._act)
            self._problems.addWidget(card)
        if isinstance(event, Finished):
            self._result = event.result
            self._differences.set(event.result.get("answers"))
            self.proposed.emit(replace(self.state, merged=Path(str(event.result["folder"]))))
        else:
            self.show_state(self.state)

    def _act(self, action: Action) -> None:
        if action is Action.CHOOSE_FOLDER:
            self._choose_target()
        elif action is Action.FREE_DISK and self._target is not None:
            open_folder(self._target.parent)
        else:
            self.start_merge()

    def _show_adapter(self) -> None:
        if self.state.run is not None:
            open_folder(self.state.run / "adapter")

    def _show_merged(self) -> None:
        if self.state.merged is not None:
            open_folder(self.state.merged)

    def primary(self) -> QPushButton | None:
        found = self._open_merged if self.state.merged else self.merge
        return found if found.isVisible() else None

    def shutdown(self) -> None:
        self._cancel()


def _written_proof(merged: Path | None) -> dict[str, object]:
    """What an earlier merge found out, as it lies in its folder; empty when it says nothing."""
    if merged is None:
        return {}
    try:
        found = json.loads((merged / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
