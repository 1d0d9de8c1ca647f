"""The steps of cleaning in their order: what each looks for, and what it does when it may act."""

from collections.abc import Callable
from dataclasses import dataclass

from core.data.clean import garbled, invisible, languages, length, loops, markup, private, refusals, templates
from core.data.clean.cleaning import Cleaning, StepName
from core.data.clean.look import Look
from core.data.clean.report import Effect


@dataclass(frozen=True)
class Step:
    """One step. `acts` is what Mode.ACT does to a row, None where there is only something to tell.

    `look` makes the look at single rows; None for a step that needs all of them at once.
    """

    name: StepName
    acts: Effect | None
    look: Callable[[Cleaning], Look] | None = None

    @property
    def bit(self) -> int:
        """The step's place in a row's bits."""
        return 1 << ORDER[self.name]


#: Where each step stands.
ORDER = {name: place for place, name in enumerate(StepName)}

STEPS = (
    Step(StepName.GARBLED, Effect.CHANGED, lambda cleaning: garbled.look()),
    Step(StepName.INVISIBLE, Effect.CHANGED, lambda cleaning: invisible.look()),
    Step(StepName.HTML, Effect.CHANGED, lambda cleaning: markup.look()),
    Step(StepName.PRIVATE, Effect.CHANGED, private.look),
    Step(StepName.SHORT, Effect.DROPPED, length.look_short),
    Step(StepName.LONG, Effect.DROPPED, length.look_long),
    Step(StepName.REFUSAL, Effect.DROPPED, lambda cleaning: refusals.look()),
    Step(StepName.LOOP, Effect.DROPPED, lambda cleaning: loops.look()),
    Step(StepName.TEMPLATE, Effect.DROPPED, lambda cleaning: templates.look()),
    Step(StepName.LANGUAGE, Effect.DROPPED, lambda cleaning: languages.look()),
    Step(StepName.EXACT, Effect.DROPPED),
    Step(StepName.NEAR, Effect.DROPPED),
    Step(StepName.SAME_ANSWER, None),
)
BY_NAME = {step.name: step for step in STEPS}
