"""Whether frames are clean, or noisy, compressed or blurred: a measured estimate, with its reason in one line."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from frames.input_quality.detectors import CENTRE, KINDS, SPREAD, WEIGHTS
from frames.input_quality.features import MOST_FRAMES, NAMES, measure

SMALLEST_EDGE = 32  # pixels
PLAIN = ("noisy", "compressed", "blurred", "mixed")
PROCESSED = "processed"  # the other kinds of `detectors.KINDS`: made in different ways, but the same remedy helps
FARTHEST = 4.0  # deviations at which features are clipped, as the fit saw few beyond


@dataclass(frozen=True)
class Estimate:
    """The estimated degradation of a few frames. All numbers are NaN for frames below 32 pixels.

    Attributes:
        kind: "clean", or the kind that fits best: "noisy", "compressed", "blurred", "mixed" (second-order), or
            "processed" (scaled after coding, coded more than once, or denoised and sharpened).
        noise: deviation of luma's noise in flat areas, grey levels; fine texture counts as noise if it is everywhere.
        grid: share of zero transform coefficients on a codec's block grid beyond that on shifted grids.
        edge: width of the sharpest edges, pixels; about 1.4 in frames reduced by bicubic, infinite without any.
        halo: overshoot beside edges between flat areas, as a share of the edge's step, 75th percentile; about 0.1 in
            frames reduced by bicubic, 0 without such edges.
        score: log odds of the most likely degradation against clean; 0 where there are no edges to judge by.
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


def indices_to_judge(count: int, video: bool) -> range:
    """Indices of the frames to judge: in a video those after its first third, because films begin black."""
    start = count // 3 if video else 0
    return range(start, min(start + MOST_FRAMES, count))


def estimate(frames: np.ndarray) -> Estimate:
    """Estimate the degradation of a clip or an image from its first four frames, without any resizing.

    Args:
        frames: uint8 (T, 3, H, W) RGB, T at least 1; an array or a tensor on the CPU.
    Raises:
        ValueError: the frames have another type or shape.
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
    """Log odds of each of `KINDS` against clean: logistic regressions on the numbers of `measure` and their squares."""
    scaled = np.clip((numbers - CENTRE) / SPREAD, -FARTHEST, FARTHEST)
    return WEIGHTS @ np.concatenate([scaled, scaled**2, [1.0]])
