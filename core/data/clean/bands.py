"""Rows that are likely to be alike, found by MinHash in bands: the bands of all rows lie in a file, not in memory."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from rensa import RMinHash

from core.data.clean.equal import equals
from core.data.clean.shingles import groups_of_many

#: Numbers in a MinHash; more of them see more, and take longer.
_NUMBERS = 128
_SEED = 42
#: Of pairs that are just alike enough so many are to be seen.
_SEEN = 0.97

Rows = npt.NDArray[np.int64]


def bands_for(similar: float) -> tuple[int, int]:
    """Return how many bands of how many numbers see _SEEN of the pairs that are `similar` (0 to 1)."""
    for length in range(16, 1, -1):
        bands = _NUMBERS // length
        if 1 - (1 - similar**length) ** bands >= _SEEN:
            return bands, length
    return _NUMBERS, 1


class Bands:
    """The bands of rows, in a temporary file: 4 bytes a band and row."""

    def __init__(self, similar: float, folder: Path | None = None) -> None:
        self.count, self._length = bands_for(similar)
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close
        self._blocks: list[int] = []
        self.rows: list[Rows] = []
        self.openings: list[npt.NDArray[np.uint64]] = []

    def add(self, rows: Sequence[int], texts: Sequence[str]) -> None:
        """Note rows, by number, and what they say; those without a letter are left out."""
        groups, offsets, openings = groups_of_many(texts)
        some = np.diff(offsets) > 0
        numbers = np.asarray(rows, np.int64)[some]
        if not len(numbers):
            return
        borders = np.concatenate(([0], offsets[1:][some])).astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(groups, borders, _NUMBERS, _SEED).to_rows()
        digests = np.array(matrix, np.uint64)[:, : self.count * self._length]
        digests = digests.reshape(len(numbers), self.count, self._length)
        keys = np.zeros((len(numbers), self.count), np.uint64)
        for place in range(self._length):
            keys = (keys + digests[:, :, place]) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(32)
        # band by band, so that a band of all rows is read in few pieces
        self._file.write(np.ascontiguousarray(keys.astype(np.uint32).T).tobytes())
        self._blocks.append(len(numbers))
        self.rows.append(numbers)
        self.openings.append(openings[some])

    def buckets(self, chosen: npt.NDArray[np.bool_]) -> tuple[Rows, npt.NDArray[np.int32]]:
        """Return the rows that share a band with another one, and their buckets, (rows, bands); -1 for none.

        `chosen` tells for every row whether it counts.
        """
        rows = np.concatenate(self.rows) if self.rows else np.zeros(0, np.int64)
        counts = np.flatnonzero(chosen[rows])
        shared = np.zeros(len(rows), bool)
        for keys in self._columns():
            shared[counts[_repeated(keys[counts])]] = True
        active = np.flatnonzero(shared)
        found = np.full((len(active), self.count), -1, np.int32)
        first = 0
        for band, keys in enumerate(self._columns()):
            _keys, inverse, sizes = np.unique(keys[active], return_inverse=True, return_counts=True)
            number = np.full(len(sizes), -1, np.int64)
            number[sizes > 1] = first + np.arange(int((sizes > 1).sum()))
            first += int((sizes > 1).sum())
            found[:, band] = number[inverse]
        return rows[active], found

    def opening_counts(self, rows: int) -> npt.NDArray[np.int32]:
        """For each of so many rows: how many begin as it does, 0 for short ones."""
        counts = np.zeros(rows, np.int32)
        if self.rows:
            numbers, openings = np.concatenate(self.rows), np.concatenate(self.openings)
            counts[numbers] = np.where(openings > 0, equals(openings)[1], 0)
        return counts

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _columns(self) -> Iterator[npt.NDArray[np.uint32]]:
        starts = np.concatenate(([0], np.cumsum(self._blocks))) * self.count
        for band in range(self.count):
            pieces = []
            for start, size in zip(starts, self._blocks, strict=False):
                self._file.seek(4 * (int(start) + band * size))
                pieces.append(np.frombuffer(self._file.read(4 * size), np.uint32))
            yield np.concatenate(pieces) if pieces else np.zeros(0, np.uint32)


def _repeated(keys: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Which keys are there more than once."""
    order = np.argsort(keys, kind="stable")
    inside = keys[order]
    same = inside[1:] == inside[:-1]
    repeated = np.zeros(len(keys), bool)
    repeated[order[1:][same]] = True
    repeated[order[:-1][same]] = True
    return repeated
