"""The shapes that rows come in: one recogniser each, the first match wins; a new shape is a new line."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.data.codes import RowCode, RowFault
from core.data.marks import has_marks, marked_turns
from core.data.rows import Message, Shape
from core.data.turns import as_list, checked, is_turns, text_of, turns

Row = dict[str, Any]

_CONTAINERS = (
    "messages", "conversations", "conversation", "dialogue", "dialog", "turns", "chat", "对话",
)  # fmt: skip
_EXTRAS = ("input", "context", "输入", "上下文", "背景")
_SYSTEMS = ("system", "system_prompt", "系统", "系统提示")
_HISTORIES = ("history", "历史")
_TEXTS = ("text", "文本")


@dataclass(frozen=True)
class Recogniser:
    """How one shape is told from the others, and how its rows are read (`read` may raise RowFault)."""

    shape: Shape
    matches: Callable[[Row], bool]
    read: Callable[[Row], list[Message]]


@dataclass(frozen=True)
class _Pair:
    """A question field and an answer field, each under several names."""

    ask: tuple[str, ...]
    reply: tuple[str, ...]

    def matches(self, row: Row) -> bool:
        return _present(row, self.ask) is not None and _present(row, self.reply) is not None

    def read(self, row: Row) -> list[Message]:
        ask, reply = _present(row, self.ask), _present(row, self.reply)
        if ask is None or reply is None:
            raise _missing(row, ask, reply)
        extra = _present({k: v for k, v in row.items() if k not in (ask, reply)}, _EXTRAS)
        asked = _side(row, ask, "user")
        if extra and len(asked) == 1:
            parts = (asked[0].content, text_of(row[extra], extra))
            asked = [Message("user", "\n".join(part for part in parts if part))]
        return [*_system(row), *_history(row), *asked, *_side(row, reply, "assistant")]


_ALPACA = _Pair(
    ("instruction", "指令", "任务"),
    ("output", "response", "answer", "completion", "输出", "回答", "答案", "回复"),
)
_PROMPT = _Pair(
    ("prompt", "提示", "提示词"),
    ("completion", "response", "output", "answer", "补全", "输出", "回答", "答案", "回复"),
)
_QUESTION = _Pair(
    ("question", "query", "q", "user", "human", "问题", "问", "提问", "问句", "用户", "input", "输入"),
    (
        "answer",
        "response",
        "a",
        "reply",
        "assistant",
        "output",
        "target",
        "回答",
        "答",
        "答案",
        "回复",
        "助手",
        "输出",
    ),
)


def _has_turns(shape: Shape) -> Callable[[Row], bool]:
    return lambda row: _turn_list(row) is not None and _turn_shape(row) is shape


RECOGNISERS: tuple[Recogniser, ...] = (
    Recogniser(Shape.MESSAGES, _has_turns(Shape.MESSAGES), lambda row: _read_turns(row)),
    Recogniser(Shape.SHAREGPT, _has_turns(Shape.SHAREGPT), lambda row: _read_turns(row)),
    Recogniser(Shape.ALPACA, _ALPACA.matches, _ALPACA.read),
    Recogniser(Shape.PROMPT_COMPLETION, _PROMPT.matches, _PROMPT.read),
    Recogniser(Shape.QUESTION_ANSWER, _QUESTION.matches, _QUESTION.read),
    Recogniser(Shape.TEXT, lambda row: has_marks(_text(row)), lambda row: marked_turns(_text(row))),
)
_BY_SHAPE = {recogniser.shape: recogniser for recogniser in RECOGNISERS}

#: Every column name that means something, for telling a table's separator.
KNOWN_COLUMNS = frozenset(
    name
    for names in (_CONTAINERS, _EXTRAS, _SYSTEMS, _HISTORIES, _TEXTS, ("chosen", "rejected"))
    for name in names
) | frozenset(name for pair in (_ALPACA, _PROMPT, _QUESTION) for name in (*pair.ask, *pair.reply))


def recognise(value: Any, usual: Shape | None = None) -> Shape | None:
    """Return the shape of a row, None when it has none; `usual` is what the rows around it look like."""
    row = normal(value)
    return None if row is None else _shape_of(row, usual)


def usual_shape(values: Iterable[Any]) -> Shape | None:
    """Return the shape that most of the values have, None when none has any."""
    seen = Counter(shape for shape in map(recognise, values) if shape is not None)
    return seen.most_common(1)[0][0] if seen else None


def read_row(value: Any, usual: Shape | None = None) -> tuple[Shape, tuple[Message, ...]]:
    """Understand one row. Raises RowFault with the reason when it cannot be learned from."""
    row = normal(value)
    if row is None:
        raise RowFault(RowCode.NOT_AN_OBJECT)
    # a row without a shape of its own is read like its neighbours, which says what it lacks
    shape = _shape_of(row, usual) or usual
    if shape is None:
        raise RowFault(RowCode.UNKNOWN_FIELDS, _columns(row))
    return shape, checked(_BY_SHAPE[shape].read(row))


def is_preference(value: Any) -> bool:
    """Whether a row is a pair of a chosen and a rejected answer; the chosen one is learned."""
    return isinstance(value, dict) and "chosen" in value and "rejected" in value


def normal(value: Any) -> Row | None:
    """Return a row with its names in lower case, bare turns and texts as rows, None for other values."""
    if isinstance(value, str):
        return {"text": value}
    if is_turns(value):
        return {"messages": value}
    if not isinstance(value, dict):
        return None
    row = {_name(str(key)): item for key, item in value.items()}
    if is_preference(row):
        row = _chosen(row)
    turn_name = _present(row, _CONTAINERS)
    if turn_name and isinstance(row[turn_name], str):
        row[turn_name] = as_list(row[turn_name])
    return row


def _shape_of(row: Row, usual: Shape | None) -> Shape | None:
    if usual is not None and _BY_SHAPE[usual].matches(row):
        return usual
    return next((r.shape for r in RECOGNISERS if r.matches(row)), None)


@lru_cache(4096)
def _name(key: str) -> str:
    return key.strip("\ufeff \t\r\n").lower()


def _chosen(row: Row) -> Row:
    """Turn a preference pair into a plain row with the chosen answer."""
    rest = {key: item for key, item in row.items() if key not in ("chosen", "rejected")}
    chosen = row["chosen"]
    ask = _present(rest, (*_PROMPT.ask, *_ALPACA.ask, *_QUESTION.ask))
    earlier = _turn_list(rest) or (as_list(rest[ask]) if ask else None)
    if isinstance(chosen, dict):
        chosen = [chosen]
    if isinstance(chosen, list):
        whole = chosen if len(chosen) > 1 else [*(earlier or _opening(rest, ask)), *chosen]
        return {**rest, "messages": whole}
    if ask is None and isinstance(chosen, str):
        return {"text": chosen}
    return {**rest, "prompt": rest.get(ask or ""), "completion": chosen}


def _opening(row: Row, ask: str | None) -> list[Any]:
    return [{"role": "user", "content": row[ask]}] if ask else []


def _present(row: Row, names: tuple[str, ...]) -> str | None:
    """The first of the names that the row has, one with something in it before an empty one."""
    empty = None
    for name in names:
        if name in row:
            if row[name]:
                return name
            empty = empty or name
    return empty


def _missing(row: Row, ask: str | None, reply: str | None) -> RowFault:
    if ask is None and reply is None:
        return RowFault(RowCode.UNKNOWN_FIELDS, _columns(row))
    return RowFault(RowCode.NO_QUESTION if ask is None else RowCode.NO_ANSWER)


def _side(row: Row, name: str, role: str) -> list[Message]:
    """One side of a pair: a text, or a list of turns."""
    if is_turns(row[name]):
        return turns(row[name])
    return [Message(role, text_of(row[name], name))]


def _system(row: Row) -> list[Message]:
    name = _present(row, _SYSTEMS)
    return [Message("system", text_of(row[name], name))] if name else []


def _history(row: Row) -> list[Message]:
    """Earlier turns as Alpaca keeps them: a list of [question, answer]."""
    name = _present(row, _HISTORIES)
    earlier = as_list(row[name]) if name else None
    said: list[Message] = []
    for pair in earlier or ():
        if not isinstance(pair, list) or len(pair) != 2:
            raise RowFault(RowCode.NOT_TEXT, str(name))
        said += [
            Message("user", text_of(pair[0], str(name))),
            Message("assistant", text_of(pair[1], str(name))),
        ]
    return said


def _turn_list(row: Row) -> list[Any] | None:
    name = _present(row, _CONTAINERS)
    return as_list(row[name]) if name else None


def _turn_shape(row: Row) -> Shape:
    first = next(iter(_turn_list(row) or ()), None)
    if isinstance(first, dict):
        return Shape.SHAREGPT if "from" in first else Shape.MESSAGES
    return Shape.SHAREGPT if "conversations" in row else Shape.MESSAGES


def _read_turns(row: Row) -> list[Message]:
    said = turns(_turn_list(row) or [])
    return said if said and said[0].role == "system" else [*_system(row), *said]


def _text(row: Row) -> str:
    name = _present(row, _TEXTS)
    return row[name] if name and isinstance(row[name], str) else ""


def _columns(row: Row) -> str:
    return ", ".join(list(row)[:8])[:200]
