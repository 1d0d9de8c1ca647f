"""The Advanced fields about the steps of a run: how rows lie, and how often it is looked at what was learned."""

from core.i18n import _
from gui.pages.adapter_fields import FieldFacts
from gui.widgets.fields import Choice, Real, Whole, short


def step_fields() -> list[FieldFacts]:
    """Plan value, field, its name, its price, and how a recommended value is written."""
    packing = {True: _("Rows share sequences"), False: _("Each row alone")}
    return [
        ("packing", Choice("packing", _("Packing"), list(packing.items())), _("Packing"),
         _("Rows of a step share sequences, kept apart: the same is learned, faster"), lambda value: packing[value]),
        ("weight_decay", Real("weight_decay", _("Weight decay"), 0, 1, 0.01), _("Weight decay"),
         _("Pulls the adapter back to the base a little; helps against overfitting"), short),
        ("evaluate_every", Whole("evaluate_every", _("Check every"), 0, 10_000_000, (0, 10, 25, 50, 100, 250, 500)),
         _("Check every"), _("Steps between two checks on the rows kept aside; 0: whenever it saves"), str),
        ("patience", Whole("patience", _("Patience"), 0, 1000, (0, 1, 2, 3, 5, 8)), _("Patience"),
         _("Checks without anything better after which training ends with its best adapter; 0: never"), str),
        ("sample_every", Whole("sample_every", _("Ask every"), 0, 10_000_000, (0, 10, 25, 50, 100, 250, 500)),
         _("Ask every"), _("Steps between two rounds of sample answers; 0: at every check"), str),
    ]  # fmt: skip
