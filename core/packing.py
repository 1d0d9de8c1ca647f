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

#: Tokens that could be computed in the time that it takes to begin with another micro-batch; not measured on a card.
START = 64


def packed(lengths: Sequence[int], batch: int, tokens: int) -> list[MicroBatch]:
    """Lay rows of these `lengths` into micro-batches of at most `batch` sequences of at most `tokens` tokens.

    The way that takes least time of all numbers of sequences, which are about equally long: the longest row goes to the
    emptiest (LPT scheduling: Graham, SIAM J. Appl. Math. 17, 1969). Raises ValueError for a row longer than `tokens`.
    """
    if max(lengths, default=0) > tokens:
        raise ValueError(f"a row of {max(lengths)} tokens in sequences of {tokens}")
    order = sorted(range(len(lengths)), key=lambda place: lengths[place], reverse=True)
    best = padded(lengths, batch)
    least = _cost(best, lengths)
    for count in range(ceil(sum(lengths) / tokens), len(lengths)):
        sequences = _spread(order, lengths, count)
        sequences.sort(key=lambda sequence: _total(sequence, lengths), reverse=True)
        if _total(sequences[0], lengths) > tokens:
            continue
        laid = [sequences[start : start + batch] for start in range(0, count, batch)]
        cost = _cost(laid, lengths)
        if cost < least:
            best, least = laid, cost
    return best


def _cost(batches: Sequence[MicroBatch], lengths: Sequence[int]) -> int:
    """What computing micro-batches takes, in tokens: each is a start of many kernels as well."""
    return computed_tokens(batches, lengths) + START * len(batches)


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
