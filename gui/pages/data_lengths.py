"""The lengths of the rows: their histogram, the chosen longest sequence, what it cuts and what it leaves empty."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.data.rows import DataReport
from core.i18n import _, ngettext
from core.plan import TrainingPlan
from core.tokens import TokenTotals
from core.wording import count, percent
from gui.pages.data_totals import padding_share as counted_padding
from gui.widgets.badge import Badge
from gui.widgets.histogram import Histogram
from gui.widgets.text import column, label, row


class LengthsView(QWidget):
    """Draws the lengths of a report against a plan's longest sequence, with the padding that was `counted`."""

    def __init__(self, report: DataReport, plan: TrainingPlan | None, counted: TokenTotals | None = None) -> None:
        super().__init__()
        self.setObjectName("lengths")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(12)
        if not report.lengths:
            outer.addWidget(label(_("Nobody counted the tokens of these rows yet."), "muted"))
            outer.addStretch(1)
            return
        limit = plan.tokens if plan else 0
        outer.addWidget(Histogram(report.lengths, limit))
        outer.addLayout(_figures(report))
        if plan is not None:
            outer.addWidget(_cut(report, limit))
            outer.addWidget(label(_padding_words(report, plan, counted), "muted"))
        exact = _("Counted with the model's own tokenizer, chat template included.")
        rough = _("Estimated from letters: the model's tokenizer is not on this computer yet.")
        outer.addWidget(label(exact if report.tokens_exact else rough, "small"))
        outer.addStretch(1)


def _figures(report: DataReport) -> QVBoxLayout:
    tokens = report.tokens
    names = (
        ("total", _("Tokens in all")), ("median", _("Half of the rows below")), ("p95", _("95 % below")),
        ("p99", _("99 % below")), ("longest", _("The longest row")),
    )  # fmt: skip
    cells = row(spacing=32)
    for key, name in names:
        if key in tokens:
            number = label(count(tokens[key]), "lead", wrap=False, name=f"tokens_{key}")
            cells.addLayout(column(number, label(name, "small", wrap=False), spacing=0))
    cells.addStretch(1)
    return column(cells)


def _cut(report: DataReport, limit: int) -> Badge:
    cut = report.rows_longer_than(limit)
    if not cut:
        return Badge("good", _("A longest sequence of {n} tokens cuts no row off.").format(n=count(limit)), wrap=True)
    words = ngettext(
        "{n} row ({share}) is longer than {tokens} tokens: its end is cut off.",
        "{n} rows ({share}) are longer than {tokens} tokens: their ends are cut off.",
        cut,
    )
    said = words.format(n=count(cut), share=percent(cut / max(report.learned, 1)), tokens=count(limit))
    return Badge("caution", said, wrap=True)


def padding_share(report: DataReport, plan: TrainingPlan) -> float:
    """Return the expected share of padding in a batch of rows drawn at random, 0 to 1.

    A batch is as long as the longest of its rows; the expected longest of n draws follows from the histogram.
    """
    rows = sum(n for _bound, n in report.lengths)
    if not rows or plan.batch < 2:
        return 0.0
    lengths = [(min(bound, plan.tokens), n / rows) for bound, n in report.lengths]
    mean = sum(bound * share for bound, share in lengths)
    below, longest = 0.0, 0.0
    for bound, share in lengths:
        longest += bound * ((below + share) ** plan.batch - below**plan.batch)
        below += share
    return max(0.0, 1 - mean / longest) if longest else 0.0


def _padding_words(report: DataReport, plan: TrainingPlan, counted: TokenTotals | None) -> str:
    if counted is not None:
        words = _("{share} of what is computed is padding, with rows of like length in one batch.")
        if plan.packing:
            words = _("{share} of what is computed is padding. Without packing it would be {other}.")
        share, other = (counted_padding(counted, packing=packing) for packing in (plan.packing, False))
        return words.format(share=percent(share), other=percent(other))
    if plan.packing:
        return _("Rows are packed into shared sequences: next to nothing is padded.")
    share = padding_share(report, plan)
    if not share:
        return _("One row at a time: nothing is padded.")
    words = _("About {share} of a batch of {n} rows is padding, because rows differ in length.")
    return words.format(share=percent(share), n=plan.batch)
