"""PSNR of several frames together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

NOT_AT_HAND = "not at hand: "
"""The beginning of the reason for a metric that this machine lacks, whatever the clip."""


def pooled(values: Sequence[float]) -> float:
    """PSNR of the mean squared error over frames, in dB, from the frames' PSNR: finite unless all frames are equal."""
    mean = fmean(10 ** (-value / 10) for value in values)
    return -10 * math.log10(mean) if mean else math.inf


def equal_frames_note(metric: str, values: Sequence[float]) -> str:
    """One line on frames that are equal to GT and so make a clip's PSNR infinite; empty where there are none."""
    equal = sum(map(math.isinf, values))
    if not equal:
        return ""
    counted = f"{metric}: {equal} of {len(values)} frames are equal to GT, so its mean is infinite"
    return f"{counted}; {pooled(values):.2f} dB pooled over all frames"
