"""The window and the row of a frame in which the methods differ most."""

from __future__ import annotations

import numpy as np

BLOCK = 4  # pixels: differences are averaged over blocks of this size before anything is compared
Box = tuple[int, int, int, int]
"""(x, y, width, height) in pixels of SR."""


def difference(frames: list[np.ndarray]) -> np.ndarray:
    """Differences between several versions of one frame: (H / BLOCK, W / BLOCK) float32, mean of the range of levels.

    Of a single version it is the local contrast, so that a window with something in it is chosen.

    Args:
        frames: uint8 (H, W, 3), all of one size.
    """
    if len(frames) == 1:
        grey = frames[0].mean(axis=2)
        spread = np.abs(grey - grey.mean())
    else:
        low, high = frames[0], frames[0]
        for frame in frames[1:]:
            low, high = np.minimum(low, frame), np.maximum(high, frame)
        spread = (high - low).mean(axis=2)
    return _blocks(spread)


def window(spread: np.ndarray, size: tuple[int, int], largest: tuple[int, int], scale: int) -> Box:
    """The window of at most `largest` (height, width) with the greatest sum of differences, aligned to LR pixels.

    Args:
        spread: as `difference` gives it, or a mean of several.
        size: (height, width) of the frame, multiples of the scale.
    """
    height, width = (max(scale, _aligned(min(side, most), scale)) for side, most in zip(size, largest))
    rows, columns = max(1, height // BLOCK), max(1, width // BLOCK)
    total = np.zeros((spread.shape[0] + 1, spread.shape[1] + 1))
    total[1:, 1:] = spread.astype(np.float64).cumsum(0).cumsum(1)
    sums = total[rows:, columns:] - total[:-rows, columns:] - total[rows:, :-columns] + total[:-rows, :-columns]
    top, left = np.unravel_index(int(sums.argmax()), sums.shape)
    y, x = (_aligned(int(at) * BLOCK, scale) for at in (top, left))
    return min(x, size[1] - width), min(y, size[0] - height), width, height


def row(spread: np.ndarray, box: Box) -> int:
    """The row inside a window in which the versions differ most."""
    x, y, width, height = (side // BLOCK for side in box)
    inside = spread[y : y + max(1, height), x : x + max(1, width)].mean(axis=1)
    return min(box[1] + box[3] - 1, (y + int(inside.argmax())) * BLOCK + BLOCK // 2)


def shifted(inner: Box, outer: Box) -> Box:
    """`inner` moved so that it lies within `outer`."""
    x = min(max(inner[0], outer[0]), max(outer[0], outer[0] + outer[2] - inner[2]))
    y = min(max(inner[1], outer[1]), max(outer[1], outer[1] + outer[3] - inner[3]))
    return x, y, min(inner[2], outer[2]), min(inner[3], outer[3])


def cut(frame: np.ndarray, box: Box) -> np.ndarray:
    x, y, width, height = box
    return frame[y : y + height, x : x + width]


def lr_box(box: Box, scale: int, lr_size: tuple[int, int], margin: int = 2) -> Box:
    """The LR pixels under a window, with a margin where the frame continues: interpolation looks beyond the edge."""
    left, top = max(0, box[0] // scale - margin), max(0, box[1] // scale - margin)
    right = min(lr_size[1], (box[0] + box[2]) // scale + margin)
    bottom = min(lr_size[0], (box[1] + box[3]) // scale + margin)
    return left, top, right - left, bottom - top


def _blocks(values: np.ndarray) -> np.ndarray:
    height, width = (max(1, side // BLOCK) for side in values.shape)
    if min(values.shape) < BLOCK:
        return np.full((height, width), values.mean(), np.float32)
    values = values[: height * BLOCK, : width * BLOCK]
    return values.reshape(height, BLOCK, width, BLOCK).mean(axis=(1, 3)).astype(np.float32)


def _aligned(value: int, scale: int) -> int:
    return max(0, value - value % scale)
