"""How the files are learned: their weights and order, general dialogue that is mixed in, and a file to check with."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.arrangement import Arrangement, in_order
from core.data.portions import held_back, mixed_in, repeated
from core.data.rows import DataReport
from core.i18n import _, ngettext
from core.learnable import CheckCode
from core.plan import Mix, TrainingPlan
from core.reasons import Reason
from core.tiers import rules
from core.wording import count, sourced_words
from gui.pages import data_mix_lines as words_of
from gui.pages.data_files import file_notes
from gui.pages.data_look import Extras
from gui.pages.data_mix_lines import FileLine, StageCard
from gui.pages.page import scroll_area
from gui.widgets.buttons import button
from gui.widgets.fields import Real
from gui.widgets.segments import Segments
from gui.widgets.text import clear, label, line, row

#: More files, or stages, than this nobody arranges by hand.
MOST = 60


class FilesView(QWidget):
    """`changed` carries an Arrangement, `asked` "mix" or "validation" when a file for that is wanted.

    `removed` carries a file that is to go, `shared_asked` that the rows are wanted that training has too.
    """

    changed = Signal(object)
    asked = Signal(str)
    removed = Signal(str)
    shared_asked = Signal()

    def __init__(self, report: DataReport) -> None:
        super().__init__()
        self.setObjectName("files")
        self._report = report
        self._now = Arrangement()
        self._plan: TrainingPlan | None = None
        self._extras: Extras | None = None
        self._drawn: object = None
        self._lines: dict[str, FileLine] = {}
        self._shares: list[tuple[Real, FileLine]] = []
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 12, 0)
        self._column.setSpacing(8)
        self._steps = label("", "muted", name="mix_steps")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addWidget(scroll_area(inner), 1)
        outer.addWidget(self._steps)

    def show_files(
        self, arrangement: Arrangement, plan: TrainingPlan | None, extras: Extras | None, steps: str
    ) -> None:
        """Show how the files are learned; fields stay where they are as long as the same files are there."""
        self._now, self._plan, self._extras = arrangement, plan, extras
        files = tuple(mix.file for mix in arrangement.mix), arrangement.validation
        drawn = (tuple(stage.files for stage in arrangement.stages), files, extras)
        if drawn != self._drawn:
            self._drawn = drawn
            self._draw()
        self._fill()
        self._steps.setText(steps)
        self._steps.setVisible(bool(steps))

    def _draw(self) -> None:
        clear(self._column)
        self._lines, self._shares = {}, []
        self._cards: list[StageCard] = []
        files = self._report.files
        self._draw_head()
        for place, stage in enumerate(self._now.stages[:MOST]):
            self._draw_stage(place, stage.files)
        for file in () if self._now.stages else files[:MOST]:
            self._column.addWidget(self._weighed(file))
        if more := max(len(self._now.stages or files) - MOST, 0):
            words = ngettext("… and {n} more file", "… and {n} more files", more).format(n=count(more))
            self._column.addWidget(label(words, "small"))
        self._column.addWidget(line())
        self._draw_mixes()
        self._column.addWidget(line())
        self._draw_checks()
        self._column.addStretch(1)

    def _draw_head(self) -> None:
        parts = row(label(_("To learn from"), "strong", wrap=False), spacing=16)
        if len(self._report.files) > 1:
            staged = bool(self._now.stages)
            ways = (
                ("together", _("All together"), _("Every epoch sees the rows of all files.")),
                ("staged", _("One after the other"), _("Each stage is learned before the next one begins.")),
            )
            order = Segments("order", _("How files are learned"), ways, "staged" if staged else "together")
            order.chosen.connect(self._choose_order)
            hint = _("General things first, your own field last and longest.") if staged else ""
            parts.addWidget(order)
            parts.addWidget(label(hint, "small"), 1)
        parts.addStretch(0)
        self._column.addLayout(parts)

    def _draw_stage(self, place: int, files: Sequence[str]) -> None:
        card = StageCard(place, len(self._now.stages), [self._weighed(file, len(files) > 1) for file in files])
        card.epochs.valueChanged.connect(lambda value, at=place: self._set_epochs(at, value))
        card.moved.connect(self._move)
        card.joined.connect(self._join)
        self._cards.append(card)
        self._column.addWidget(card)

    def _weighed(self, file: str, can_leave: bool = False) -> FileLine:
        place, several = self._report.files.index(file), len(self._report.files) > 1
        field = Real(f"weight_{place}", _("Weight"), 0.01, 100, 0.5)
        field.setToolTip(_("How often an epoch sees these rows: 2 is twice, 0.5 is half of them."))
        gone = f"remove_file_{place}" if several else ""
        notes = file_notes(self._report, file)
        made = FileLine(file, field, notes=notes, before=_("weight"), removable=gone)
        made.removed.connect(lambda: self.removed.emit(file))
        field.valueChanged.connect(lambda value: self.changed.emit(self._now.weighing(file, value)))
        if can_leave:
            made.add(button(_("A stage of its own"), f"own_stage_{place}", lambda: self._leave(file), kind="quiet"))
        self._lines[file] = made
        return made

    def _draw_mixes(self) -> None:
        rule = rules()["learn"]
        self._column.addWidget(label(_("General dialogue"), "strong"))
        if not self._now.mix:
            reason = Reason(CheckCode.NO_GENERAL, {"share": float(rule["mix"])}, rule["source_mix"])
            self._column.addWidget(label(sourced_words(reason), "muted"))
        for place, mix in enumerate(self._now.mix):
            field = Real(f"mix_{place}", _("Share of all rows"), 0.1, 90, 5)
            field.setSuffix(" %")
            made = FileLine(mix.file, field, removable=f"remove_mix_{place}")
            field.valueChanged.connect(lambda value, at=place: self._set_share(at, value / 100))
            made.removed.connect(lambda at=place: self._without_mix(at))
            self._shares.append((field, made))
            self._column.addWidget(made)
        words = _("Mix in another file…") if self._now.mix else _("Mix in a file…")
        add = button(words, "add_mix", lambda: self.asked.emit("mix"), kind="chip")
        self._column.addLayout(row(add, None))

    def _draw_checks(self) -> None:
        own = bool(self._now.validation)
        ways = (
            ("share", _("Some of these rows"), _("Kept aside, and never learned from.")),
            ("own", _("A file of its own"), _("Rows that you set aside yourself.")),
        )
        self._column.addWidget(label(_("To check with"), "strong"))
        choice = Segments("checks", _("To check with"), ways, "own" if own else "share")
        choice.chosen.connect(lambda value: self._choose_checks(choice, value))
        self._column.addLayout(row(choice, None))
        if not own:
            self._aside = label("", "muted", name="kept_aside")
            self._column.addWidget(self._aside)
            return
        made = FileLine(self._now.validation, removable="remove_validation")
        made.removed.connect(lambda: self.changed.emit(replace(self._now, validation="")))
        self._column.addWidget(made)
        shared = self._extras.shared if self._extras else None
        rows = (self._extras.rows if self._extras else {}).get(self._now.validation)
        made.tell(words_of.rows_words(rows) if rows is not None else _("is being read…"))
        if shared is not None:
            self._column.addLayout(words_of.shared_line(shared, self.shared_asked.emit))

    def _fill(self) -> None:
        """Put the figures of the arrangement into the fields."""
        plan, by_file = self._plan, self._report.by_file
        known = plan is not None and len(by_file) == len(plan.data)
        gone = held_back(plan, by_file) if plan is not None and known else [0] * len(by_file)
        kept = [rows - aside for rows, aside in zip(by_file, gone, strict=True)]
        trained = 0
        for place, file in enumerate(self._report.files):
            weight, made = self._now.weight(file), self._lines.get(file)
            seen = repeated(kept[place], weight) if len(kept) == len(self._report.files) else 0
            trained += seen
            if made is not None and made.field is not None:
                made.field.set(weight)
                made.tell(words_of.learned_words(by_file[place], seen) if seen else "")
        for card, stage in zip(self._cards, self._now.stages, strict=False):
            card.epochs.set(stage.epochs)
        wanted = mixed_in(plan, trained) if plan is not None and trained else []
        for place, ((field, made), mix) in enumerate(zip(self._shares, self._now.mix, strict=True)):
            field.set(mix.share * 100)
            there = (self._extras.rows if self._extras else {}).get(mix.file)
            joining = wanted[place] if place < len(wanted) and not self._now.stages else None
            words, few = words_of.mixed_words(joining, there)
            made.tell(words, caution=few)
        if not self._now.validation and plan is not None:
            self._aside.setText(
                words_of.aside_words(sum(held_back(plan, by_file)) if by_file else 0, plan.validation_share)
            )

    def _choose_order(self, way: str) -> None:
        epochs = self._plan.epochs if self._plan else TrainingPlan.epochs
        stages = in_order(self._report.files, epochs) if way == "staged" else ()
        self.changed.emit(replace(self._now, stages=stages))

    def _choose_checks(self, choice: Segments, way: str) -> None:
        if way == "share":
            self.changed.emit(replace(self._now, validation=""))
        else:
            # nothing is chosen as long as there is no file
            choice.set("share")
            self.asked.emit("validation")

    def _set_epochs(self, at: int, epochs: float) -> None:
        stages = list(self._now.stages)
        stages[at] = replace(stages[at], epochs=epochs)
        self.changed.emit(replace(self._now, stages=tuple(stages)))

    def _move(self, at: int, to: int) -> None:
        stages = list(self._now.stages)
        stages.insert(to, stages.pop(at))
        self.changed.emit(replace(self._now, stages=tuple(stages)))

    def _join(self, at: int) -> None:
        """Learn a stage together with the one before it."""
        stages = list(self._now.stages)
        stages[at - 1 : at + 1] = [replace(stages[at - 1], files=(*stages[at - 1].files, *stages[at].files))]
        self.changed.emit(replace(self._now, stages=tuple(stages) if len(stages) > 1 else ()))

    def _leave(self, file: str) -> None:
        """Learn a file right after the others of its stage."""
        at = next(n for n, stage in enumerate(self._now.stages) if file in stage.files)
        stages = list(self._now.stages)
        left = tuple(name for name in stages[at].files if name != file)
        stages[at : at + 1] = [replace(stages[at], files=left), replace(stages[at], files=(file,))]
        self.changed.emit(replace(self._now, stages=tuple(stages)))

    def _set_share(self, at: int, share: float) -> None:
        mixes = list(self._now.mix)
        mixes[at] = Mix(mixes[at].file, share)
        self.changed.emit(replace(self._now, mix=tuple(mixes)))

    def _without_mix(self, at: int) -> None:
        self.changed.emit(replace(self._now, mix=(*self._now.mix[:at], *self._now.mix[at + 1 :])))
