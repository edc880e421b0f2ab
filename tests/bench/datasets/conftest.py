"""Small clips on disk in the layouts of the real sets."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from frames.degradations import Bicubic
from frames.images import write_png

Frames = list[np.ndarray]


@pytest.fixture
def frames_of() -> Callable[..., Frames]:
    """`frames_of(count, height, width)`: a pattern that moves."""

    def make(count: int, height: int = 24, width: int = 32) -> Frames:
        y, x = np.mgrid[:height, :width] / 5
        waves = [np.stack([np.sin(x + t), np.cos(y - t), np.sin(x + y)], -1) for t in range(count)]
        return [(127 + 100 * wave).astype(np.uint8) for wave in waves]

    return make


@pytest.fixture
def write_clip() -> Callable[..., None]:
    """`write_clip(folder, frames, first=0)`: numbered PNG files."""

    def write(folder: Path, frames: Frames, first: int = 0) -> None:
        for index, frame in enumerate(frames, start=first):
            write_png(folder / f"{index:08d}.png", frame)

    return write


@pytest.fixture
def bicubic() -> Bicubic:
    return Bicubic(4)
