"""Real pairs: the five TID2013 pictures that pyiqa carries, reference and distorted."""

import numpy as np
import pytest

from frames.images import read_image

TID = ("I03", "I04", "I06", "I08", "I19")


@pytest.fixture(scope="session")
def tid(asset) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """name -> (distorted, reference), uint8 (384, 512, 3)."""
    return {name: tuple(read_image(asset(f"tid2013/{kind}/{name}.bmp")) for kind in ("dist", "ref")) for name in TID}


@pytest.fixture(scope="session")
def small_tid(tid) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The same, cut to 131x157: an odd size."""
    return {name: tuple(np.ascontiguousarray(frame[100:231, 150:307]) for frame in pair) for name, pair in tid.items()}
