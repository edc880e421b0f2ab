"""Conversion of plain dictionaries to dataclasses, with one-line errors, and checks of their values."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

from frames.errors import UserError, did_you_mean


def at_least(options: Any, lowest: float, *names: str) -> None:
    """Raise ValueError unless the named fields of a dataclass are finite numbers from `lowest` up."""
    for name in names:
        value = getattr(options, name)
        if not (lowest <= value < math.inf):
            raise ValueError(f"{name} must be at least {lowest}, got {value}")


def within(options: Any, lowest: int, highest: int, *names: str) -> None:
    """Raise ValueError unless the named fields of a dataclass are from `lowest` to `highest`."""
    for name in names:
        value = getattr(options, name)
        if not lowest <= value <= highest:
            raise ValueError(f"{name} must be from {lowest} to {highest}, got {value}")


def positive(options: Any, *names: str) -> None:
    """Raise ValueError unless the named fields of a dataclass are finite numbers above 0."""
    for name in names:
        value = getattr(options, name)
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be above 0, got {value}")


def share(options: Any, *names: str) -> None:
    """Raise ValueError unless the named fields of a dataclass are from 0 to 1."""
    for name in names:
        value = getattr(options, name)
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must be from 0 to 1, got {value}")


def build(kind: Any, values: Mapping[str, Any], path: str) -> Any:
    """Build a dataclass from a mapping, and its nested dataclasses from nested ones.

    Args:
        path: place of the mapping in the configuration, for messages: "stages.joint".
    Raises:
        UserError: an unknown or missing key, a value of another type, or a value that the dataclass refuses.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{path}: options are expected here, got {values!r}")
    fields = {f.name: f for f in dataclasses.fields(kind)}
    hints = get_type_hints(kind)
    for key in values:
        if key not in fields:
            raise UserError(f"unknown option '{_join(path, key)}'{did_you_mean(str(key), fields)}")
    for name, f in fields.items():
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if (required and name not in values) or values.get(name) == "???":
            raise UserError(f"option '{_join(path, name)}' is missing: add {_join(path, name)}=...")
    converted = {key: convert(hints[key], value, _join(path, key)) for key, value in values.items()}
    try:
        return kind(**converted)
    except ValueError as error:
        raise UserError(_join(path, str(error))) from error  # its message begins with the option's name


def convert(kind: Any, value: Any, path: str) -> Any:
    """Convert a YAML value to the annotated type of its field, among others whole numbers to floats, lists to tuples.

    Raises:
        UserError: the value is of another type.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        options = [a for a in arguments if a is not type(None)]
        for option in options:
            try:
                return convert(option, value, path)
            except UserError:
                if option is options[-1]:
                    raise
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return value if isinstance(value, kind) else build(kind, value, path)
    if origin in (tuple, list):
        return _sequence(origin, arguments, value, path)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise UserError(f"{path}: options are expected here, got {value!r}")
        return {key: convert(arguments[1], item, _join(path, key)) for key, item in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)  # a folder may be called 2026
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise UserError(f"option '{path}' wants {_name(kind)}, got {value!r}")
    return value


def _sequence(origin: type, arguments: tuple, value: Any, path: str) -> Any:
    if not isinstance(value, (list, tuple)):
        raise UserError(f"option '{path}' wants a list, got {value!r}")
    if origin is list or arguments[-1] is Ellipsis:
        return origin(convert(arguments[0], item, path) for item in value)
    if len(value) != len(arguments):
        raise UserError(f"option '{path}' wants a list of {len(arguments)}, got {list(value)}")
    return tuple(convert(a, item, path) for a, item in zip(arguments, value))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else str(key)


def _name(kind: type) -> str:
    return {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}.get(kind, str(kind))
