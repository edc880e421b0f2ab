import math

import numpy as np
import pytest
import torch

from baselines.interpolation import Interpolation
from frames.bicubic import bicubic

KERNELS = ("nearest", "bilinear", "bicubic", "lanczos")


def kernel_value(name: str, x: float) -> float:
    """The kernels of MATLAB's imresize, written apart from the code under test."""
    if name == "nearest":
        return 1.0 if -0.5 <= x < 0.5 else 0.0
    a = abs(x)
    if name == "bilinear":
        return max(0.0, 1 - a)
    if name == "bicubic":
        if a <= 1:
            return (1.5 * a - 2.5) * a * a + 1
        return ((-0.5 * a + 2.5) * a - 4) * a + 2 if a <= 2 else 0.0
    if a == 0:
        return 1.0
    return 3 * math.sin(math.pi * a) * math.sin(math.pi * a / 3) / (math.pi * a) ** 2 if a < 3 else 0.0


def dense_matrix(name: str, size: int, scale: int) -> np.ndarray:
    """imresize along one axis as a (scale*size, size) matrix, following its `contributions` with 1-based positions."""
    matrix = np.zeros((scale * size, size))
    width = {"nearest": 1, "bilinear": 2, "bicubic": 4, "lanczos": 6}[name]
    mirror = list(range(1, size + 1)) + list(range(size, 0, -1))
    for x in range(1, scale * size + 1):
        u = x / scale + 0.5 * (1 - 1 / scale)
        left = math.floor(u - width / 2)
        taps = {k: kernel_value(name, u - k) for k in range(left, left + math.ceil(width) + 2)}
        for k, value in taps.items():
            matrix[x - 1, mirror[(k - 1) % (2 * size)] - 1] += value / sum(taps.values())
    return matrix


def dense_resize(name: str, clip: np.ndarray, scale: int) -> np.ndarray:
    """float64 (T, 3, sH, sW), not rounded."""
    rows, columns = dense_matrix(name, clip.shape[2], scale), dense_matrix(name, clip.shape[3], scale)
    return np.einsum("ah,tchw,bw->tcab", rows, clip.astype(np.float64), columns)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("size", [(17, 33), (8, 16), (5, 7), (2, 1), (1, 1)], ids=str)
def test_equals_the_definition_of_imresize(kernel, scale, size):
    lr = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, *size), dtype=np.uint8))
    sr = Interpolation(kernel, scale).upscale(lr)
    exact = np.clip(dense_resize(kernel, lr.numpy(), scale), 0, 255)
    assert sr.dtype == torch.uint8 and sr.shape == (2, 3, scale * size[0], scale * size[1])
    # Half a level, and what float32 makes of a value that lies on a half.
    assert np.abs(sr.numpy() - exact).max() < 0.5 + 1e-4


@pytest.mark.parametrize("kernel", KERNELS)
def test_scale_1_changes_nothing(kernel, panning_lr):
    assert torch.equal(Interpolation(kernel, 1).upscale(panning_lr), panning_lr)


def test_nearest_repeats_pixels(panning_lr):
    sr = Interpolation("nearest", 3).upscale(panning_lr)
    assert torch.equal(sr, panning_lr.repeat_interleave(3, dim=2).repeat_interleave(3, dim=3))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_frame_stays_flat(kernel, level):
    sr = Interpolation(kernel, 4).upscale(torch.full((1, 3, 9, 11), level, dtype=torch.uint8))
    assert sr.unique().tolist() == [level]


@pytest.mark.parametrize("kernel", KERNELS)
def test_turning_the_frame_turns_the_result(kernel, panning_lr):
    upscale = Interpolation(kernel, 4).upscale
    difference = upscale(panning_lr.transpose(2, 3)).transpose(2, 3).int() - upscale(panning_lr).int()
    # float32 may turn a value that lies on a half either way.
    assert difference.abs().max() <= 1 and (difference != 0).float().mean() < 1e-4


def test_an_unknown_kernel_and_a_fractional_scale_are_refused():
    with pytest.raises(ValueError, match="nearest, bilinear, bicubic, lanczos"):
        Interpolation("spline", 4)
    for scale in (0, 1.5):
        with pytest.raises(ValueError, match="whole number"):
            Interpolation("bicubic", scale)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_as_a_block_matrix_is_the_one_of_frames(scale):
    lr = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, 13, 21), dtype=np.uint8))
    one = bicubic(lr.double(), (13 * scale, 21 * scale)).clamp(0, 255)
    assert (Interpolation("bicubic", scale).upscale(lr) - one).abs().max() < 0.5 + 1e-4
