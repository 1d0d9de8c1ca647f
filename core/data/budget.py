"""What one rendering of a chat template may use up: steps, letters, seconds, and things inside of things."""

import threading
import time
from typing import Any

from jinja2.exceptions import SecurityError

#: Steps of loops and calls in one rendering; the longest conversation in a context of a million tokens takes 100,000.
MOST_STEPS = 1_000_000
#: Letters of one rendering: twice those of a context of a million tokens.
MOST_LETTERS = 8_000_000
#: Seconds of work of one rendering: a step may look through all letters. The longest conversation takes one.
MOST_SECONDS = 30.0
#: What a list, and a thing in it, counts for in letters: about what it takes in memory.
HOLDER = 64
#: Steps between two looks at the clock.
_LOOK_EVERY = 256


class TooMuch(SecurityError):  # noqa: N818 - not the caller's error
    """A template does what no chat template has to do."""


class Budget(threading.local):
    """What the rendering in this thread has used up."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start anew."""
        self._steps = self._letters = self._looked = 0
        self._begun = time.thread_time()

    def spend(self, letters: int = 0, steps: int = 1) -> None:
        """Use up so much. Raises TooMuch when it is more than there is."""
        self._steps += steps
        self._letters += letters
        if self._steps > MOST_STEPS or self._letters > MOST_LETTERS:
            raise TooMuch("the template does not come to an end")
        if self._steps - self._looked >= _LOOK_EVERY:
            self._looked = self._steps
            # the work of this thread, not the time that others took
            if time.thread_time() - self._begun > MOST_SECONDS:
                raise TooMuch("the template takes too long")


def weight(value: Any) -> int:
    """About how many letters a value takes when it is written; it stops looking when there are too many."""
    total, waiting = 0, [value]
    while waiting and total <= MOST_LETTERS:
        one = waiting.pop()
        total += 1
        if isinstance(one, str | bytes):
            total += len(one)
        elif isinstance(one, dict | list | tuple | set | frozenset):
            total += HOLDER * (1 + len(one))
            if total <= MOST_LETTERS:
                waiting += [*one.keys(), *one.values()] if isinstance(one, dict) else one
        elif isinstance(one, int):
            total += one.bit_length() // 3
    return total


def things(value: Any) -> int:
    """How many things a value holds, each as often as it is in there; it stops counting when there are too many.

    What holds the same twice, which holds the same twice, and so on, takes no memory, and no end to compare or to hash.
    """
    total, waiting = 0, [value]
    while waiting and total <= MOST_STEPS:
        one = waiting.pop()
        if isinstance(one, dict | list | tuple | set | frozenset):
            total += len(one)
            if total <= MOST_STEPS:
                waiting += [*one.keys(), *one.values()] if isinstance(one, dict) else one
    return total
