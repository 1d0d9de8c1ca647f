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
        ("evaluate_every", _every("evaluate_every", _("Evaluate every"), _("whenever it saves")), _("Evaluate every"),
         _("Steps between two evaluations on the rows kept aside; 0: whenever it saves"), str),
        ("patience", Whole("patience", _("Patience"), 0, 1000, (0, 1, 2, 3, 5, 8), lowest=_("never stop early")),
         _("Patience"),
         _("Evaluations without anything better after which training ends with its best adapter; 0: never"), str),
        ("sample_every", _every("sample_every", _("Samples every"), _("at every evaluation")), _("Samples every"),
         _("Steps between two rounds of sample answers; 0: at every evaluation"), str),
    ]  # fmt: skip


def _every(name: str, words: str, lowest: str) -> Whole:
    field = Whole(name, words, 0, 10_000_000, (0, 10, 25, 50, 100, 250, 500), lowest=lowest)
    field.setSuffix(" " + _("steps"))
    return field
