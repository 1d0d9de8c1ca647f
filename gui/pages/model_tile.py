"""One model on the Model page: what it is, who made it, whether it is here, and how it would fit."""

from collections.abc import Sequence

from PySide6.QtCore import QLocale, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from core.catalog import ModelSpec
from core.i18n import _
from core.reasons import Reason
from core.wording import parameters, sourced_words
from gui import theme
from gui.icons import Icon
from gui.pages.gpu_card import steps_down
from gui.pages.model_cards import Fit
from gui.pages.model_places import Place, place_words
from gui.widgets.badge import Badge
from gui.widgets.buttons import Tile
from gui.widgets.text import Elided, clear, column, label, row

#: Pixels that how it fits gets, so that the bars of all tiles stand under each other: usually, and in a narrow tile.
RIGHT, NARROW = 292, 208
#: Pixels below which a tile is narrow.
_SMALL = 640
#: Who is behind an owner's name, and how Chinese users call them when they search.
MAKERS = {
    "01-ai": ("01.AI", "零一万物"), "ByteDance-Seed": ("ByteDance", "字节跳动"), "HuggingFaceTB": ("Hugging Face", ""),
    "LiquidAI": ("Liquid AI", ""), "Qwen": ("Alibaba", "阿里 通义千问"), "TinyLlama": ("TinyLlama", ""),
    "allenai": ("Ai2", ""), "deepseek-ai": ("DeepSeek", "深度求索"), "google": ("Google", "谷歌"),
    "ibm-granite": ("IBM", ""), "meta-llama": ("Meta", ""), "microsoft": ("Microsoft", "微软"),
    "mistralai": ("Mistral AI", ""), "tencent": ("Tencent", "腾讯 混元"), "tiiuae": ("TII", ""),
    "unsloth": ("Unsloth", ""), "zai-org": ("Z.ai", "智谱"),
}  # fmt: skip


class FitBar(QWidget):
    """How much of the free memory a model would take; what is too much goes past a line at the card's end."""

    def __init__(self) -> None:
        super().__init__()
        self._fit = Fit("muted", "")
        self.setFixedHeight(8)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set(self, fit: Fit) -> None:
        """Show another fit; without a share there is nothing to show."""
        self._fit = fit
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        share = self._fit.share
        if not share:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("hairline"))
        painter.drawRoundedRect(QRectF(0, 2, self.width(), 4), 2, 2)
        painter.setBrush(theme.colour(self._fit.tone))
        painter.drawRoundedRect(QRectF(0, 2, self.width() * min(share, 1.0), 4), 2, 2)
        if share > 1:
            painter.setPen(QPen(theme.colour("ink"), 2))
            end = round(self.width() / share)
            painter.drawLine(end, 0, end, 8)


class ModelTile(Tile):
    """A model to choose, made once and drawn anew when something changed. `words` is what the search looks through."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec, self.fit, self.place = spec, Fit("muted", ""), Place()
        maker, also = MAKERS.get(spec.repo.partition("/")[0], (spec.repo.partition("/")[0], ""))
        self._facts = _facts(spec, maker)
        self.words = f"{spec.title} {spec.id} {spec.repo} {also} {self._facts}".lower()
        self._drawn: object = None
        self._advised: Badge | None = None
        self._title = row(label(spec.title, "strong", wrap=False), spacing=4)
        self._title.addStretch(1)
        self._fits, self._bar = Badge(wrap=True), FitBar()
        self._icon, self._here = Icon("download", "muted", 16), label("", "muted", wrap=False)
        self._reasons = QVBoxLayout()
        self._reasons.setSpacing(4)
        facts = row(Elided(self._facts, "muted"))
        facts.setStretch(0, 1)
        if spec.gated:
            facts.addWidget(Badge("caution", _("Licence to accept"), role="small"))
        self._side = side = QWidget()
        side.setFixedWidth(RIGHT)
        side.setLayout(column(self._fits, self._bar, row(self._icon, self._here, None, spacing=6), spacing=3))
        left = column(self._title, facts, spacing=theme.GRID)
        left.addStretch(1)
        body = row(left, side, spacing=3 * theme.GRID)
        body.setStretch(0, 1)
        super().__init__(f"model_{spec.id}", column(body, self._reasons, spacing=4))
        self.setAccessibleName(spec.title)

    def draw(self, fit: Fit, place: Place, reasons: Sequence[Reason] = (), exact_bytes: int = 0) -> None:
        """Show how it fits and where it lies; `reasons` say why it is the recommended one."""
        if self._drawn == (fit, place, tuple(reasons), exact_bytes):
            return
        self._drawn = (fit, place, tuple(reasons), exact_bytes)
        self.fit, self.place = fit, place
        self._fits.set(fit.tone, fit.words)
        self._fits.setVisible(bool(fit.words))
        self._bar.set(fit)
        self._bar.setVisible(fit.share > 0)
        icon, here = place_words(self.spec, place, exact_bytes)
        self._icon.set(icon, "good" if place.kind else "muted")
        self._here.setText(here)
        self._advise(reasons)
        gate = _("Its licence has to be accepted first.") if self.spec.gated else ""
        self.setAccessibleDescription(" ".join(filter(None, (f"{self._facts}. {fit.words}. {here}.", gate))))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._side.setFixedWidth(NARROW if event.size().width() < _SMALL else RIGHT)

    def _advise(self, reasons: Sequence[Reason]) -> None:
        clear(self._reasons)
        if self._advised is not None:
            self._advised.hide()
            self._advised.deleteLater()
            self._advised = None
        if not reasons:
            return
        self._advised = Badge("good", _("Recommended"))
        self._title.insertWidget(1, self._advised)
        for reason in (*reasons[:2], *steps_down(reasons[2:])):
            self._reasons.addWidget(label(sourced_words(reason), "small"))
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


def _facts(spec: ModelSpec, maker: str) -> str:
    languages = ", ".join(_language(code) for code in spec.languages[:3])
    if len(spec.languages) > 3:
        languages += f" +{len(spec.languages) - 3}"
    return " · ".join(part for part in (maker, parameters(spec.parameters), spec.licence, languages) if part)


def _language(code: str) -> str:
    names = {"en": _("English"), "zh": _("Chinese")}
    # without the country that some come with: "español de España"
    return names.get(code) or QLocale(code).nativeLanguageName().partition(" ")[0] or code
