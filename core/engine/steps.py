"""The rows of one optimizer step as the tensors that a model is fed with, micro-batch by micro-batch.

Sequences are padded on the right, and tokens look back only: padding needs no mask, and attention is at its fastest.
Where a sequence holds several rows their positions begin again at 0, by which transformers keeps them apart.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from core.engine.encoding import IGNORED, Encoded
from core.packing import MicroBatch, computed_tokens, packed, padded

Batch = dict[str, torch.Tensor]

#: Lengths of masked sequences are multiples of this: attention kernels would copy other masks.
ALIGNED = 8
#: Rows of an evaluation that are laid into micro-batches together.
_TOGETHER = 64


class Layout:
    """Lays the rows of a step into micro-batches of at most `batch` sequences of at most `tokens` tokens.

    `packing` lets rows share sequences. `most` > 0 keeps only that many micro-batches, the largest: for rehearsals.
    `share` says which part of the rows is laid, (0, 2) the first of two: rows are shared out by their length.
    """

    def __init__(
        self, pad: int, batch: int, tokens: int, *, packing: bool, most: int = 0, share: tuple[int, int] = (0, 1)
    ) -> None:
        self.pad, self._batch, self._tokens, self._packing, self._most = pad, batch, tokens, packing, most
        self._share = share

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Collate `fed` rows. Returns `micro_batches` (see `lay`) of its share, `places` and `tokens` of all."""
        mine = self._mine(rows) if self._share != (0, 1) else rows
        laid = self.lay([len(row["input_ids"]) for row in mine])
        return {
            "micro_batches": [tensors([[mine[at] for at in part] for part in each], self.pad) for each in laid],
            "places": [row["place"] for row in rows],
            "tokens": sum(len(row["input_ids"]) for row in rows),
        }

    def in_order(self, rows: Any) -> Iterator[Batch]:
        """Micro-batches of the share of all `rows` for evaluation, longest first."""
        mine = self._mine(rows)
        for start in range(0, len(mine), _TOGETHER):
            part = mine[start : start + _TOGETHER]
            for each in self.lay([len(row["input_ids"]) for row in part]):
                yield tensors([[part[at] for at in sequence] for sequence in each], self.pad)

    def _mine(self, rows: Any) -> list[dict[str, Any]]:
        """The share of the rows, the longest first."""
        index, of = self._share
        return sorted(rows, key=lambda row: len(row["input_ids"]), reverse=True)[index::of]

    def lay(self, lengths: Sequence[int]) -> list[MicroBatch]:
        """Places of rows of these lengths, micro-batch by micro-batch."""
        laid = packed(lengths, self._batch, self._tokens) if self._packing else padded(lengths, self._batch)
        if self._most:
            laid = sorted(laid, key=lambda each: computed_tokens([each], lengths), reverse=True)[: self._most]
        return laid


def fed(rows: Sequence[Encoded]) -> list[dict[str, Any]]:
    """Rows as the trainer takes them; `place` counts them."""
    return [{"input_ids": row.ids, "labels": row.labels, "place": place} for place, row in enumerate(rows)]


def tensors(sequences: Sequence[Sequence[dict[str, Any]]], pad: int) -> Batch:
    """Sequences of rows as tensors (sequences, longest): input_ids and labels, IGNORED for padding and first tokens.

    `position_ids` are there when a sequence holds more than one row.
    """
    together = any(len(sequence) > 1 for sequence in sequences)
    longest = max(sum(len(row["input_ids"]) for row in sequence) for sequence in sequences)
    if together:
        longest = -(-longest // ALIGNED) * ALIGNED
    ids = np.full((len(sequences), longest), pad, np.int64)
    labels = np.full((len(sequences), longest), IGNORED, np.int64)
    positions = np.zeros((len(sequences), longest), np.int64)
    for at, sequence in enumerate(sequences):
        start = 0
        for row in sequence:
            stop = start + len(row["input_ids"])
            ids[at, start:stop], labels[at, start:stop] = row["input_ids"], row["labels"]
            # nothing before it says what the first token of a row is
            labels[at, start] = IGNORED
            # padding goes on counting: a row of its own would need a mask
            positions[at, start:] = np.arange(longest - start)
            start = stop
    arrays = {"input_ids": ids, "labels": labels} | ({"position_ids": positions} if together else {})
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def trained_tokens(batches: Sequence[Batch]) -> int:
    """How many tokens of the micro-batches are learned from."""
    return sum(int((batch["labels"][:, 1:] != IGNORED).sum()) for batch in batches)
