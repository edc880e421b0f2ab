"""Dataclasses from plain JSON data and back, strict about types: a wrong type is an error that names the field."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
HIDDEN = {"json": False}
"""Metadata of a dataclass field that is never written to JSON, nor read from it."""
_NOT_FINITE = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}  # JSON has no number for these


def from_json(kind: type[T], data: Any, where: str = "") -> T:
    """An object of the dataclass `kind` from what `json.loads` gave.

    Fields may be str, int, float, bool, None, Any, Literal, dataclasses, and lists, tuples, string-keyed dicts and
    unions of these. A float may be given as an integer, or as "Infinity", "-Infinity" or "NaN".

    Args:
        where: name of the object in messages: "scores.psnr".
    Raises:
        ValueError: a field is missing, unknown, or of another type; one line that names it.
    """
    if not isinstance(data, dict):
        raise ValueError(f"{where or 'the record'} is {_shortened(data)}, not an object")
    readers = _readers(kind)  # type: ignore[arg-type]
    for name in data:
        if name not in readers:
            raise ValueError(f"unknown field {_joined(where, name)} (written by a newer version?)")
    values = {}
    for name, (read, required) in readers.items():
        if name in data:
            values[name] = read(data[name], _joined(where, name))
        elif required:
            raise ValueError(f"the field {_joined(where, name)} is missing")
    return kind(**values)


def to_json(value: Any) -> Any:
    """Plain data that `json.dumps(..., allow_nan=False)` accepts, and that `from_json` reads back."""
    if is_dataclass(value):
        shown = (each.name for each in fields(value) if each.metadata.get("json", True))
        return {name: to_json(getattr(value, name)) for name in shown}
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


Reader = Callable[[Any, str], Any]


@cache
def _readers(kind: type) -> dict[str, tuple[Reader, bool]]:
    """Field name -> (reader, whether the field must be there)."""
    hints = get_type_hints(kind)
    return {
        each.name: (_reader(hints[each.name]), each.default is MISSING and each.default_factory is MISSING)
        for each in fields(kind)
        if each.metadata.get("json", True)
    }


def _reader(hint: Any) -> Reader:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda value, where: value
    if is_dataclass(hint):
        return lambda value, where: from_json(hint, value, where)  # type: ignore[arg-type]
    if origin in (Union, types.UnionType):
        others = [_reader(each) for each in inner if each is not type(None)]
        (read,) = others  # optional fields only: no other unions are needed
        return lambda value, where: None if value is None else read(value, where)
    if origin is Literal:
        return lambda value, where: _one_of(inner, value, where)
    if origin is list:
        read = _reader(inner[0])
        return lambda value, where: [read(item, where) for item in _of_type(list, "a list", value, where)]
    if origin is tuple:
        return _tuple_reader([_reader(each) for each in inner])
    if origin is dict:
        read = _reader(inner[1])
        return lambda value, where: {
            key: read(item, _joined(where, key)) for key, item in _of_type(dict, "an object", value, where).items()
        }
    return _PLAIN[hint]


def _tuple_reader(readers: list[Reader]) -> Reader:
    def read(value: Any, where: str) -> tuple:
        items = _of_type(list, f"a list of {len(readers)}", value, where)
        if len(items) != len(readers):
            raise ValueError(f"{where} has {len(items)} items, not {len(readers)}")
        return tuple(each(item, where) for each, item in zip(readers, items, strict=True))

    return read


def _float(value: Any, where: str) -> float:
    if type(value) is float:
        return value
    if isinstance(value, str) and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    if type(value) is not int:
        raise ValueError(f"{where} is {_shortened(value)}, not a number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{where} is too large a number") from None


def _of_type(kind: type, name: str, value: Any, where: str) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{where} is {_shortened(value)}, not {name}")
    return value


def _one_of(known: tuple, value: Any, where: str) -> Any:
    if value not in known or type(value) is not type(known[0]):
        raise ValueError(f"{where} is {_shortened(value)}, not {' or '.join(map(repr, known))}")
    return value


_PLAIN: dict[Any, Reader] = {
    float: _float,
    str: lambda value, where: _of_type(str, "text", value, where),
    int: lambda value, where: _of_type(int, "an integer", value, where),
    bool: lambda value, where: _of_type(bool, "true or false", value, where),
}


def _joined(where: str, name: str) -> str:
    return f"{where}.{name}" if where else str(name)


def _shortened(value: Any) -> str:
    """A value as short text for a message."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
