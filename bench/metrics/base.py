"""The contract of a metric: what every metric has, and optional abilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args, runtime_checkable

import numpy as np

Direction = Literal["higher", "lower", "nearer", "none"]
"""The better direction; nearer: to GT's own value, `best` or that of the metric NAME-gt; none: it ranks nothing."""
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


@dataclass(frozen=True)
class Kind:
    """Format and better direction of a figure; a metric's YAML file may override it (docs/metrics.md)."""

    title: str  # "PSNR", for tables and axes
    unit: str  # "dB"; empty: no unit
    better: Direction
    digits: int  # decimals in tables
    window: int = 1  # consecutive frames that a value looks at: a clip of T frames has T - window + 1 values
    reference: bool = True  # False: SR is judged alone, and clips without GT can be scored
    best: float | None = None  # GT's own value, where it is one number for every frame


@runtime_checkable
class FrameMetric(Protocol):
    """A metric of single frames; a clip's score is the mean over its frames, a set's the mean over its clips."""

    kind: Kind
    signature: str
    """The recipe of the number: colour, range, crop, network, aggregation; equal signatures compare."""

    def score(self, sr: np.ndarray, gt: np.ndarray | None) -> float:
        """One frame's score; both uint8 (H, W, 3) RGB of one size, GT None where `kind.reference` is False.

        Raises:
            ValueError: this frame cannot be scored; the clip then has no value of this metric, with the reason.
        """
        ...


@runtime_checkable
class ClipMetric(Protocol):
    """A metric of frames in order: its values are of neighbouring frames, or of a whole clip."""

    kind: Kind
    signature: str

    def begin(self) -> Accumulator:
        """A fresh accumulator for one clip."""
        ...


Metric = FrameMetric | ClipMetric


class Accumulator(Protocol):
    """Accumulates the scores of one clip from its frames, one pair at a time: a clip is never held in memory."""

    def add(self, sr: np.ndarray, gt: np.ndarray | None) -> None:
        """Take in the next frames, uint8 (H, W, 3) RGB; GT is None where there is none and `kind.reference` is False.

        Raises:
            ValueError: these frames cannot be scored.
        """
        ...

    def values(self) -> list[float]:
        """The scores when the clip is over: value i is of the frames i to i + window - 1.

        One number for the whole clip is returned once for each frame.
        """
        ...


@runtime_checkable
class PreparesGt(Protocol):
    """A frame metric in two steps: a GT frame passes its network once for all SR frames that are compared with it."""

    kind: Kind
    signature: str
    device: str

    def score(self, sr: np.ndarray, gt: np.ndarray | None) -> float:
        """One frame's score, as `FrameMetric.score`."""
        ...

    def prepare(self, gt: np.ndarray) -> Any:
        """The features of a GT frame that `compare` needs."""
        ...

    def prepared_bytes(self, gt: np.ndarray) -> int:
        """The memory that `prepare` would keep for this frame."""
        ...

    def compare(self, sr: np.ndarray, features: Any) -> float:
        """The same number as `score(sr, gt)` with `features = prepare(gt)`."""
        ...


def is_network(metric: Metric) -> bool:
    """Whether scoring a frame runs a network; such metrics take turns instead of running in parallel."""
    return isinstance(metric, PreparesGt)


def as_number(score: Any) -> float:
    """A score as a plain float; a NumPy or torch scalar, as most reductions give it, becomes one.

    Raises:
        TypeError: it is not a single number.
    """
    try:
        return float(score)
    except (TypeError, ValueError, RuntimeError):  # torch raises the last one
        raise TypeError(f"a score must be one number, not {type(score).__name__} {score!r:.60}") from None


def check_pair(sr: np.ndarray, gt: np.ndarray, crop: int = 0, minimum: int = 1) -> None:
    """Raise ValueError unless two frames have one size, of at least `minimum` pixels a side without the crop."""
    if sr.shape != gt.shape:
        raise ValueError(f"SR frame is {sr.shape[1]}x{sr.shape[0]}, GT frame is {gt.shape[1]}x{gt.shape[0]}")
    if min(sr.shape[:2]) - 2 * crop < minimum:
        raise ValueError(f"frame of {sr.shape[1]}x{sr.shape[0]} is too small here (crop {crop}, minimum {minimum})")
