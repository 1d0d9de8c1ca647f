"""The part of the settings that holds while a model is being trained: when it waits, and what the computer does."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLayout, QVBoxLayout, QWidget

from core.i18n import _
from core.settings import Settings
from gui.widgets.fields import Choice
from gui.widgets.text import column, label, row

#: °C and watts on offer.
_TEMPERATURES = (70, 75, 80, 83, 85, 87, 90)
_POWERS = (100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600)
#: Quiet hours that are offered first.
_EVENING, _MORNING = "22:00", "07:00"
_WIDTH = 220
#: Width of the column with the names, and of a box before its words.
NAMES, _INDENT = 132, 26


class TrainingSettings(QWidget):
    """Fields that show settings; `changed` carries those that the user changed, by their names."""

    changed = Signal(dict)

    def __init__(self) -> None:
        super().__init__()
        never: tuple[int, str] = (0, _("Never"))
        heat = [never, *((n, _degrees(n)) for n in _TEMPERATURES)]
        power = [never, *((n, _watts(n)) for n in _POWERS)]
        times = [(time, time) for time in (f"{n // 2:02}:{n % 2 * 30:02}" for n in range(48))]
        self.heat = Choice("temperature_limit", _("Wait when the card is hot"), heat)
        self.power = Choice("power_limit", _("Wait when the card takes much power"), power)
        self.begin = Choice("quiet_from", _("Quiet hours from"), [("", _("Never")), *times])
        self.end = Choice("quiet_to", _("Quiet hours until"), times)
        self.awake = QCheckBox(_("Keep the computer &awake while it trains"))
        self.goes_on = QCheckBox(_("&Go on training when the window closes"))
        self.heat.activated.connect(lambda _at: self.changed.emit({"temperature_limit": self.heat.value}))
        self.power.activated.connect(lambda _at: self.changed.emit({"power_limit": self.power.value}))
        self.begin.activated.connect(lambda _at: self._change_hours())
        self.end.activated.connect(lambda _at: self._change_hours())
        self.awake.setObjectName("keep_awake")
        self.goes_on.setObjectName("keep_training")
        self.awake.toggled.connect(lambda on: self.changed.emit({"keep_awake": on}))
        self.goes_on.toggled.connect(lambda on: self.changed.emit({"keep_training": on}))
        self._until = label(_("until"), wrap=False)
        self._lay_out()

    def _lay_out(self) -> None:
        for field in (self.heat, self.power):
            field.setFixedWidth(_WIDTH)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(16)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, NAMES)
        parts: list[tuple[str, QWidget, QLayout | QWidget, str]] = [
            (_("Wait when &hot"), self.heat, self.heat,
             _("Training goes on when the card is 8 °C cooler. Cards slow down by themselves before heat harms them.")),
            (_("Wait at high &power"), self.power, self.power,
             _("Short waits hold the mean over a minute below this.")),
            (_("&Quiet hours"), self.begin, row(self.begin, self._until, self.end, None),
             _("Training waits in these hours and goes on after them.")),
        ]  # fmt: skip
        for place, (words, buddy, shown, hint) in enumerate(parts):
            name = label(words, wrap=False)
            name.setBuddy(buddy)
            name.setFixedHeight(self.heat.sizeHint().height())
            grid.addWidget(name, place, 0, Qt.AlignmentFlag.AlignTop)
            grid.addLayout(column(shown, label(hint, "muted"), spacing=4), place, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(16)
        outer.addWidget(label(_("While training"), "strong"))
        outer.addLayout(grid)
        outer.addWidget(self.awake)
        later = label(_("The next window shows it again."), "muted")
        later.setContentsMargins(_INDENT, 0, 0, 0)
        outer.addLayout(column(self.goes_on, later, spacing=4))

    def show_settings(self, settings: Settings) -> None:
        """Show these settings without telling anybody."""
        for field, value, words in ((self.heat, settings.temperature_limit, _degrees),
                                    (self.power, settings.power_limit, _watts)):  # fmt: skip
            if field.findData(value) < 0:
                field.addItem(words(value), value)
            field.set(value)
        begin, _sign, end = settings.quiet_hours.replace("–", "-").partition("-")
        self.begin.set(begin.strip())
        self.end.set(end.strip() or _MORNING)
        for part in (self._until, self.end):
            part.setVisible(bool(begin.strip()))
        for box, on in ((self.awake, settings.keep_awake), (self.goes_on, settings.keep_training)):
            box.blockSignals(True)
            box.setChecked(on)
            box.blockSignals(False)

    def _change_hours(self) -> None:
        begin, end = self.begin.value, self.end.value
        if begin == end:
            # hours that end where they begin are none
            end = _MORNING if begin != _MORNING else _EVENING
        self.changed.emit({"quiet_hours": f"{begin}-{end}" if begin else ""})


def _degrees(n: int) -> str:
    return _("Above {n} °C").format(n=n)


def _watts(n: int) -> str:
    return _("Above {n} W").format(n=n)
