"""Faults of published evaluation scripts, which scored other frames than the method made, applied to given frames.

Each takes pairs of SR and GT frames, uint8 (H, W, 3) RGB, and returns those that such a script would have scored. Their
sources are DOVE's inference_script.py (floats cut to 8 bits, frames kept as a libx264 yuv444p video of CRF 0) and
papers whose autoencoders take only 8k+1 frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

Pairs = Iterable[tuple[np.ndarray, np.ndarray]]

# BT.601, studio range: rows Y, Cb, Cr for R, G, B in [0, 255].
_TO_YUV = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255
_OFFSET = np.array([16.0, 128.0, 128.0])
_TO_RGB = np.linalg.inv(_TO_YUV)


@dataclass(frozen=True)
class Trap:
    """A fault of evaluation scripts, with the function that applies it to pairs of frames."""

    name: str
    about: str
    apply: Callable[[Pairs], Iterator[tuple[np.ndarray, np.ndarray]]]


def truncated(pairs: Pairs) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cutting instead of rounding: of samples spread evenly between two levels half end up one lower (seeded)."""
    generator = np.random.default_rng(0)
    for sr, gt in pairs:
        lower = generator.integers(0, 2, sr.shape, dtype=np.uint8)
        yield sr - np.minimum(sr, lower), gt


def through_yuv(pairs: Pairs) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """8-bit YUV 4:4:4 and back: what a yuv444p video without further loss does to RGB."""
    for sr, gt in pairs:
        yuv = np.clip(np.rint(sr @ _TO_YUV.T + _OFFSET), 0, 255)
        yield np.clip(np.rint((yuv - _OFFSET) @ _TO_RGB.T), 0, 255).astype(np.uint8), gt


def cut_to_8k_plus_1(pairs: Pairs) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The first 8k+1 frames; the rest is held until it is known that there are as many."""
    held: list[tuple[np.ndarray, np.ndarray]] = []
    for index, pair in enumerate(pairs):
        held.append(pair)
        if index % 8 == 0:
            yield from held
            held.clear()


TRAPS = (
    Trap("truncated", "floats cut to 8 bits, not rounded (expected effect, seeded)", truncated),
    Trap("yuv444p", "scored after a lossless 8-bit yuv444p video", through_yuv),
    Trap("truncated, yuv444p", "both, as DOVE's script does by default", lambda pairs: through_yuv(truncated(pairs))),
    Trap("8k+1 frames", "frames beyond 8k+1 dropped", cut_to_8k_plus_1),
)
