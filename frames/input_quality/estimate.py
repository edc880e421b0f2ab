"""Whether frames are clean, or noisy, compressed or blurred: a measured estimate, with its reason in one line."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from frames.input_quality.detectors import CENTRE, KINDS, SPREAD, WEIGHTS
from frames.input_quality.features import MOST_FRAMES, NAMES, measure

SMALLEST_EDGE = 32  # pixels
PLAIN = ("noisy", "compressed", "blurred", "mixed")
PROCESSED = "processed"  # the other kinds of `detectors.KINDS`, which differ in how they were made, not in what helps
FARTHEST = 4.0  # deviations: what lies beyond the inputs of the fit counts no more than its edge


@dataclass(frozen=True)
class Estimate:
    """What was found in a few frames.

    Attributes:
        kind: "clean", or the kind that fits best: "noisy", "compressed", "blurred", "mixed" (second-order), or
            "processed" (scaled after coding, coded more than once, or denoised and sharpened).
        noise: deviation of luma's noise in flat places, grey levels; fine texture counts as noise where all has some.
        grid: share of transform coefficients that are zero on a codec's block grid beyond those beside it.
        edge: width of the sharpest edges, pixels; about 1.4 in frames reduced by bicubic, infinite without any.
        halo: overshoot beside edges between flat places, share of the edge's step, exceeded by a quarter of them; about
            0.1 in frames reduced by bicubic, 0 where there are no such edges.
        score: log odds that the frames are degraded, of that kind; 0 where there are no edges to judge by.
    """

    kind: str
    noise: float
    grid: float
    edge: float
    halo: float
    score: float

    @property
    def degraded(self) -> bool:
        return self.kind != "clean"

    @property
    def reason(self) -> str:
        """One line: the kind and the measures behind it."""
        if math.isnan(self.noise):
            return f"not judged: frames below {SMALLEST_EDGE} pixels"
        if math.isinf(self.edge):
            return "not judged: there is nothing in these frames but flat colour"
        found = (
            f"noise of {self.noise:.1f} levels, block grid {self.grid:.1%}, sharpest edges {self.edge:.1f} px wide, "
        )
        found += f"halos of {self.halo:.0%}"
        return f"{self.kind} ({found})"


def looked_at(count: int, video: bool) -> range:
    """Which frames of an input are judged, by index: of a video those after its first third, for films begin black."""
    start = count // 3 if video else 0
    return range(start, min(start + MOST_FRAMES, count))


def estimate(frames: np.ndarray) -> Estimate:
    """Judge the frames of a clip or an image by the first four of them, as they are, before any resizing.

    Args:
        frames: uint8 (T, 3, H, W) RGB, T at least 1; what `numpy.asarray` takes, so a tensor on the CPU, too.
    Raises:
        ValueError: the frames are not of that kind.
    """
    clip = np.asarray(frames)
    if clip.dtype != np.uint8 or clip.ndim != 4 or clip.shape[1] != 3 or not len(clip):
        raise ValueError(f"frames must be uint8 (T, 3, H, W), got {clip.dtype} {clip.shape}")
    if min(clip.shape[2:]) < SMALLEST_EDGE:
        return Estimate("clean", *[math.nan] * 5)
    numbers = measure(np.moveaxis(clip, 1, -1))
    scores = log_odds(numbers)
    best = int(scores.argmax())
    by_name = dict(zip(NAMES, numbers))
    if by_name["edge_90"] == 0:
        return Estimate("clean", 0.0, 0.0, math.inf, 0.0, 0.0)
    return Estimate(
        kind="clean" if scores[best] <= 0 else KINDS[best] if KINDS[best] in PLAIN else PROCESSED,
        noise=max(0.0, float(np.exp(by_name["flat_10"])) - 0.1),
        grid=float(max(by_name["grid_4"], by_name["grid_8"])),
        edge=1 / float(by_name["edge_90"]),
        halo=max(0.0, float(by_name["halo_75"])),
        score=float(scores[best]),
    )


def log_odds(numbers: np.ndarray) -> np.ndarray:
    """Of each of `KINDS` against clean, by logistic regressions on the numbers of `measure` and their squares."""
    scaled = np.clip((numbers - CENTRE) / SPREAD, -FARTHEST, FARTHEST)
    return WEIGHTS @ np.concatenate([scaled, scaled**2, [1.0]])
