"""Packing: the rows of one optimizer step share sequences, so that little is computed for padding.

A step's loss is the mean over all its trained tokens, so it makes no difference to what is learned how its rows lie in
micro-batches: the same rows are learned in every step as without packing. (Packing whole epochs, as others do, changes
how many rows a step has and with it what the learning rate means.)
"""

from collections.abc import Sequence
from heapq import heapify, heapreplace
from math import ceil

#: A micro-batch: sequences, each the places of the rows that lie in it one after the other.
MicroBatch = list[list[int]]


def packed(lengths: Sequence[int], batch: int, tokens: int) -> list[MicroBatch]:
    """Lay rows of these `lengths` into micro-batches of at most `batch` sequences of at most `tokens` tokens.

    As few micro-batches as they fit into, sequences about equally long: the longest row goes to the emptiest sequence
    (LPT scheduling: Graham, SIAM J. Appl. Math. 17, 1969). Raises ValueError for a row longer than `tokens`.
    """
    if max(lengths, default=0) > tokens:
        raise ValueError(f"a row of {max(lengths)} tokens in sequences of {tokens}")
    order = sorted(range(len(lengths)), key=lambda place: lengths[place], reverse=True)
    count = max(1, ceil(sum(lengths) / (batch * tokens)))
    while True:
        sequences = _spread(order, lengths, count * batch)
        if max(_total(sequence, lengths) for sequence in sequences) <= tokens:
            break
        count += 1
    sequences = sorted(filter(None, sequences), key=lambda sequence: _total(sequence, lengths), reverse=True)
    return [sequences[start : start + batch] for start in range(0, len(sequences), batch)]


def padded(lengths: Sequence[int], batch: int) -> list[MicroBatch]:
    """Lay each row into a sequence of its own, rows of like length into one micro-batch."""
    order = sorted(range(len(lengths)), key=lambda place: lengths[place], reverse=True)
    return [[[place] for place in order[start : start + batch]] for start in range(0, len(order), batch)]


def computed_tokens(batches: Sequence[MicroBatch], lengths: Sequence[int]) -> int:
    """Tokens that are computed for these micro-batches, padding included: every sequence is as long as the longest."""
    return sum(len(batch) * max(_total(sequence, lengths) for sequence in batch) for batch in batches)


def _spread(order: Sequence[int], lengths: Sequence[int], count: int) -> list[list[int]]:
    sequences: list[list[int]] = [[] for _ in range(count)]
    emptiest = [(0, at) for at in range(count)]
    heapify(emptiest)
    for place in order:
        total, at = emptiest[0]
        sequences[at].append(place)
        heapreplace(emptiest, (total + lengths[place], at))
    return sequences


def _total(sequence: Sequence[int], lengths: Sequence[int]) -> int:
    return sum(lengths[place] for place in sequence)
