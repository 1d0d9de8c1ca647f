"""The one JSON codec: frozen dataclasses to plain JSON values and back, checked field by field."""

import dataclasses
import difflib
import json
import types
import typing
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class CodecError(ValueError):
    """A JSON value does not describe the asked dataclass; the message names the field."""


def to_plain(value: Any) -> Any:
    """Return `value` (dataclass, enum, path, tuple, mapping or scalar) as JSON-ready plain values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value


def from_plain(cls: type[T], data: Any, *, strict: bool = True) -> T:
    """Build the dataclass `cls` from plain JSON values.

    `strict` refuses unknown fields (a typo in a hand-written plan); readers of files that a newer
    version may have written pass False. Raises CodecError.
    """
    if not isinstance(data, dict):
        raise CodecError(f"expected an object for {cls.__name__}")
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    unknown = set(data) - set(fields)
    if strict and unknown:
        raise CodecError(f"unknown field: {', '.join(_guessed(name, fields) for name in sorted(map(str, unknown)))}")
    values = {name: _value(hints[name], data[name], name, strict) for name in fields if name in data}
    missing = [n for n, f in fields.items() if n not in values and _required(f)]
    if missing:
        raise CodecError(f"missing field: {', '.join(missing)}")
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        raise CodecError(str(error)) from error


def dumps(value: Any) -> str:
    """Return one line of JSON; NaN and infinities become null because JSON has no word for them."""
    text = json.dumps(_finite(to_plain(value)), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # half a surrogate pair (a file name that is no text) stays as the escape that JSON has for it
    return text.encode("utf-8", "backslashreplace").decode()


def _guessed(name: str, known: Iterable[str]) -> str:
    """A name that is not known, with the one that was probably meant."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name} (did you mean {near[0]}?)" if near else name


def _required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def _value(hint: Any, data: Any, name: str, strict: bool) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(args, data, name, strict)
    if origin is tuple:
        return _tuple(args, data, name, strict)
    if origin is dict:
        return _mapping(args, data, name, strict)
    if dataclasses.is_dataclass(hint):
        return from_plain(typing.cast(type, hint), data, strict=strict)
    return _scalar(hint, data, name)


def _union(args: tuple[Any, ...], data: Any, name: str, strict: bool) -> Any:
    if data is None and type(None) in args:
        return None
    for choice in args:
        if choice is type(None):
            continue
        try:
            return _value(choice, data, name, strict)
        except CodecError as error:
            trouble = error
    raise trouble


def _tuple(args: tuple[Any, ...], data: Any, name: str, strict: bool) -> tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise CodecError(f"{name}: expected a list")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_value(args[0], item, name, strict) for item in data)
    if len(args) != len(data):
        raise CodecError(f"{name}: expected {len(args)} values")
    return tuple(_value(kind, item, name, strict) for kind, item in zip(args, data, strict=True))


def _mapping(args: tuple[Any, ...], data: Any, name: str, strict: bool) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise CodecError(f"{name}: expected an object")
    return {str(key): _value(args[1], item, name, strict) for key, item in data.items()}


def _scalar(hint: Any, data: Any, name: str) -> Any:
    if hint is Any:
        return data
    if isinstance(hint, type) and issubclass(hint, Enum):
        try:
            return hint(data)
        except ValueError:
            choices = ", ".join(str(member.value) for member in hint)
            raise CodecError(f"{name}: {data!r} is not one of {choices}") from None
    if hint is Path and isinstance(data, str):
        return Path(data)
    if hint is float and isinstance(data, (int, float)) and not isinstance(data, bool):
        try:
            return float(data)
        except OverflowError:
            raise CodecError(f"{name}: too large") from None
    # bool is an int to Python; a plan that says "rank": true is a mistake all the same
    if isinstance(hint, type) and isinstance(data, hint) and (hint is bool or not isinstance(data, bool)):
        return data
    raise CodecError(f"{name}: expected {getattr(hint, '__name__', hint)}, got {type(data).__name__}")
