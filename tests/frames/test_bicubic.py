import numpy as np
import pytest
import torch

from frames.bicubic import bicubic
from frames.resize import bicubic_down


def imresize_line(line, size):
    """MATLAB's imresize along one line, written from its definition, in float64."""
    scale = size / len(line)
    stretch = min(scale, 1)
    out = np.empty(size)
    for i in range(size):
        centre = (i + 0.5) / scale - 0.5
        taps = np.arange(np.floor(centre - 2 / stretch) - 1, np.ceil(centre + 2 / stretch) + 2).astype(int)
        t = np.abs(stretch * (centre - taps))
        weights = np.where(
            t <= 1, 1.5 * t**3 - 2.5 * t**2 + 1, np.where(t < 2, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2, 0)
        )
        mirrored = taps % (2 * len(line))
        mirrored = np.where(mirrored < len(line), mirrored, 2 * len(line) - 1 - mirrored)
        out[i] = (weights * line[mirrored]).sum() / weights.sum()
    return out


@pytest.mark.parametrize("length, size", [(4, 3), (28, 21), (64, 48), (8, 2), (28, 14), (7, 28), (1, 4), (9, 12)])
def test_equals_imresize_at_the_borders_too(length, size):
    line = np.random.default_rng(0).uniform(0, 255, length)
    frame = torch.from_numpy(line).float().expand(1, 1, length, length)
    resized = bicubic(frame, (size, size))
    assert resized.shape == (1, 1, size, size)
    assert np.abs(resized[0, 0, size // 2].numpy() - imresize_line(line, size)).max() < 1e-3


def test_other_precisions_come_back_as_they_are():
    assert bicubic(torch.rand(1, 3, 8, 8, dtype=torch.bfloat16), (32, 32)).dtype == torch.bfloat16


@pytest.mark.parametrize("size", [(12, 8), (3, 4), (0, 0)])
def test_scales_that_do_not_fit_are_refused(size):
    with pytest.raises(ValueError, match="cannot resize"):
        bicubic(torch.zeros(1, 3, 8, 8 if size != (3, 4) else 9), size)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_8_bit_frames_in_strips_are_the_rounded_frame_in_float64(monkeypatch, scale):
    frame = np.random.default_rng(0).integers(0, 256, (24 * scale, 7 * scale, 3), dtype=np.uint8)
    monkeypatch.setattr("frames.resize.ROWS_AT_ONCE", 5)
    whole = torch.from_numpy(frame).permute(2, 0, 1)[None].double()
    exact = bicubic(whole, (24, 7))
    assert exact.dtype == torch.float64
    rounded = (exact + 0.5).floor().clamp(0, 255)[0].permute(1, 2, 0).numpy()
    assert np.array_equal(bicubic_down(frame, scale), rounded)
