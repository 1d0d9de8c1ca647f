"""Options of the command line for the Advanced choices of a plan, each with its price."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from core.choices import SUITS_PISSA, Bias, Initialisation, Schedule
from core.plan import TrainingPlan

Rslora = Annotated[bool, typer.Option("--rslora", help="Scale by alpha/sqrt(rank): free, but may want a lower rate.")]
Dora = Annotated[bool, typer.Option("--dora", help="DoRA: slower steps, much more memory; not on an 8-bit base.")]
Start = Annotated[
    Initialisation,
    typer.Option(help="What the adapter starts from; pissa: 16-bit base, loftq: 4-bit base, eva: any; a slower start."),
]
LoraPlus = Annotated[
    float, typer.Option(min=1, max=64, help="How many times faster B learns than A: free, may diverge.")
]
ShallowRank = Annotated[int, typer.Option(min=0, max=2048, help="Rank of the first half of the layers: less memory.")]
Neftune = Annotated[float, typer.Option(min=0, max=100, help="Noise on embeddings, usually 5: free, less exact facts.")]
BiasChoice = Annotated[
    Bias, typer.Option("--bias", help="Biases learn too: only on a 16-bit base, hard to switch off.")
]
ScheduleChoice = Annotated[Schedule, typer.Option("--schedule", help="How the rate goes on after the warm-up: free.")]


def chosen(plan: TrainingPlan, **values: Any) -> TrainingPlan:
    """The plan with these values. Raises BadParameter for what does not go together."""
    suits = SUITS_PISSA if values["initialisation"] is Initialisation.PISSA else {}
    try:
        return replace(plan, **suits | values)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
