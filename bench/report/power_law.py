"""Power laws through measured costs, with an interval of the exponent."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bench.report import intervals


def power_law(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, intervals.Interval | None] | None:
    """(factor, exponent, interval of the exponent) of y = factor * x ** exponent; None under three different x."""
    logs = [math.log(value) for value in x], [math.log(value) for value in y]
    found = intervals.of_slope(*logs)
    if found is None:
        return None
    slope, interval = found
    return math.exp(np.mean(logs[1]) - slope * np.mean(logs[0])), slope, interval


def exponent_text(law: tuple[float, float, intervals.Interval | None] | None) -> str:
    """The exponent as text: `exponent 1.02 (1.00 to 1.05)`, or that there are too few sizes for one."""
    if law is None:
        return "too few sizes for an exponent"
    _, slope, interval = law
    between = f" ({interval[0]:.2f} to {interval[1]:.2f})" if interval else " (no interval)"
    return f"exponent {slope:.2f}{between}"
