"""What is wrong with a file when all of its rows are wrong in the same way."""

from typing import Any

from core.data.codes import FileReason, Found, RowCode
from core.data.columns import guess
from core.data.rows import RowProblem
from core.data.source import Passage, Record, Source
from core.problems import Code, Trouble

_UNREADABLE = {
    RowCode.BAD_JSON: FileReason.BAD_JSON,
    RowCode.TOO_DEEP: FileReason.TOO_DEEP,
    RowCode.TOO_LONG_LINE: FileReason.TOO_LONG,
}
_UNRECOGNISED = {RowCode.NOT_AN_OBJECT, RowCode.UNKNOWN_FIELDS, RowCode.OUTSIDE_PAIR}
_EXAMPLES = 20
_NAMES = 200


class Hopeless(Trouble):
    """Raised for a file of which every row was told, and not one was understood."""


class Faults:
    """What is wrong with the rows of a file, and what is wrong with the file when it is all of them."""

    def __init__(self) -> None:
        self._codes: set[str] = set()
        self._first: RowProblem | None = None
        self._value: Any = None
        self._examples: list[dict[str, Any]] = []

    def add(self, record: Record, problem: RowProblem) -> None:
        """Take a rejected row in."""
        self._codes.add(problem.code)
        self._first = self._first or problem
        self._value = record.value if self._value is None else self._value
        if isinstance(record.value, dict) and len(self._examples) < _EXAMPLES:
            self._examples.append(record.value)

    def raise_if_hopeless(self, source: Source) -> None:
        """Raise Trouble(DATA_UNREADABLE, DATA_SHAPE) when no row was even understood."""
        if self._first is None or not self._codes <= _UNREADABLE.keys() | _UNRECOGNISED:
            return
        if self._codes <= _UNREADABLE.keys():
            reason = _UNREADABLE[RowCode(self._first.code)]
            column = int(self._first.detail) if self._first.detail else None
            raise Hopeless(
                Code.DATA_UNREADABLE, path=source.name, reason=str(reason), line=self._first.line, column=column
            )
        found, facts = _found(self._value)
        if found is Found.COLUMNS:
            facts |= self._guessed()
        raise Hopeless(Code.DATA_SHAPE, path=source.name, found=found.value, **facts)

    def _guessed(self) -> dict[str, Any]:
        """Which columns are likely the question and the answer, so that the user can say yes."""
        names = [str(key) for key in self._value][:_NAMES]
        likely = guess(names, self._examples)
        if likely is None:
            return {}
        chosen = {"question": likely.columns.question, "answer": likely.columns.answer}
        said = {name: value.encode("utf-8", "replace").decode() for name, value in chosen.items()}
        return said | {"certainty": likely.certainty}


def _found(value: Any) -> tuple[Found, dict[str, Any]]:
    """Say what stands where rows were expected."""
    if isinstance(value, dict) and set(value) != {"text"}:
        names = ", ".join(str(key) for key in value)[:300]
        return Found.COLUMNS, {"columns": names.encode("utf-8", "replace").decode()}
    if value is None or isinstance(value, (dict, Passage)):
        return Found.RUNNING_TEXT, {}
    if isinstance(value, str):
        return Found.TEXTS, {}
    return Found.LISTS if isinstance(value, list) else Found.NUMBERS, {}
