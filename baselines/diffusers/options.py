"""Checks of numeric options of a method, before any work."""

from __future__ import annotations

import math


def whole(name: str, value: int, least: int, most: int) -> int:
    """Check that an option is a whole number from `least` to `most`; returns it.

    Raises:
        ValueError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"method.{name}={value}: write a whole number from {least} to {most}")
    return value


def number(name: str, value: float, least: float, most: float) -> float:
    """Check that an option is a finite number from `least` to `most`; returns it as a float.

    Raises:
        ValueError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"method.{name}={value}: write a number from {least:g} to {most:g}")
    if not least <= value <= most:
        raise ValueError(f"method.{name}={value}: write a number from {least:g} to {most:g}")
    return float(value)
