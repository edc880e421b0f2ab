"""Strict reading of YAML files: plain data within bounds, or a one-line error."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import yaml

from frames.errors import one_line

MOST_BYTES = 4 << 20
MOST_DEPTH = 32
MOST_VALUES = 100_000
"""Limit on the values in a file, counted with every alias replaced by its content."""


def read_mapping(file: Path) -> dict[str, Any]:
    """Read the mapping in a YAML file.

    Raises:
        OSError: the file cannot be read.
        ValueError: not UTF-8, not YAML, beyond the bounds above, not a mapping, or a key occurs twice; one line that
            names the file.
    """
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise ValueError(f"{size} bytes, more than the {MOST_BYTES} of a configuration")
        text = file.read_text(encoding="utf-8")
        found = _loaded(text)
    except UnicodeDecodeError:
        raise ValueError(f"{file}: not UTF-8; save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"{file}, line {line}: {error.problem or 'not YAML'}; correct it") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: not YAML: {' '.join(str(error).split())}") from None
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
    if not isinstance(found, dict):
        what = "empty" if found is None else f"a {type(found).__name__}"
        raise ValueError(f"{file}: it is {what}; keys and values are expected, one a line")
    return found


def _loaded(text: str) -> Any:
    """Parse a text; ValueError or YAMLError if it is not YAML or beyond the bounds."""
    _check_bounds(text)
    try:
        return yaml.load(text, _Loader)
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:  # a value unlike its tag: !!bool abc
        raise ValueError(f"a value is not of the type that its tag names ({one_line(error)})") from error


def _check_bounds(text: str) -> None:
    """Refuse nesting and aliases beyond any real configuration before an object is built of them."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise ValueError(f"nested more than {MOST_DEPTH} deep")
    root = yaml.compose(text, _Loader)
    if root is not None and _values(root, {}) > MOST_VALUES:
        raise ValueError(f"its aliases make more than {MOST_VALUES} values")


def _values(node: yaml.Node, known: dict[int, int]) -> int:
    """The number of values in a node, aliases replaced; more than `MOST_VALUES` where it contains itself."""
    if id(node) not in known:
        known[id(node)] = MOST_VALUES + 1  # its count where it occurs inside itself
        children = node.value if isinstance(node, yaml.CollectionNode) else []
        flat = itertools.chain.from_iterable(children) if isinstance(node, yaml.MappingNode) else children
        known[id(node)] = 1 + sum(_values(child, known) for child in flat)
    return known[id(node)]


class _Loader(yaml.SafeLoader):
    """A YAML loader for plain data; a key that occurs twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, (dict, list)):
                raise yaml.constructor.ConstructorError(None, None, "a key is a list or a mapping", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} comes twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)
