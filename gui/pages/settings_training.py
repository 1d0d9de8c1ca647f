"""The part of the settings that holds while a model is being trained: when it waits, and what the computer does."""

from importlib.util import find_spec

from PySide6.QtWidgets import QCheckBox

from core.i18n import _
from core.settings import Settings
from gui.pages.settings_group import FIELD, INDENT, Group
from gui.widgets.fields import Choice
from gui.widgets.text import column, label, row

#: °C and watts on offer.
_TEMPERATURES = (70, 75, 80, 83, 85, 87, 90)
_POWERS = (100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600)
#: Quiet hours that are offered first.
_EVENING, _MORNING = "22:00", "07:00"
#: GB on offer.
_KEPT = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


class TrainingSettings(Group):
    """When a training waits, what it leaves to others, and what the computer does meanwhile."""

    def __init__(self) -> None:
        super().__init__(_("While training"))
        never: tuple[int, str] = (0, _("Never"))
        heat = [never, *((n, _degrees(n)) for n in _TEMPERATURES)]
        power = [never, *((n, _watts(n)) for n in _POWERS)]
        times = [(time, time) for time in (f"{n // 2:02}:{n % 2 * 30:02}" for n in range(48))]
        self.heat = Choice("temperature_limit", _("Wait when the card is hot"), heat)
        self.power = Choice("power_limit", _("Wait when the card takes much power"), power)
        nothing: tuple[float, str] = (0.0, _("Nothing more"))
        self.reserve = Choice(
            "reserve_gb", _("Memory of the card kept free"), [nothing, *((n, _kept(n)) for n in _KEPT)]
        )
        self.reserve.activated.connect(lambda _at: self.changed.emit({"reserve_gb": self.reserve.value}))
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
        self.wandb = QCheckBox(_("Log trainings to Weights && Bias&es as well"))
        self.wandb.setObjectName("wandb")
        self.wandb.toggled.connect(lambda on: self.changed.emit({"wandb": on}))
        self._until = label(_("until"), wrap=False)
        self._lay_out()

    def _lay_out(self) -> None:
        for field in (self.heat, self.power, self.reserve):
            field.setFixedWidth(FIELD)
        self.put(
            _("Memory kept &free"),
            self.reserve,
            hint=_("Plans leave this much of the card to other programs, beside SoloTune's own reserve of 0.5 GB."),
        )
        self.put(
            _("Wait when &hot"),
            self.heat,
            hint=_(
                "Training goes on when the card is 8 °C cooler. Cards slow down by themselves before heat harms them."
            ),
        )
        self.put(_("Wait at high &power"), self.power, hint=_("Short waits hold the mean over a minute below this."))
        self.put(
            _("&Quiet hours"),
            row(self.begin, self._until, self.end, None),
            buddy=self.begin,
            hint=_("Training waits in these hours and goes on after them."),
        )
        later = label(_("The next window shows it again."), "muted")
        later.setContentsMargins(INDENT, 0, 0, 0)
        self.put(_("This computer"), column(self.awake, column(self.goes_on, later, spacing=4), self.wandb, spacing=12),
                 buddy=self.awake)  # fmt: skip

    def show_settings(self, settings: Settings) -> None:
        """Show these settings without telling anybody."""
        for field, value, words in ((self.heat, settings.temperature_limit, _degrees),
                                    (self.power, settings.power_limit, _watts),
                                    (self.reserve, settings.reserve_gb, _kept)):  # fmt: skip
            field.offer(value, words(value))
            field.set(value)
        begin, _sign, end = settings.quiet_hours.replace("–", "-").partition("-")
        self.begin.set(begin.strip())
        self.end.set(end.strip() or _MORNING)
        for part in (self._until, self.end):
            part.setVisible(bool(begin.strip()))
        self.wandb.setVisible(settings.wandb or find_spec("wandb") is not None)
        for box, on in ((self.awake, settings.keep_awake), (self.goes_on, settings.keep_training),
                        (self.wandb, settings.wandb)):  # fmt: skip
            box.blockSignals(True)
            box.setChecked(on)
            box.blockSignals(False)

    def _change_hours(self) -> None:
        begin, end = self.begin.value, self.end.value
        if begin == end:
            # hours that end where they begin are none
            end = _MORNING if begin != _MORNING else _EVENING
        self.changed.emit({"quiet_hours": f"{begin}-{end}" if begin else ""})


def _degrees(n: float) -> str:
    return _("Above {n} °C").format(n=n)


def _watts(n: float) -> str:
    return _("Above {n} W").format(n=n)


def _kept(n: float) -> str:
    return f"{n:.1f} GB"
