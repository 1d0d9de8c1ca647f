"""Fewer points for a curve than the screen has pixels, chosen so that the picture does not shimmer."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Points = tuple[NDArray[np.float64], NDArray[np.float64]]


def visible(x: "NDArray[np.float64]", y: "NDArray[np.float64]", low: float, high: float) -> "Points":
    """The part of a curve between two moments, with one point more on each side; `x` never falls."""
    first = max(int(x.searchsorted(low)) - 1, 0)
    last = min(int(x.searchsorted(high, side="right")) + 1, len(x))
    return x[first:last], y[first:last]


def thinned(x: "NDArray[np.float64]", y: "NDArray[np.float64]", most: int, *, extremes: bool) -> "Points":
    """At most about `most` points: means of equal slices, or the lowest and the highest value of each."""
    import numpy

    size = _slice_size(len(x), most // 2 if extremes else most)
    if size == 1:
        return x, y
    # the last slice is not full: it is filled up with gaps, which count for nothing
    missing = -len(x) % size
    xs = numpy.concatenate([x, numpy.full(missing, x[-1])]).reshape(-1, size)
    ys = numpy.concatenate([y, numpy.full(missing, numpy.nan)]).reshape(-1, size)
    if not extremes:
        return xs.mean(axis=1), _means(ys)
    lowest, highest = numpy.fmin.reduce(ys, axis=1), numpy.fmax.reduce(ys, axis=1)
    return numpy.stack([xs[:, 0], xs[:, -1]], axis=1).ravel(), numpy.stack([lowest, highest], axis=1).ravel()


def _slice_size(points: int, most: int) -> int:
    """A power of two, so that slices do not shift with every new point."""
    size = 1
    while points > size * most:
        size *= 2
    return size


def _means(values: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Mean of each row, gaps left out; a row of gaps stays a gap."""
    import numpy

    known = ~numpy.isnan(values)
    counts = known.sum(axis=1)
    sums = numpy.where(known, values, 0.0).sum(axis=1)
    return numpy.where(counts > 0, sums / numpy.maximum(counts, 1), numpy.nan)
