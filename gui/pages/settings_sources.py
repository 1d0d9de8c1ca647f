"""Where models come from: the source, the mirror's address, how fast each answers, the proxy, the offline switch."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QCheckBox, QGridLayout, QLineEdit, QWidget

from core.codec import CodecError, from_plain
from core.events import Failed, Finished, Last
from core.i18n import _
from core.problems import Problem
from core.settings import MIRROR, SOURCES, Settings, is_address
from core.wording import explain
from gui.desk import Desk
from gui.jobs import JobThread, Lane
from gui.pages.settings_group import FIELD, INDENT, Group
from gui.widgets.badge import Badge
from gui.widgets.buttons import button
from gui.widgets.fields import Choice
from gui.widgets.text import clear, column, label, row

#: Answers within so many milliseconds are quick; within the second number they are still of use.
QUICK, SLOW = 400.0, 2000.0
_WIDE = 420


class SourceSettings(Group):
    """Fields for the network; the latency test asks every source from a process of its own."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(_("Where models come from"))
        self._desk = desk
        self._job: JobThread | None = None
        self.source = Choice("source", _("Source"), list(zip(SOURCES, source_names(), strict=True)))
        self.source.setFixedWidth(FIELD)
        self.source.activated.connect(lambda _at: self.changed.emit({"source": self.source.value}))
        self.meaning = label("", "muted", name="source_meaning")
        self.endpoint = _address("endpoint", _("Address of the mirror"), MIRROR)
        self.proxy = _address("proxy", _("Address of the proxy"), _("The system's"))
        self.endpoint.editingFinished.connect(lambda: self._take("endpoint", self.endpoint, ("http", "https")))
        self.proxy.editingFinished.connect(
            lambda: self._take("proxy", self.proxy, ("http", "https", "socks5", "socks5h"))
        )
        self._wrong = {name: Badge("trouble", "", wrap=True) for name in ("endpoint", "proxy")}
        for badge in self._wrong.values():
            badge.hide()
        self.offline = QCheckBox(_("&Offline: never use the network"))
        self.offline.setObjectName("offline")
        self.offline.toggled.connect(lambda on: self.changed.emit({"offline": on}))
        self.test = button(_("&Test the sources"), "test_sources", self._ask)
        self.stop = button(_("Cancel"), "cancel_test", self._cancel, kind="quiet")
        self.answers = QGridLayout()
        self._lay_out()

    def _lay_out(self) -> None:
        self.put(_("&Source"), column(self.source, self.meaning, spacing=4), buddy=self.source)
        self.put(
            _("&Mirror"),
            column(self.endpoint, self._wrong["endpoint"], spacing=4),
            buddy=self.endpoint,
            hint=_("A server that speaks like Hugging Face. Your access token goes only to one that you name here."),
        )
        self.answers.setHorizontalSpacing(16)
        self.answers.setVerticalSpacing(6)
        self.answers.setColumnStretch(2, 1)
        self.stop.hide()
        self.put(_("Speed"), column(row(self.test, self.stop, None), self.answers, spacing=8), buddy=self.test)
        self.put(
            _("Pro&xy"),
            column(self.proxy, self._wrong["proxy"], spacing=4),
            buddy=self.proxy,
            hint=_("For example http://192.168.1.2:7890 or socks5://192.168.1.2:1080. Empty: as the system says."),
        )
        meaning = label(
            _(
                "Nothing is asked for and nothing is sent, whatever a library may want. "
                "Models that are on this computer work as ever."
            ),
            "muted",
        )
        meaning.setContentsMargins(INDENT, 0, 0, 0)
        self.put(_("Network"), column(self.offline, meaning, spacing=4), buddy=self.offline)

    def show_settings(self, settings: Settings) -> None:
        self.source.set(settings.source)
        self.meaning.setText(_meanings()[settings.source])
        for field, value in ((self.endpoint, settings.endpoint), (self.proxy, settings.proxy)):
            if not field.hasFocus() or is_address(field.text().strip(), ("http", "https", "socks5", "socks5h")):
                field.setText(value)
        self.offline.blockSignals(True)
        self.offline.setChecked(settings.offline)
        self.offline.blockSignals(False)
        for part in (self.source, self.endpoint, self.proxy, self.meaning):
            part.setEnabled(not settings.offline)
        self.test.setEnabled(not settings.offline and self._job is None)

    def _take(self, name: str, field: QLineEdit, schemes: tuple[str, ...]) -> None:
        text = field.text().strip()
        if text and "://" not in text:
            text = f"{'https' if name == 'endpoint' else 'http'}://{text}"
        good = is_address(text, schemes)
        self._wrong[name].set("trouble", "" if good else _wrong_words(text))
        self._wrong[name].setVisible(not good)
        if good and text != getattr(self._desk.settings, name):
            field.setText(text)
            self.changed.emit({name: text})

    def _ask(self) -> None:
        from core.jobs.models import ReachJob

        self._show({})
        self._job = self._desk.runner.start(ReachJob(), self._heard, lane=Lane.BESIDE)
        self.test.setText(_("Asking…"))
        self.test.setEnabled(False)
        self.stop.show()

    def _cancel(self) -> None:
        self._desk.runner.cancel(self._job)

    def _heard(self, event: object) -> None:
        if not isinstance(event, Last):
            return
        self._job = None
        self.stop.hide()
        self.test.setText(_("&Test again"))
        self.test.setEnabled(not self._desk.settings.offline)
        if isinstance(event, Finished):
            self._show({each["name"]: each for each in event.result["reach"]})
        elif isinstance(event, Failed):
            clear(self.answers)
            self.answers.addWidget(Badge("trouble", explain(event.problem).title, wrap=True), 0, 0, 1, 4)

    def _show(self, reached: Mapping[str, Mapping[str, Any]]) -> None:
        """A line for each source: its name, its server, and the time or why there was none."""
        clear(self.answers)
        names = dict(zip(SOURCES, source_names(), strict=True))
        for at, (name, one) in enumerate(reached.items()):
            tone, words = answer_words(one)
            parts: list[QWidget] = [
                label(names.get(name, name), wrap=False),
                label(str(one["address"]).partition("://")[2], "muted", wrap=False),
                Badge(tone, words, wrap=True),
            ]
            for place, part in enumerate(parts):
                self.answers.addWidget(part, at, place)

    def leave(self) -> None:
        """The page was left: nobody waits for the answers."""
        self._cancel()


