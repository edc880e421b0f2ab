"""PSNR of several frames together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean


def pooled(values: Sequence[float]) -> float:
    """PSNR of the mean squared error over frames, in dB, from the frames' PSNR: finite unless all frames are equal."""
    mean = fmean(10 ** (-value / 10) for value in values)
    return -10 * math.log10(mean) if mean else math.inf
