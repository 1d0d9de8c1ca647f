"""The shapes that rows come in: one recogniser each, the first match wins; a new shape is a new line."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from core.data import fields
from core.data.calls import TOOL_KEYS
from core.data.codes import RowCode, RowFault
from core.data.fields import Names, Row, field_name, normal, present, rejecting, said_twice, turn_list
from core.data.marks import has_marks, marked_turns
from core.data.rows import Message, Shape
from core.data.source import Passage
from core.data.turns import as_list, checked, is_turns, refuse_more_than_text, text_of, tools_of, turns


@dataclass(frozen=True)
class Recogniser:
    """How one shape is told from the others, and how its rows are read (`read` may raise RowFault)."""

    shape: Shape
    matches: Callable[[Row], bool]
    read: Callable[[Row], list[Message]]


def recognise(value: Any, usual: Shape | None = None) -> Shape | None:
    """Return the shape of a row, None when it has none; `usual` is what the rows around it look like."""
    row = normal(value)
    return None if row is None else _shape_of(row, usual)


def running_text(value: Any) -> str:
    """The text of a row that has nothing but running text, "" for other rows."""
    if isinstance(value, Passage):
        return value
    row = normal(value) if isinstance(value, dict) else None
    return "" if row is None or has_marks(_text(row)) else _text(row)


def usual_shape(values: Iterable[Any]) -> Shape | None:
    """Return the shape that most of the values have, None when none has any."""
    seen = Counter(shape for shape in map(recognise, values) if shape is not None)
    return seen.most_common(1)[0][0] if seen else None


def read_row(value: Any, usual: Shape | None = None) -> tuple[Shape, tuple[Message, ...]]:
    """Understand one row. Raises RowFault with the reason when it cannot be learned from."""
    row = normal(value)
    if row is None:
        raise RowFault(RowCode.NOT_AN_OBJECT)
    # two names that are one name when compared leave fewer
    if isinstance(value, dict) and len(row) < len(value) and (twice := said_twice(value)):
        raise RowFault(RowCode.DOUBLE_FIELD, twice)
    refuse_more_than_text(row)
    # a row without a shape of its own is read like its neighbours, which says what it lacks
    found = _shape_of(row, usual)
    if found is not None and (mark := rejecting(row)):
        raise RowFault(RowCode.REJECTED, mark)
    if found is None and usual not in (None, Shape.TEXT) and set(row) <= _ALONE and _text(row):
        raise RowFault(RowCode.ONLY_TEXT)
    shape = found or usual
    if shape is None:
        raise RowFault(RowCode.UNKNOWN_FIELDS, _columns(row))
    return shape, checked(_BY_SHAPE[shape].read(row))


def read_tools(value: Any) -> str:
    """The tools that a row defines, as JSON text; "" for none. Raises RowFault."""
    # hardly any row does, and every row is asked
    if isinstance(value, dict) and any(_may_define(field_name(str(key)), item) for key, item in value.items()):
        row = normal(value) or {}
        return tools_of(row, turn_list(row))
    return ""


def _may_define(name: str, item: Any) -> bool:
    if name not in fields.TURNS:
        return name in TOOL_KEYS
    if isinstance(item, list):
        return bool(item) and isinstance(item[0], dict) and any(key in item[0] for key in TOOL_KEYS)
    return isinstance(item, str) and any(key in item for key in TOOL_KEYS)


@dataclass(frozen=True)
class _Pair:
    """A question field and an answer field, each under several names."""

    ask: Names
    reply: Names

    def matches(self, row: Row) -> bool:
        return present(row, self.ask) is not None and present(row, self.reply) is not None

    def read(self, row: Row) -> list[Message]:
        ask, reply = present(row, self.ask), present(row, self.reply)
        if ask is None or reply is None:
            raise _missing(row, ask, reply)
        asked = _with_extra(row, _side(row, ask, "user"), but=(ask, reply))
        return [*_system(row), *_history(row), *asked, *_with_thought(row, _side(row, reply, "assistant"))]


def _has_turns(shape: Shape) -> Callable[[Row], bool]:
    return lambda row: turn_list(row) is not None and _turn_shape(row) is shape


def _read_turns(row: Row) -> list[Message]:
    said = turns(turn_list(row) or [])
    return said if said and said[0].role == "system" else [*_system(row), *said]


def _text(row: Row) -> str:
    name = present(row, fields.TEXTS)
    return row[name] if name and isinstance(row[name], str) else ""


_ALPACA = _Pair(fields.INSTRUCTIONS, fields.OUTPUTS)
_PROMPT = _Pair(fields.PROMPTS, fields.COMPLETIONS)
_QUESTION = _Pair(fields.QUESTIONS, fields.ANSWERS)

RECOGNISERS: tuple[Recogniser, ...] = (
    Recogniser(Shape.MESSAGES, _has_turns(Shape.MESSAGES), _read_turns),
    Recogniser(Shape.SHAREGPT, _has_turns(Shape.SHAREGPT), _read_turns),
    Recogniser(Shape.ALPACA, _ALPACA.matches, _ALPACA.read),
    Recogniser(Shape.PROMPT_COMPLETION, _PROMPT.matches, _PROMPT.read),
    Recogniser(Shape.QUESTION_ANSWER, _QUESTION.matches, _QUESTION.read),
    Recogniser(Shape.TEXT, lambda row: has_marks(_text(row)), lambda row: marked_turns(_text(row))),
)
#: Nothing but running text, and what a file says about it.
_ALONE = frozenset((*fields.TEXTS, "id", "source", "meta"))
_BY_SHAPE = {recogniser.shape: recogniser for recogniser in RECOGNISERS}


def _shape_of(row: Row, usual: Shape | None) -> Shape | None:
    if usual is not None and _BY_SHAPE[usual].matches(row):
        return usual
    return next((r.shape for r in RECOGNISERS if r.matches(row)), None)


def _turn_shape(row: Row) -> Shape:
    first = next(iter(turn_list(row) or ()), None)
    if isinstance(first, dict):
        return Shape.SHAREGPT if "from" in first else Shape.MESSAGES
    return Shape.SHAREGPT if "conversations" in row else Shape.MESSAGES


def _missing(row: Row, ask: str | None, reply: str | None) -> RowFault:
    if ask is None and reply is None:
        return RowFault(RowCode.UNKNOWN_FIELDS, _columns(row))
    return RowFault(RowCode.NO_QUESTION if ask is None else RowCode.NO_ANSWER)


def _side(row: Row, name: str, role: str) -> list[Message]:
    """One side of a pair: a text, or a list of turns."""
    if is_turns(row[name]):
        return turns(row[name])
    return [Message(role, text_of(row[name], name))]


def _with_extra(row: Row, asked: list[Message], but: Names) -> list[Message]:
    """Put what is asked about under the question."""
    name = present(row, tuple(extra for extra in fields.EXTRAS if extra not in but))
    if name is None or len(asked) != 1:
        return asked
    parts = (asked[0].content, text_of(row[name], name))
    return [Message("user", "\n".join(part for part in parts if part))]


def _with_thought(row: Row, answered: list[Message]) -> list[Message]:
    """Put a thought that has a field of its own before the answer, unless the answer brings one."""
    name = present(row, fields.THOUGHTS)
    thought = row[name] if name else None
    if not isinstance(thought, str) or len(answered) != 1 or answered[0].thought or "</think>" in answered[0].content:
        return answered
    return [replace(answered[0], thought=thought.replace("<think>", "").replace("</think>", "").strip())]


def _system(row: Row) -> list[Message]:
    name = present(row, fields.SYSTEMS)
    return [Message("system", text_of(row[name], name))] if name else []


def _history(row: Row) -> list[Message]:
    """Earlier turns as Alpaca keeps them: a list of [question, answer]."""
    name = present(row, fields.HISTORIES)
    said: list[Message] = []
    for pair in (as_list(row[name]) if name else None) or ():
        if not isinstance(pair, list) or len(pair) != 2:
            raise RowFault(RowCode.NOT_TEXT, str(name))
        asked, answered = (text_of(part, str(name)) for part in pair)
        said += [Message("user", asked), Message("assistant", answered)]
    return said


def _columns(row: Row) -> str:
    return ", ".join(list(row)[:8])[:200]
