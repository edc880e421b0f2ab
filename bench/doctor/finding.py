"""Findings and their compensation: geometry, order, channels, tone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import cv2
import numpy as np

Frames = Mapping[int, np.ndarray] | Sequence[np.ndarray]
"""uint8 (H, W, 3) RGB frames by index: a list of all, or a dict of those in `excerpt.needed`."""


@dataclass(frozen=True)
class Finding:
    """A fault, with the PSNR (dB, RGB, sampled frames) before and after its compensation, if it can be compensated."""

    kind: str  # size, turn, count, order, offset, shift, zoom, channels, range, gamma
    text: str
    before: float | None = None  # None: nothing to score, as the sizes differ
    after: float | None = None

    @property
    def evidence(self) -> str:
        if self.after is None:
            return "" if self.before is None else f"PSNR {self.before:.2f} dB, which nothing compensates"
        before = "not comparable" if self.before is None else f"{self.before:.2f} dB"
        return f"PSNR {before}, {self.after:.2f} dB with it compensated"


@dataclass(frozen=True)
class Warp:
    """The place of GT in SR: pixel (x, y) of GT is at (cx + (1 + zx)(x - cx) + dx, ...) of SR, around the centre."""

    dy: float = 0.0
    dx: float = 0.0
    zy: float = 0.0
    zx: float = 0.0

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """SR sampled at the places of GT's pixels (Lanczos; whole pixels are copied)."""
        if self == Warp():
            return frame
        height, width = frame.shape[:2]
        cy, cx = (height - 1) / 2, (width - 1) / 2
        matrix = np.array([[1 + self.zx, 0, self.dx - self.zx * cx], [0, 1 + self.zy, self.dy - self.zy * cy]])
        whole = not (self.zy or self.zx) and self.dy == round(self.dy) and self.dx == round(self.dx)
        flags = (cv2.INTER_NEAREST if whole else cv2.INTER_LANCZOS4) | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(frame, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)

    def reversed(self) -> Warp:
        """The opposite displacement, as a control: blur alone gains as much from either."""
        return Warp(-self.dy, -self.dx, -self.zy, -self.zx)

    def reach(self, height: int, width: int) -> float:
        """The largest displacement in the frame, in pixels."""
        return max(abs(self.dy) + abs(self.zy) * height / 2, abs(self.dx) + abs(self.zx) * width / 2)


@dataclass(frozen=True)
class Window:
    """A part of a frame."""

    top: int
    left: int
    height: int
    width: int

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        return frame[self.top : self.top + self.height, self.left : self.left + self.width]


TURNS = {
    "transposed": lambda frame: frame.transpose(1, 0, 2),
    "turned clockwise": lambda frame: np.rot90(frame, -1),
    "turned counter-clockwise": lambda frame: np.rot90(frame, 1),
    "transposed and turned by 180 degrees": lambda frame: np.rot90(frame.transpose(1, 0, 2), 2),
    "mirrored left to right": lambda frame: frame[:, ::-1],
    "mirrored top to bottom": lambda frame: frame[::-1],
    "turned by 180 degrees": lambda frame: np.rot90(frame, 2),
}
"""Turns of GT that may have given SR; the last three keep the size of any frame, the others that of a square."""
_TURNED_BACK = {"turned clockwise": "turned counter-clockwise", "turned counter-clockwise": "turned clockwise"}


@lru_cache(8)
def _as_text(first: int, count: int) -> Sequence[int]:
    """The indices of frames numbered from `first` without leading zeros, in the order of these names as text."""
    return [number - first for number in sorted(range(first, first + count), key=str)]


ORDERS: dict[str, Callable[[int], Sequence[int]]] = {
    "backwards": lambda count: range(count - 1, -1, -1),
    "text from 0": partial(_as_text, 0),
    "text from 1": partial(_as_text, 1),
}
"""Rules for clips in a wrong order: number of frames -> the GT frame that each SR frame shows."""


@dataclass(frozen=True)
class Compensation:
    """Everything that makes SR comparable with GT, in the order in which it is applied."""

    turn: str = ""
    resize: tuple[int, int] | None = None  # (height, width)
    sr_window: Window | None = None
    gt_window: Window | None = None
    offset: int = 0  # SR frame i shows GT frame i + offset
    order: str = ""  # one of `ORDERS`
    warp: Warp = Warp()
    channels: tuple[int, int, int] = (0, 1, 2)
    tone: tuple[int, ...] = field(default=(), repr=False)  # 256 levels; empty: none

    def partner(self, index: int, gt_count: int) -> int:
        """The index of the GT frame that SR frame `index` shows (may lie outside the clip)."""
        if not self.order:
            return index + self.offset
        shown = ORDERS[self.order](gt_count)
        return shown[index] if index < gt_count else gt_count

    def sr(self, frame: np.ndarray) -> np.ndarray:
        """A compensated SR frame."""
        if self.turn:
            frame = np.ascontiguousarray(TURNS[_TURNED_BACK.get(self.turn, self.turn)](frame))
        if self.resize:
            frame = cv2.resize(frame, self.resize[::-1], interpolation=cv2.INTER_CUBIC)
        if self.sr_window:
            frame = np.ascontiguousarray(self.sr_window(frame))
        frame = self.warp(frame)
        if self.channels != (0, 1, 2):
            frame = np.ascontiguousarray(frame[..., list(self.channels)])
        return cv2.LUT(frame, np.array(self.tone, np.uint8)) if self.tone else frame

    def gt(self, frame: np.ndarray) -> np.ndarray:
        """The part of a GT frame that SR covers."""
        return np.ascontiguousarray(self.gt_window(frame)) if self.gt_window else frame

    @property
    def margin(self) -> int:
        """Number of pixels at each border that the warp made up."""
        if self.warp == Warp():
            return 0
        reach = max(abs(self.warp.dy), abs(self.warp.dx))
        return int(np.ceil(reach)) + 4 + (4 if self.warp.zy or self.warp.zx else 0)
