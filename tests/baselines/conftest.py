"""Small real clips, made by whole-number arithmetic so that no resizing code is part of a golden number."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from skimage import data
from torch import nn


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """Frames this small gain nothing by a second thread, and on a busy machine the two mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def box_mean(hr: np.ndarray) -> torch.Tensor:
    """uint8 (4H, 4W, 3) -> uint8 (3, H, W): the rounded mean of each 4 x 4 square."""
    height, width = hr.shape[0] // 4, hr.shape[1] // 4
    squares = hr.reshape(height, 4, width, 4, 3).astype(np.int64).sum(axis=(1, 3))
    return torch.from_numpy(((squares + 8) // 16).astype(np.uint8)).permute(2, 0, 1).contiguous()


@pytest.fixture(scope="session")
def panning_hr() -> np.ndarray:
    """uint8 (3, 148, 180, 3): a view that moves 3 px down and 5 px right a frame over a photograph."""
    photo = data.astronaut()
    return np.stack([photo[20 + 3 * t : 168 + 3 * t, 150 + 5 * t : 330 + 5 * t] for t in range(3)])


@pytest.fixture(scope="session")
def panning_lr(panning_hr) -> torch.Tensor:
    """uint8 (3, 3, 37, 45): `panning_hr` made four times smaller."""
    return torch.stack([box_mean(frame) for frame in panning_hr])


@pytest.fixture
def allocated(monkeypatch):
    """`with allocated() as sizes`: numbers of weights of the convolutions that are built meanwhile, but on "meta"."""

    @contextmanager
    def watched():
        sizes: list[int] = []
        before = nn.Conv2d.reset_parameters

        def seen(layer):
            if not layer.weight.is_meta:
                sizes.append(layer.weight.numel())
            before(layer)

        with monkeypatch.context() as patch:
            patch.setattr(nn.Conv2d, "reset_parameters", seen)
            yield sizes

    return watched
