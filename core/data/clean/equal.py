"""Equal numbers in a long array, found by sorting, with as little memory beside as that takes."""

import numpy as np
import numpy.typing as npt


def equals(values: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return for every value the place of the first one that equals it, and how many do; shapes (values,)."""
    firsts, counts = np.zeros(len(values), np.int32), np.zeros(len(values), np.int32)
    if not len(values):
        return firsts, counts
    # stable, so that the first place of a run is the first in the array
    order = np.argsort(values, kind="stable").astype(np.int32)
    inside = values[order]
    starts = np.flatnonzero(np.concatenate(([True], inside[1:] != inside[:-1]))).astype(np.int32)
    del inside
    sizes = np.diff(starts, append=np.int32(len(values)))
    firsts[order] = np.repeat(order[starts], sizes)
    counts[order] = np.repeat(sizes, sizes)
    return firsts, counts
