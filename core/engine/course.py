"""The order in which a run sees its rows when it learns in stages: one after the other, each shuffled."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import LengthGroupedSampler, get_length_grouped_indices

from core.data.portions import rows_seen


class Course(Sampler[int]):
    """Places of rows, all epochs of all stages in a row: the same for the same seed, so a resumed run finds its place.

    `stages` holds the rows of each stage, in their order in `lengths`, and its epochs. Rows of like length come
    together, as in training without stages; the part of an epoch that 1.5 epochs end with is of random rows.
    """

    def __init__(self, lengths: Sequence[int], stages: Sequence[tuple[int, float]], together: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self._order: list[int] = []
        self.stages = tuple(stages)
        start = 0
        for rows, epochs in stages:
            left = rows_seen(rows, epochs)
            while left:
                places = torch.randperm(rows, generator=generator)[:left].tolist()
                grouped = get_length_grouped_indices([lengths[start + at] for at in places], together, None, generator)
                self._order += [start + places[at] for at in grouped]
                left -= len(places)
            start += rows
        self._ends = list(accumulate(rows_seen(rows, epochs) for rows, epochs in stages))

    def __iter__(self) -> Iterator[int]:
        return iter(self._order)

    def __len__(self) -> int:
        return len(self._order)

    def stage(self, seen: int) -> int:
        """The stage, counted from 0, of the row that comes after so many."""
        return next((at for at, end in enumerate(self._ends) if seen < end), len(self._ends) - 1)

    def epoch(self, seen: int) -> float:
        """How many epochs are done after so many rows, those of earlier stages included."""
        at = self.stage(seen)
        before = self._ends[at - 1] if at else 0
        rows = max(self.stages[at][0], 1)
        here = min(seen, self._ends[-1]) - before
        return sum(epochs for _rows, epochs in self.stages[:at]) + here / rows


class ByLength(LengthGroupedSampler):
    """Rows of like length together, in an order that hangs on seed and epoch alone: the same wherever a run goes on."""

    def __init__(self, rows: Any, together: int, seed: int) -> None:
        super().__init__(together, lengths=[len(row["input_ids"]) for row in rows])
        self._seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Draw the order of this epoch next; accelerate says so at its beginning."""
        self.generator = torch.Generator().manual_seed(self._seed + epoch)
