"""The texts inside a JSON value that is kept as text: looked at and changed one by one, so that it stays JSON."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

#: What is nested more deeply than this nobody calls a tool with, and every look into it could fail.
MOST_DEEP = 64

#: Gets a text and the name that it stands under ("" for none), returns it as it should be.
Change = Callable[[str, str], str]


def as_json(value: Any) -> str:
    """Return a value as JSON in one line, letters as they are. Raises TypeError, and ValueError for MOST_DEEP too."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MOST_DEEP:
            raise ValueError("nested too deeply")
        level = [item for one in level if isinstance(one, (dict, list)) for item in _items(one)]
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def without_nothing(value: Any) -> Any:
    """Return a value without the named fields that hold nothing: tables fill rows up with them."""
    if isinstance(value, Mapping):
        return {str(key): without_nothing(item) for key, item in value.items() if item is not None}
    return [without_nothing(item) for item in value] if isinstance(value, list) else value


def leaves(text: str) -> Iterator[tuple[str, str]]:
    """Yield every text and number inside a JSON value with the name that it stands under."""
    yield from _leaves(json.loads(text), "")


def changed(text: str, change: Change) -> str:
    """Return a JSON value with its texts changed, the same text when nothing was; a changed number becomes a text."""
    before = json.loads(text)
    after = _changed(before, change, "")
    return text if after == before else as_json(after)


def _leaves(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    elif _is_said(value):
        yield str(value), name


def _changed(value: Any, change: Change, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _changed(item, change, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_changed(item, change, name) for item in value]
    if not _is_said(value):
        return value
    new = change(str(value), name)
    return value if new == str(value) else new


def _items(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _is_said(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)
