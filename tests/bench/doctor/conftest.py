"""Real moving pictures and photographs."""

import numpy as np
import pytest
from skimage import data

from frames.video import read_video


@pytest.fixture(scope="session")
def bikes(asset) -> list[np.ndarray]:
    """Ten frames of 272x640, natural motion."""
    return list(read_video(asset("sample/bikes.mp4"), 30, 40))


@pytest.fixture(scope="session")
def pictures(bikes) -> dict[str, list[np.ndarray]]:
    """The same, and photographs as clips of one frame."""
    photos = {name: [np.ascontiguousarray(getattr(data, name)()[:296, :448])] for name in ("astronaut", "chelsea")}
    return {"bikes": bikes, **photos}