def source_names() -> tuple[str, ...]:
    """What the sources are called, in the order of core.settings.SOURCES."""
    return (_("The fastest one"), "Hugging Face", _("Mirror"), "ModelScope")


def answer_words(one: Mapping[str, Any]) -> tuple[str, str]:
    """How a source answered (a core.hub.places.Reach as plain values): the tone of its badge, and the words."""
    took = one["milliseconds"]
    if took is not None:
        tone = "good" if took <= QUICK else "muted" if took <= SLOW else "caution"
        return tone, _("{n} ms").format(n=f"{took:,.0f}")
    if one.get("certificate"):
        return "trouble", _("Its certificate was refused: {reason}").format(reason=one["certificate"])
    try:
        problem = from_plain(Problem, one["problem"])
    except (CodecError, KeyError):
        return "trouble", _("No answer")
    status = problem.facts.get("status")
    return "trouble", _("Answers with error {status}").format(status=status) if status else _("No answer")


def _meanings() -> dict[str, str]:
    return {
        "auto": _("Before a download the sources are timed. A mirror is among them only when you name one below."),
        "huggingface": _("The official hub, huggingface.co. It has nearly every model of the catalogue."),
        "mirror": _("A copy of Hugging Face for networks that do not reach it, and nobody's official server."),
        "modelscope": _("The official hub in China, modelscope.cn. It has most models of the catalogue."),
    }


def _wrong_words(text: str) -> str:
    if "@" in text:
        return _("A name and a password cannot be kept here: they would lie in a file. Set the system's proxy instead.")
    return _("This is no address. It stays as it was.")


def _address(name: str, spoken: str, usual: str) -> QLineEdit:
    field = QLineEdit()
    field.setObjectName(name)
    field.setAccessibleName(spoken)
    field.setPlaceholderText(usual)
    field.setMaximumWidth(_WIDE)
    field.setClearButtonEnabled(True)
    return field
