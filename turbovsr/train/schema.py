"""Plain dictionaries into the dataclasses they stand for, each mistake named in a line with the nearest right word."""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Iterable, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints


class ConfigError(Exception):
    """A mistake in the configuration; the message names the option and the remedy."""

    exit_code = 3


class EnvironmentInvalid(ConfigError):
    """The machine lacks what the configuration asks for."""

    exit_code = 4


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`"; did you mean 'crop'?"`, or the list of what is known when nothing is near."""
    known = sorted(known)
    if not known:
        return "; there are none here"
    near = difflib.get_close_matches(str(word), known, n=1, cutoff=0.55)
    return f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(known)}"


def build(kind: type, values: Mapping[str, Any], path: str) -> Any:
    """An instance of a dataclass from a mapping, its nested dataclasses too.

    Args:
        path: where the mapping is in the configuration, for messages: "stages.joint".
    Raises:
        ConfigError: an unknown or missing key, a value of another type, or what the dataclass itself refuses.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path}: options are expected here, {values!r} is none")
    fields = {f.name: f for f in dataclasses.fields(kind)}
    hints = get_type_hints(kind)
    for key in values:
        if key not in fields:
            raise ConfigError(f"unknown option '{_join(path, key)}'{did_you_mean(key, fields)}")
    for name, f in fields.items():
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if (required and name not in values) or values.get(name) == "???":
            raise ConfigError(f"option '{_join(path, name)}' is missing: add {_join(path, name)}=...")
    converted = {key: convert(hints[key], value, _join(path, key)) for key, value in values.items()}
    try:
        return kind(**converted)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}" if path else str(error)) from error


def convert(kind: Any, value: Any, path: str) -> Any:
    """A value of YAML as the annotated type of its field; whole numbers serve as floats, lists as tuples."""
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
            except ConfigError:
                if option is options[-1]:
                    raise
    if dataclasses.is_dataclass(kind):
        return value if isinstance(value, kind) else build(kind, value, path)
    if origin in (tuple, list):
        return _sequence(origin, arguments, value, path)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{path}: options are expected here, {value!r} is none")
        return {key: convert(arguments[1], item, _join(path, key)) for key, item in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)  # a folder may be called 2026
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(f"option '{path}' wants {_name(kind)}, got {value!r}")
    return value


def _sequence(origin: type, arguments: tuple, value: Any, path: str) -> Any:
    if not isinstance(value, (list, tuple)):
        raise ConfigError(f"option '{path}' wants a list, got {value!r}")
    if origin is list or arguments[-1] is Ellipsis:
        return origin(convert(arguments[0], item, path) for item in value)
    if len(value) != len(arguments):
        raise ConfigError(f"option '{path}' wants a list of {len(arguments)}, got {list(value)}")
    return tuple(convert(a, item, path) for a, item in zip(arguments, value))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else str(key)


def _name(kind: type) -> str:
    return {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}.get(kind, str(kind))
