"""The kind of a metric: that of its class, unless its YAML file overrides it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bench.metrics.base import DIRECTIONS, Kind
from frames.errors import UserError, did_you_mean

_TYPES = {"title": (str,), "unit": (str,), "better": (str,), "digits": (int,), "best": (int, float, type(None))}


def overridden_kind(name: str, kind: Kind, overrides: Any) -> Kind:
    """A metric's kind, updated by the keys under `kind` in its file: `title`, `unit`, `better`, `digits`, `best`.

    Args:
        name: of the metric, for messages.
        kind: the kind of its class.
    Raises:
        UserError: an unknown key, a value of a wrong type, or an unknown direction.
    """
    if not isinstance(overrides, dict):
        raise UserError(f"metric {name}: kind holds keys, of {', '.join(_TYPES)}")
    for key, value in overrides.items():
        if key not in _TYPES:
            raise UserError(f"metric {name}: kind has no '{key}'{did_you_mean(str(key), _TYPES)}")
        if type(value) not in _TYPES[key] or (key == "digits" and not 0 <= value <= 15):
            raise UserError(f"metric {name}: kind.{key} is {value!r}")
    found = replace(kind, **overrides)
    if found.better not in DIRECTIONS:
        raise UserError(f"metric {name}: better is {found.better!r}{did_you_mean(str(found.better), DIRECTIONS)}")
    return found
