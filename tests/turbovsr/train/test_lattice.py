import math

import numpy as np
import pytest
import torch

from turbovsr.train.lattice import lattice_excess, line_ratios


def noise(seed: int, size: int = 128) -> torch.Tensor:
    return 0.3 * torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(seed))


def stripes(period: int, phase: int, axis: int, size: int = 128) -> torch.Tensor:
    """One bright row or column in each `period`, with random brightness along it: coherent in one direction alone."""
    comb = ((torch.arange(size) - phase) % period == 0).float()
    along = torch.randn(size, generator=torch.Generator().manual_seed(9))
    pattern = comb[:, None] * along if axis == 0 else along[:, None] * comb
    return 0.3 * pattern.expand(2, 3, size, size)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(("period", "phase"), [(4, 0), (4, 3), (8, 5)])
def test_a_lattice_stands_out_at_any_phase_and_along_either_axis(period, phase, axis):
    plain = lattice_excess(noise(0), noise(1))
    assert plain < 0.1  # chance
    assert lattice_excess(noise(0) + stripes(period, phase, axis), noise(1)) > plain + 0.15


def test_a_stronger_lattice_stands_out_further():
    values = [lattice_excess(noise(0) + strength * stripes(4, 1, 1), noise(1)) for strength in (0, 0.5, 1, 2)]
    assert values == sorted(values) and values[-1] > 2 * values[1]


def test_a_pattern_too_weak_for_one_window_stands_out_over_many():
    sr, gt = noise(0, 256) + 0.1 * stripes(4, 1, 1, 256), noise(1, 256)

    def single(frames: torch.Tensor) -> torch.Tensor:
        """The excess of windows of 64 pixels, each by itself."""
        return torch.relu(line_ratios(frames, 64) - line_ratios(gt, 64).clamp(min=0)).mean()

    assert single(sr) < 1.2 * single(noise(0, 256))
    assert lattice_excess(sr, gt) > 2 * lattice_excess(noise(0, 256), gt)


def test_what_gt_shows_itself_is_no_excess():
    gt = noise(1) + stripes(4, 2, 0)
    assert lattice_excess(gt, gt) == 0
    assert lattice_excess(noise(0) + stripes(4, 2, 0), gt) < 0.1


def test_flat_frames_have_none_and_small_frames_leave_long_windows_out():
    flat = torch.full((1, 3, 64, 96), 0.25)
    assert lattice_excess(flat, flat) == 0
    assert line_ratios(flat, 64).shape == (2, 2, 4)


def test_line_ratios_are_those_of_a_spectrum_computed_bin_by_bin():
    frame = (noise(3, 64) + stripes(4, 0, 1, 64))[:1]
    luma = frame[0].mean(dim=0).double().numpy()
    n = np.arange(64)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / 64)
    fourier = np.exp(-2j * np.pi * np.outer(n, n) / 64)
    power = np.abs(fourier @ (luma * np.outer(hann, hann)) @ fourier.T) ** 2 + (1 / 127.5) ** 2 * (hann**2).sum() ** 2
    down, across = power.mean(axis=1), power.mean(axis=0)
    for axis, profile in enumerate((down, across)):
        for k in range(1, 5):
            near = np.mean([profile[(8 * k + d) % 64] for d in (-4, -3, 3, 4)])
            expected = math.log(profile[8 * k] / near)
            assert line_ratios(frame, 64)[axis, 0, k - 1].item() == pytest.approx(expected, abs=1e-3)


def test_descending_its_gradient_takes_the_lattice_away():
    gt, start = noise(1), noise(0) + stripes(4, 1, 1)
    sr = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([sr], 0.02)
    for _ in range(20):
        optimizer.zero_grad()
        lattice_excess(sr, gt).backward()
        optimizer.step()
    assert lattice_excess(sr.detach(), gt) < 0.3 * lattice_excess(start, gt)
