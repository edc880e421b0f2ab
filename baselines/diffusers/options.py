"""Checks of numeric options of a method, before any work."""

from __future__ import annotations

import math


def whole(name: str, value: int, least: int, most: int) -> int:
    """A whole number within bounds.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"method.{name}={value}: write a whole number from {least} to {most}")
    return value


def number(name: str, value: float, least: float, most: float) -> float:
    """A finite number within bounds.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"method.{name}={value}: write a number from {least:g} to {most:g}")
    if not least <= value <= most:
        raise ValueError(f"method.{name}={value}: write a number from {least:g} to {most:g}")
    return float(value)
