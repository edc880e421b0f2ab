"""Checkerboard: known lattices at any phase, flat and tiny frames, and a reference written as a 2-D spectrum."""

import cv2
import numpy as np
import pytest

from bench.metrics.checkerboard import Checkerboard
from bench.metrics.registry import build


@pytest.fixture
def picture(photo) -> np.ndarray:
    """A photograph with some grain, which fills all frequencies: uint8 (256, 320, 3)."""
    noise = np.random.default_rng(0).normal(0, 4, (256, 320, 1))
    return np.clip(photo[100:356, 100:420] + noise, 0, 255).astype(np.uint8)


def lattice(frame, period, strength, phase=(0, 0)):
    """The frame with one bright pixel in each `period` x `period` cell."""
    rows, columns = np.indices(frame.shape[:2])
    bright = ((rows - phase[0]) % period == 0) & ((columns - phase[1]) % period == 0)
    return np.clip(frame + strength * bright[..., None], 0, 255).astype(np.uint8)


def by_whole_spectrum(frame, period):
    """The ratio over the whole frame for one lattice, from the two-dimensional spectrum, line by line."""
    grey = frame @ [0.299, 0.587, 0.114]
    grey = grey - cv2.GaussianBlur(grey, (0, 0), 2)
    ratios = []
    for axis in (0, 1):
        side = grey.shape[axis] // period * period
        part = grey[:side] if axis == 0 else grey[:, :side]
        power = np.abs(np.fft.fft2(part)) ** 2
        along = power.sum(1 - axis) / part.shape[1 - axis]  # at each frequency of the axis
        floor = side * part.shape[1 - axis] / 12
        lines, around = [], []
        for k in range(1, period // 2 + 1):
            at = k * side // period
            lines.append(along[at] + floor)
            for step in range(2, 7):
                around += [along[at - step] + floor] + ([along[at + step] + floor] if at + step <= side // 2 else [])
        ratios.append(np.mean(lines) / np.mean(around))
    return max(ratios)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_score_over_the_whole_frame_is_that_of_the_two_dimensional_spectrum(picture, scale):
    for frame in (picture, lattice(picture, scale, 12)):
        assert Checkerboard(scale, multiples=(1,)).score(frame) == pytest.approx(
            by_whole_spectrum(frame, scale), rel=1e-9
        )


@pytest.mark.parametrize("window", [None, 64])
def test_a_lattice_stands_out_at_any_phase_and_by_its_strength(picture, window):
    metric = Checkerboard(4, window=window)
    plain = metric.score(picture)
    assert 0.5 < plain < 2
    found = [metric.score(lattice(picture, 4, 16, phase)) for phase in ((0, 0), (1, 3), (2, 2), (3, 1))]
    assert min(found) > 3 * plain and max(found) < 1.2 * min(found)
    assert metric.score(lattice(picture, 4, 32)) > 2.5 * found[0]


def test_a_lattice_of_twice_the_scale_counts_as_well(picture):
    once = Checkerboard(4, multiples=(1,)).score(lattice(picture, 8, 40, (3, 5)))
    assert Checkerboard(4).score(lattice(picture, 8, 40, (3, 5))) >= once > 1.5


def test_windows_see_a_lattice_whose_phase_jumps(picture):
    broken = picture.copy()
    rng = np.random.default_rng(0)
    for top in range(0, 256, 32):
        for left in range(0, 320, 32):
            part = np.s_[top : top + 32, left : left + 32]
            broken[part] = lattice(picture[part], 4, 24, rng.integers(0, 4, 2))
    straight = lattice(picture, 4, 24)
    whole, local = Checkerboard(4), Checkerboard(4, window=64)
    assert whole.score(broken) < 0.5 * whole.score(straight)
    assert local.score(broken) > 1.3 * local.score(picture)


@pytest.mark.parametrize("window", [None, 64])
@pytest.mark.parametrize("level", [0, 77, 255])
def test_a_flat_frame_has_nothing_that_stands_out(window, level):
    assert Checkerboard(4, window=window).score(np.full((100, 132, 3), level, np.uint8)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("shape", [(64, 64), (65, 131), (64, 1000), (211, 67)])
@pytest.mark.parametrize("window", [None, 64])
def test_any_size_has_a_score(picture, shape, window):
    frame = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    assert 0.3 < Checkerboard(4, window=window).score(frame) < 3


def test_one_long_side_is_enough_for_the_whole_frame():
    frame = np.random.default_rng(1).integers(0, 256, (16, 200, 3), np.uint8)
    assert 0.3 < Checkerboard(4).score(frame) < 3
    with pytest.raises(ValueError, match="frames of at least 64 px, this one is 200x16"):
        Checkerboard(4, window=64).score(frame)
    with pytest.raises(ValueError, match="frames of at least 64 px, this one is 40x40"):
        Checkerboard(4).score(frame[:16, :40].repeat(3, 0)[:40])


def test_scales_without_a_lattice_or_with_one_too_coarse_are_refused(picture):
    with pytest.raises(ValueError, match="at scale 1 there is no lattice"):
        Checkerboard(1).score(picture)
    with pytest.raises(ValueError, match="a window of 64 px is too small for a lattice of 16 px"):
        Checkerboard(8, window=64).score(picture)


def test_gt_has_its_own_score_beside(picture):
    sr = lattice(picture, 4, 24)
    own = build("checkerboard-gt")
    assert own.score(sr, picture) == Checkerboard(4).score(picture)
    assert own.kind.reference and own.signature != Checkerboard(4).signature
    assert build("checkerboard", scale=2).signature != build("checkerboard", scale=4).signature
