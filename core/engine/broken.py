"""A step that could not be finished: what broke it, and the rows it was made of."""

from enum import StrEnum


class Break(StrEnum):
    """What can break a step."""

    STOP = "stop"
    MEMORY = "memory"
    LOSS = "loss"
    GRADIENT = "gradient"


class StepBroken(Exception):  # noqa: N818 - a word a user would say
    """The step after `step` was given up; adapter and optimizer are as they were before it.

    `places` are the rows of it, by their place among the training rows.
    """

    def __init__(self, what: Break, step: int, places: tuple[int, ...]) -> None:
        super().__init__(f"step {step + 1}: {what}")
        self.what, self.step, self.places = what, step, places
