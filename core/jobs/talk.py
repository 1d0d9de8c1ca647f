"""What a running job can say and hear, and how it ends when it was asked to."""

from typing import Protocol

from core.commands import Command, Pause
from core.events import Event


class StopAsked(Exception):  # noqa: N818 - not an error
    """A job ends because it was asked to; `step` is what a training run can go on from."""

    def __init__(self, step: int = 0) -> None:
        super().__init__("stopped")
        self.step = step


class Talk(Protocol):
    """What a running job can say and hear."""

    def emit(self, event: Event) -> None:
        """Send an event to the parent; never blocks and never fails, also when the parent is gone."""

    @property
    def stop_requested(self) -> bool:
        """Whether the parent asked to stop, or is gone."""

    @property
    def pause(self) -> Pause | None:
        """Why a training shall wait before its next step, None when it shall not."""

    def next_command(self) -> Command:
        """Wait for the next command; Stop when the parent is gone."""
