"""Checks of numeric options of a method, before any work."""

from __future__ import annotations

import math


def read_int(name: str, value: int, least: int, most: int) -> int:
    """Read an option that must be a whole number from `least` to `most`.

    Raises:
        ValueError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"method.{name}={value}: write a whole number from {least} to {most}")
    return value


def read_float(name: str, value: float, least: float, most: float) -> float:
    """Read an option that must be a finite number from `least` to `most`.

    Raises:
        ValueError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"method.{name}={value}: write a number from {least:g} to {most:g}")
    if not least <= value <= most:
        raise ValueError(f"method.{name}={value}: write a number from {least:g} to {most:g}")
    return float(value)
