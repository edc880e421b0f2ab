"""Checkerboard: how far a lattice with the scale's period stands out in a frame's spectrum, without reference.

Networks that write the pixels of an LR pixel from separate channels leave a pattern that repeats with the scale (Odena,
Dumoulin and Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016). Its power lies on the lines k/period
cycles per pixel. With S(f) the power at horizontal frequency f, summed over all vertical frequencies, of the luma less
its Gaussian blur of sigma 2,

    ratio = (mean of S over the lines + q) / (mean of S over the lines' neighbours + q),

the same along the vertical axis; q is the power that rounding to 8 bits has in any frame, so that a flat frame has 1.
The score is the larger ratio of both axes and of the lattices of the scale and of its multiples. 1: nothing stands out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from bench.metrics.base import Kind

_LUMA = np.array([0.299, 0.587, 0.114])
_SIGMA = 2.0
_NEAREST, _FARTHEST = 2, 6  # bins: neighbours begin beyond what a window spreads, and end before the next line
_LEAST_BINS = 8  # between two lines
_ROUNDING = 1 / 12  # variance of a level's rounding


class Checkerboard:
    """One ratio a frame from SR alone, over the whole frame or as the median over local windows.

    Over the whole frame a lattice must keep its phase to count; in windows it must only be there.

    Args:
        scale: from LR to SR, the lattice's period in pixels.
        multiples: lattices of so many times the period count as well.
        window: side of the Hann windows in pixels, at half their side from each other; None: the whole frame.
    """

    def __init__(self, scale: int, multiples: Sequence[int] = (1, 2), window: int | None = None) -> None:
        self.scale, self.multiples, self.window = scale, tuple(multiples), window
        where = "whole" if window is None else f"hann{window}-median"
        self.kind = Kind("checkerboard" if window is None else "local checkerboard", "", "nearer", 2, reference=False)
        lattices = ",".join(str(scale * multiple) for multiple in self.multiples)
        self.signature = f"checkerboard|period{lattices}|{where}|luma|uint8|sigma2|mean-frames,clips|v1"

    def score(self, sr: np.ndarray, gt: np.ndarray | None = None) -> float:
        """The ratio of a uint8 (H, W, 3) RGB frame; `gt` is ignored.

        Raises:
            ValueError: scale 1 has no lattice, or no axis is long enough to tell lines from their neighbours.
        """
        return max(float(np.median(ratios)) for ratios in self._ratios(self._plane(sr)))

    def by_window(self, frame: np.ndarray) -> np.ndarray:
        """The largest ratio of each window, float (windows down, windows across); `window` must be given.

        Window (i, j) has its upper left corner at row i * window / 2, column j * window / 2.

        Raises:
            ValueError: as `score`.
        """
        side = self.window or 0
        ratios = np.max(list(self._ratios(self._plane(frame))), axis=0)
        return ratios.reshape(-1, (frame.shape[1] - side) // (side // 2) + 1)

    def _plane(self, frame: np.ndarray) -> np.ndarray:
        """Luma less its blur, float (H, W)."""
        if self.scale < 2:
            raise ValueError("checkerboard needs a scale of 2 or more; at scale 1 there is no lattice")
        plane = frame @ _LUMA
        plane = plane - cv2.GaussianBlur(plane, (0, 0), _SIGMA, borderType=cv2.BORDER_REFLECT_101)
        least = self._least
        if self.window is not None and self.window < least:
            longest = least // _LEAST_BINS
            raise ValueError(f"checkerboard: a window of {self.window} px is too small for a lattice of {longest} px")
        if max(plane.shape) < least or (self.window and min(plane.shape) < self.window):
            size = f"{plane.shape[1]}x{plane.shape[0]}"
            raise ValueError(f"checkerboard needs frames of at least {self.window or least} px, this one is {size}")
        return plane

    @property
    def _least(self) -> int:
        """Pixels along an axis that it takes to tell the lines of the coarsest lattice from their neighbours."""
        return self.scale * max(self.multiples) * _LEAST_BINS

    def _ratios(self, plane: np.ndarray) -> Iterator[np.ndarray]:
        """The ratios of the windows, or of the whole plane, along each axis and for each lattice: float (windows,)."""
        if self.window is not None:
            blocks = _windows(plane, self.window)
            axes = [(blocks, self.window), (blocks.swapaxes(1, 2), self.window)]
        else:
            longest = self.scale * max(self.multiples)
            cut = [side // longest * longest for side in plane.shape]  # lines then fall on whole bins
            both = [(plane[None, :, : cut[1]], cut[1]), (plane[None, : cut[0]].swapaxes(1, 2), cut[0])]
            axes = [(each, side) for each, side in both if side >= self._least]
        for planes, side in axes:
            spectrum = np.square(np.abs(np.fft.rfft(planes, axis=2))).mean(1)
            spectrum += _ROUNDING * (side if self.window is None else float(np.square(_hann(side)).sum()) * 3 / 8)
            finest = side // (self.scale * max(self.multiples))  # bins between the lines of all lattices
            for multiple in self.multiples:
                lines, neighbours = _places(side, self.scale, multiple, finest)
                if lines:
                    yield spectrum[:, lines].mean(1) / spectrum[:, neighbours].mean(1)


def _places(side: int, scale: int, multiple: int, finest: int) -> tuple[list[int], list[int]]:
    """The bins of a lattice's lines that no finer one has, and those of their neighbours."""
    period = scale * multiple
    lines = [k * side // period for k in range(1, period // 2 + 1) if multiple == 1 or k % multiple]
    reach = range(_NEAREST, min(_FARTHEST, finest // 2 - 1) + 1)
    neighbours = [line + side * step for line in lines for step in reach for side in (-1, 1)]
    return lines, [each for each in neighbours if each <= side // 2]


def _hann(side: int) -> np.ndarray:
    return np.hanning(side + 1)[:-1]


def _windows(plane: np.ndarray, side: int) -> np.ndarray:
    """(windows, side, side): windows at half their side from each other, under a Hann window."""
    view = np.lib.stride_tricks.sliding_window_view(plane, (side, side))[:: side // 2, :: side // 2]
    return view.reshape(-1, side, side) * np.outer(_hann(side), _hann(side))
