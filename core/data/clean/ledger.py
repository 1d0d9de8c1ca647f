"""What is known of every row while a set is cleaned: a few numbers each, from which all verdicts follow."""

from array import array

import numpy as np
import numpy.typing as npt

from core.data.clean.cleaning import Cleaning, Mode, StepName
from core.data.clean.equal import equals
from core.data.clean.report import Effect, SetKind, StepReport
from core.data.clean.steps import BY_NAME, ORDER, STEPS

#: An answer of at most this weight is a short one (core.data.clean.look.weight: 30 Latin or 10 Chinese letters).
SHORT = 30
#: From this share on, short answers are what the set teaches, and of so few different ones they are labels.
_SHORT_SHARE, _DIFFERENT_SHARE = 0.5, 0.1
#: A word that so many rows answer with, and so large a share, is a label.
_LABEL_ROWS, _LABEL_SHARE = 5, 0.005
#: From this share on, answers in another script than the question's are what the set teaches.
_TRANSLATION_SHARE = 0.2
#: The same answer to so many questions, and to so large a share, is told; it has at least this weight.
_SAME_ROWS, _SAME_SHARE, _SAME_WEIGHT = 20, 0.01, 12

Flags = npt.NDArray[np.bool_]
Likes = npt.NDArray[np.int32]


class Ledger:
    """Numbers of the rows: 30 bytes each while they come, and as much again for the verdicts."""

    def __init__(self, cleaning: Cleaning) -> None:
        self.cleaning = cleaning
        self._keys, self._digests, self._answers = array("Q"), array("Q"), array("Q")
        self._weights, self._bits, self._open = array("B"), array("H"), array("H")
        self._dropped = array("B")

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: int, digest: int, answer: int, letters: int, bits: int, open_bits: int, dropped: int) -> None:
        """Note a row: what it said and says now, its last answer and that one's weight, and what steps found."""
        self._keys.append(key)
        self._digests.append(digest)
        self._answers.append(answer)
        self._weights.append(min(letters, 255))
        self._bits.append(bits)
        self._open.append(open_bits)
        self._dropped.append(dropped)

    def settle(self) -> None:
        """Turn what is known into arrays and decide what was found openly."""
        self.keys, self.digests = _array(self._keys, np.uint64), _array(self._digests, np.uint64)
        self.answers, self.weights = _array(self._answers, np.uint64), _array(self._weights, np.uint8)
        self.bits, self.dropped = _array(self._bits, np.uint16).copy(), _array(self._dropped, np.uint8).copy()
        rows = max(len(self), 1)
        _firsts, self.same = equals(self.answers)
        short = self.weights <= SHORT
        self.short = float(short.sum() / rows)
        different = len(np.unique(self.answers[short])) / max(int(short.sum()), 1)
        self.kind = SetKind.TALK
        if self.short >= _SHORT_SHARE and rows >= _LABEL_ROWS:
            self.kind = SetKind.LABELS if different <= _DIFFERENT_SHARE else SetKind.SHORT_ANSWERS
        found = _array(self._open, np.uint16)
        self.mixed = float(((found & BY_NAME[StepName.LANGUAGE].bit) > 0).sum() / rows)
        self.translation = self.mixed >= _TRANSLATION_SHARE
        if not self.translation:
            self.mark(StepName.LANGUAGE, (found & BY_NAME[StepName.LANGUAGE].bit) > 0)
        label = (self.same >= max(_LABEL_ROWS, _LABEL_SHARE * rows)) & (self.kind is not SetKind.TALK)
        self.mark(StepName.SHORT, ((found & BY_NAME[StepName.SHORT].bit) > 0) & ~label)

    def mark(self, name: StepName, rows: Flags) -> None:
        """Note that a step found something in these rows, and drop them where it may."""
        step, place = BY_NAME[name], ORDER[name] + 1
        self.bits[rows] |= step.bit
        if step.acts is Effect.DROPPED and self.cleaning.mode(name) is Mode.ACT:
            earlier = (self.dropped == 0) | (self.dropped > place)
            self.dropped[rows & earlier] = place
        # what steps after the one that dropped a row found does not count
        gone = self.dropped > 0
        self.bits[gone] &= (1 << self.dropped[gone].astype(np.uint32)) - 1

    @property
    def kept(self) -> Flags:
        """The rows that no step dropped."""
        kept: Flags = self.dropped == 0
        return kept

    def exact(self, free: Flags) -> Likes:
        """For every row the first one that says the same, -1 for none. `free` rows are excepted: they repeat none."""
        likes = np.full(len(self), -1, np.int32)
        rows = np.flatnonzero(self.kept)
        first = rows[equals(self.digests[rows])[0]]
        repeats = (first != rows) & ~free[rows]
        likes[rows[repeats]] = first[repeats]
        return likes

    def repeated_answers(self) -> Likes:
        """For rows whose answer very many kept rows give: the first of those, else -1; labels are left out."""
        likes = np.full(len(self), -1, np.int32)
        rows = np.flatnonzero(self.kept)
        least = _SAME_WEIGHT if self.kind is SetKind.TALK else SHORT + 1
        firsts, self.same[rows] = equals(self.answers[rows])
        often = (self.same[rows] >= max(_SAME_ROWS, _SAME_SHARE * len(rows))) & (self.weights[rows] >= least)
        likes[rows[often]] = rows[firsts[often]]
        return likes

    def reports(self) -> list[StepReport]:
        """Every step that was not off: rows before and after it, and what it did."""
        reports, before = list[StepReport](), len(self)
        for step in STEPS:
            mode = self.cleaning.mode(step.name)
            if mode is Mode.OFF:
                continue
            touched = int(((self.bits & step.bit) > 0).sum())
            gone = int((self.dropped == ORDER[step.name] + 1).sum())
            changed = touched if step.acts is Effect.CHANGED and mode is Mode.ACT else 0
            reports.append(StepReport(step.name, mode, before, before - gone, changed, gone, touched - gone - changed))
            before -= gone
        return reports


def _array(values: "array[int]", kind: type[np.unsignedinteger]) -> npt.NDArray[np.unsignedinteger]:
    return np.frombuffer(values, kind) if values else np.zeros(0, kind)
