"""The tokens of SoloTune's look, light and dark: colours, sizes and fonts in one place."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

#: Pixels. One grid for the whole window.
GRID = 8
MARGIN = 32
COLUMN = 960
RADIUS = 8
BODY, SMALL, LEAD, TITLE, NUMBER = 13, 12, 15, 20, 28


@dataclass(frozen=True)
class Series:
    """How one curve is drawn: colour, and a dash of its own for those who see colours differently."""

    colour: str
    dash: Qt.PenStyle = Qt.PenStyle.SolidLine


@dataclass(frozen=True)
class Tokens:
    """One colour scheme."""

    dark: bool
    paper: str
    surface: str
    sunken: str
    ink: str
    muted: str
    hairline: str
    edge: str
    accent: str
    on_accent: str
    wash: str
    good: str
    caution: str
    trouble: str
    series: dict[str, Series]
    parts: dict[str, str]


_PART_NAMES = (
    "weights", "adapter", "gradients", "optimizer", "activations", "logits", "workspace", "overhead",
    "others", "headroom", "overflow", "program_a", "program_b", "program_c", "program_d",
)  # fmt: skip


#: Curves beside loss, validation and memory, each in a chart of its own, and their dashes.
_STRIPS = {
    "rate": Qt.PenStyle.SolidLine, "gradient": Qt.PenStyle.SolidLine, "speed": Qt.PenStyle.SolidLine,
    "temperature": Qt.PenStyle.DashLine, "power": Qt.PenStyle.DotLine, "use": Qt.PenStyle.DashDotDotLine,
}  # fmt: skip


def _series(loss: str, validation: str, memory: str, *strips: str) -> dict[str, Series]:
    return {
        "loss": Series(loss),
        "validation": Series(validation, Qt.PenStyle.DashLine),
        "memory": Series(memory, Qt.PenStyle.DashDotLine),
    } | {name: Series(tint, dash) for (name, dash), tint in zip(_STRIPS.items(), strips, strict=True)}


def _parts(*colours: str) -> dict[str, str]:
    return dict(zip(_PART_NAMES, colours, strict=True))


LIGHT = Tokens(
    dark=False, paper="#FBFBFA", surface="#FFFFFF", sunken="#F1F1EF", ink="#1B1D1F", muted="#5D6368",
    hairline="#E3E4E2", edge="#C9CCCB", accent="#2F6FDE", on_accent="#FFFFFF", wash="#EDF3FD",
    good="#2E8B57", caution="#B7791F", trouble="#C0392B",
    series=_series("#0072B2", "#D55E00", "#00805E", "#8E3B73", "#8A6A00", "#1F6F8B", "#B3402E", "#6A4FA3", "#55606A"),
    # dark and light by turns: neighbours differ without any colour too
    parts=_parts("#0A4F83", "#8CCBF2", "#8E3B73", "#EDB4D3", "#B35900", "#F5CF6B",
                 "#00664F", "#B9C4CB", "#6B7278", "#FFFFFF", "#C0392B", "#4A5157", "#C3CACF", "#7A838A", "#DDE2E5"),
)  # fmt: skip

DARK = Tokens(
    dark=True, paper="#17191B", surface="#1F2225", sunken="#121416", ink="#ECEDEE", muted="#9BA1A6",
    hairline="#33373A", edge="#4A5055", accent="#6EA0FF", on_accent="#0F1318", wash="#222C3D",
    good="#5CC08B", caution="#E0A94A", trouble="#F07A6A",
    series=_series("#56B4E9", "#F0A35E", "#3FC79F", "#E39BC6", "#E6CF5A", "#7FC7DD", "#F2907F", "#B9A3F0", "#B4BDC4"),
    parts=_parts("#2A79B5", "#A8D8F7", "#A04E88", "#F0BFDA", "#C06A14", "#F7D985",
                 "#1C8A6E", "#C7D0D6", "#A9B1B7", "#1F2225", "#F07A6A", "#4A5157", "#DDE2E5", "#5D656B", "#8F989F"),
)  # fmt: skip

_now = LIGHT


def tokens() -> Tokens:
    """The scheme in use."""
    return _now


def colour(name: str) -> QColor:
    """The colour called `name` in the scheme in use, a series included."""
    if name in _now.series:
        return QColor(_now.series[name].colour)
    return QColor(_now.parts.get(name) or getattr(_now, name))


def apply(app: QApplication, choice: str = "system") -> None:
    """Dress the application; `choice` is "system", "light" or "dark"."""
    from gui.stylesheet import stylesheet

    global _now
    schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
    wanted = schemes.get(choice, Qt.ColorScheme.Unknown)
    hints = QGuiApplication.styleHints()
    hints.setColorScheme(wanted)
    dark = (wanted if choice in schemes else hints.colorScheme()) == Qt.ColorScheme.Dark
    _now = DARK if dark else LIGHT
    sheet = stylesheet(_now)
    if app.styleSheet() != sheet:
        app.setPalette(_palette(_now))
        app.setStyleSheet(sheet)


def body_font() -> QFont:
    """The system's font at body size, with digits of equal width."""
    font = QGuiApplication.font()
    font.setPixelSize(BODY)
    return with_figures(font)


def with_figures(font: QFont) -> QFont:
    """`font` with tabular figures, so that numbers that change do not dance."""
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _palette(t: Tokens) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for name, value in (
        (role.Window, t.paper), (role.WindowText, t.ink), (role.Base, t.surface),
        (role.AlternateBase, t.sunken),
        (role.Text, t.ink), (role.Button, t.surface), (role.ButtonText, t.ink),
        (role.PlaceholderText, t.muted),
        (role.Highlight, t.accent), (role.HighlightedText, t.on_accent), (role.ToolTipBase, t.surface),
        (role.ToolTipText, t.ink), (role.Link, t.accent), (role.Mid, t.edge), (role.Light, t.hairline),
    ):  # fmt: skip
        palette.setColor(name, QColor(value))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(t.muted))
    return palette
