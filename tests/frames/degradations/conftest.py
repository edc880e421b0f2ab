"""Photographs and clips to degrade."""

import numpy as np
import pytest
from skimage import data


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    return data.astronaut()


@pytest.fixture(scope="session")
def pans(photo) -> list[np.ndarray]:
    """Two pans over a photograph, uint8 (5, 64, 96, 3)."""
    return [np.stack([photo[y + t : y + t + 64, 150 : 150 + 96] for t in range(5)]) for y in (40, 220)]
