"""The Advanced fields about how an adapter starts and learns, each with its price in one sentence."""

from collections.abc import Callable
from typing import Any

from core.choices import Bias, Initialisation, Schedule
from core.i18n import _
from gui.pages.plan_line import Field
from gui.widgets.fields import Choice, Real, Whole, short

FieldFacts = tuple[str, Field, str, str, Callable[[Any], str]]


def adapter_fields() -> list[FieldFacts]:
    """Plan value, field, its name, its price, and how a recommended value is written."""
    schedules = {Schedule.COSINE: _("Cosine"), Schedule.LINEAR: _("Linear"), Schedule.CONSTANT: _("Constant")}
    starts = {Initialisation.DEFAULT: _("Standard"), Initialisation.PISSA: "PiSSA", Initialisation.EVA: "EVA",
              Initialisation.LOFTQ: "LoftQ"}  # fmt: skip
    biases = {Bias.NONE: _("None"), Bias.ALL: _("All of them"), Bias.LORA_ONLY: _("Of adapted modules")}
    switch = {False: _("Not used"), True: _("Used")}
    shallow = Whole("shallow_rank", _("Shallow rank"), 0, 2048, (0, 2, 4, 8, 16, 32), lowest=_("as in all layers"))
    return [
        _choice("schedule", _("Schedule"), schedules,
                _("How the learning rate goes on after the warm-up; free, but a constant one may end restlessly")),
        _choice("rslora", "rsLoRA", switch,
                _("Lets high ranks learn more; free, but may want a lower learning rate")),
        _choice("dora", "DoRA", switch,
                _("Learns size and direction apart, better at low ranks; steps take about twice as long and need much "
                  "more memory")),
        _choice("initialisation", _("Initialisation"), starts,
                _("What the adapter starts from; may learn faster, but the start takes longer, PiSSA wants a lower "
                  "learning rate, and PiSSA and LoftQ save twice the adapter")),
        ("lora_plus", Real("lora_plus", "LoRA+", 1, 64, 1, lowest=_("Not used")), "LoRA+",
         _("How many times faster B learns than A, 16 is usual; free, but may want a lower learning rate"), short),
        ("shallow_rank", shallow, _("Shallow rank"),
         _("Rank of the first half of the layers, 0 as in all; saves memory, but less is learned there"), str),
        ("neftune", Real("neftune", "NEFTune", 0, 100, 1, lowest=_("Not used")), "NEFTune",
         _("Noise on words while training, 5 is usual; free, but facts are learned less exactly"), short),
        _choice("bias", _("Biases"), biases,
                _("Biases of the base learn too; nearly free, but other programs cannot switch them off")),
    ]  # fmt: skip


def _choice(name: str, words: str, options: dict[Any, str], price: str) -> FieldFacts:
    return name, Choice(name, words, list(options.items())), words, price, lambda value: options.get(value, str(value))


def refusal_words(name: str) -> str:
    """Why a value of this field could not be taken; "" for fields that depend on nothing."""
    return {
        "initialisation": _("PiSSA needs a 16-bit base and LoftQ a 4-bit one."),
        "dora": _("DoRA does not work on an 8-bit base."),
        "bias": _("Biases can only learn on a 16-bit base."),
        "shallow_rank": _("The first layers cannot have a larger rank than the others."),
    }.get(name, "")
