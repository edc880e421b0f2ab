"""Features of noise, compression and blur in frames.

Noise shows in flat places, as power of the finest diagonal detail. Coarse coding with a block transform leaves blocks
without fine detail on its own grid, of 4 or 8 pixels, more often than off the grid; it also smooths the colours. Blur
leaves no sharp edges. Features of processing without a grid are in `processing`. All of them are measured in a window
in the middle of a few frames, at their own size.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from frames.input_quality import processing

WINDOW = 256  # pixels, largest edge of the part that is measured
MOST_FRAMES = 4
ZERO = 0.8  # grey levels: smaller transform coefficients count as zero, for frames are rounded
NAMES = (
    *("flat_5", "flat_10", "flat_25", "flat_50", "flat_90"),  # log levels: diagonal detail of blocks, percentiles
    *("edge_50", "edge_90"),  # largest step between neighbours over the contrast, in blocks with contrast
    *("seam_4", "seam_8"),  # log: third differences at one phase of 4 or 8 pixels over those at the others
    # shares of zero coefficients and of empty blocks on the best grid beyond the median of all grids, relative to what
    # the median leaves; the largest of all frames, because the first one of a group of pictures shows it best
    *("grid_4", "empty_4", "grid_8", "empty_8"),
    *("zero_4", "empty", "zero_8"),  # the medians themselves
    "spread",  # flat_90 - flat_10
    *("colour_25", "colour_50", "colour_90"),  # as flat_*, of the colours at half the size
    "still",  # share of blocks that do not change from frame to frame; 0 for an image
    *processing.NAMES,
)

GRID = slice(NAMES.index("grid_4"), NAMES.index("empty_8") + 1)


def measure(frames: np.ndarray) -> np.ndarray:
    """Measure the features `NAMES` of the first `MOST_FRAMES` frames of a clip, (31,).

    Args:
        frames: uint8 (T, H, W, 3) RGB, at least 32 pixels high and wide.
    """
    parts = [_window(frame) for frame in frames[:MOST_FRAMES]]
    lumas = [part @ np.array([0.299, 0.587, 0.114], np.float32) for part in parts]
    by_frame = np.array([_of_frame(luma, part) for luma, part in zip(lumas, parts)])
    numbers = by_frame.mean(axis=0)
    numbers[GRID] = by_frame[:, GRID].max(axis=0)
    changes = [np.abs(blocks(a, 8) - blocks(b, 8)).max(axis=(1, 2)) for a, b in zip(lumas, lumas[1:])]
    still = float(np.mean([(change < 1).mean() for change in changes])) if changes else 0.0
    processed = np.mean([processing.measure(luma, part) for luma, part in zip(lumas, parts)], axis=0)
    return np.concatenate([numbers, [still], processed])


def blocks(plane: np.ndarray, edge: int) -> np.ndarray:
    """Split a plane into blocks, (H, W) -> (N, edge, edge); a rest at the bottom and the right is cut off."""
    rows, columns = plane.shape[0] // edge, plane.shape[1] // edge
    cut = plane[: rows * edge, : columns * edge].reshape(rows, edge, columns, edge)
    return cut.swapaxes(1, 2).reshape(-1, edge, edge)


def _window(frame: np.ndarray) -> np.ndarray:
    top, left = (max(0, side - WINDOW) // 16 * 8 for side in frame.shape[:2])  # on the grid of codecs
    return frame[top : top + WINDOW, left : left + WINDOW].astype(np.float32)


def _of_frame(luma: np.ndarray, rgb: np.ndarray) -> list[float]:
    flat = _flatness(luma)
    coarse, fine = _grid(luma, 4), _grid(luma, 8)
    return [
        *flat,
        *_edges(luma),
        *(_seams(luma, period) for period in (4, 8)),
        *coarse[:2],
        *fine[:2],
        *coarse[2:],
        fine[2],
        flat[4] - flat[1],
        *_colours(luma, rgb),
    ]


def _diagonal(parts: np.ndarray) -> np.ndarray:
    """Deviation of the diagonal Haar coefficients of each block; for white noise it is the noise's deviation."""
    found = (parts[:, ::2, ::2] - parts[:, 1::2, ::2] - parts[:, ::2, 1::2] + parts[:, 1::2, 1::2]) / 2
    return np.sqrt((found**2).mean(axis=(1, 2)))


def _flatness(luma: np.ndarray) -> np.ndarray:
    parts = blocks(luma, 8)
    level = parts.mean(axis=(1, 2))
    exposed = (level > 12) & (level < 243)  # clipped blocks have no noise
    if exposed.sum() >= 20:
        parts = parts[exposed]
    return np.log(np.percentile(_diagonal(parts), [5, 10, 25, 50, 90]) + 0.1)


def _edges(luma: np.ndarray) -> np.ndarray:
    parts = blocks(luma, 16)
    contrast = parts.max(axis=(1, 2)) - parts.min(axis=(1, 2))
    steps = np.maximum(*(np.abs(np.diff(parts, axis=axis)).max(axis=(1, 2)) for axis in (1, 2)))
    strong = contrast >= min(40, np.percentile(contrast, 70))
    return np.percentile((steps / (contrast + 1e-3))[strong], [50, 90])


def _seams(luma: np.ndarray, period: int) -> float:
    found = []
    for plane in (luma, luma.T):
        third = np.abs(plane[:, :-3] - 3 * plane[:, 1:-2] + 3 * plane[:, 2:-1] - plane[:, 3:])
        by_column = np.minimum(third, 20).mean(axis=0)  # real edges count no more than seams
        by_phase = np.array([by_column[phase::period].mean() for phase in range(period)])
        found.append(np.log((by_phase.max() + 0.1) / (np.median(by_phase) + 0.1)))
    return float(np.mean(found))


@cache
def _transform(edge: int) -> tuple[np.ndarray, np.ndarray]:
    """The orthonormal DCT of `edge` points, and a mask of its two-dimensional coefficients that are fine detail."""
    order = np.arange(edge)
    matrix = np.cos(np.pi * (2 * order + 1) * order[:, None] / (2 * edge)) * np.sqrt(2 / edge)
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32), order[:, None] + order >= edge - 1


def _grid(luma: np.ndarray, edge: int) -> tuple[float, float, float, float]:
    """Shares of zero coefficients and of empty blocks: on the best grid beyond the median, then the medians."""
    matrix, fine = _transform(edge)
    shares = []
    for shift in range(edge):
        zero = (np.abs(matrix @ blocks(luma[shift:, shift:], edge) @ matrix.T)[:, fine] < ZERO).mean(axis=1)
        shares.append((zero.mean(), (zero > 0.95).mean()))
    most, middle = np.max(shares, axis=0), np.median(shares, axis=0)
    beyond = (most - middle) / (1.05 - middle)
    return beyond[0], beyond[1], middle[0], middle[1]


def _colours(luma: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    height, width = (side // 2 * 2 for side in luma.shape)
    found = []
    for colour, weight in ((2, 0.564), (0, 0.713)):  # Cb and Cr of BT.601
        plane = ((rgb[..., colour] - luma) * weight)[:height, :width]
        halved = plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
        found.append(_diagonal(blocks(halved, 4)))
    return np.log(np.percentile(np.concatenate(found), [25, 50, 90]) + 0.05)
