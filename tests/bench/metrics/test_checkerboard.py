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


def by_windows(frame, scale, side=64):
    """The local score written out: the transform as a sum, line by line, window by window."""
    grey = frame @ [0.299, 0.587, 0.114]
    grey = grey - cv2.GaussianBlur(grey, (0, 0), 2)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(side) / side)
    floor = sum(hann**2) * np.mean(hann**2) / 12
    reach = range(2, min(6, side // (2 * scale) // 2 - 1) + 1)

    def power(part, axis, k):
        turn = np.exp(-2j * np.pi * k * np.arange(side) / side)
        return float(np.mean(np.abs((part * turn if axis else (part.T * turn)).sum(1)) ** 2)) + floor

    found = []
    for axis in (0, 1):
        for period, steps in ((scale, range(1, scale // 2 + 1)), (2 * scale, range(1, scale + 1, 2))):
            ratios = []
            for top in range(0, grey.shape[0] - side + 1, side // 2):
                for left in range(0, grey.shape[1] - side + 1, side // 2):
                    part = grey[top : top + side, left : left + side] * hann[:, None] * hann
                    lines = [k * side // period for k in steps]
                    around = [at + sign * step for at in lines for step in reach for sign in (-1, 1)]
                    near = [power(part, axis, k) for k in around if k <= side // 2]
                    ratios.append(np.mean([power(part, axis, k) for k in lines]) / np.mean(near))
            found.append(np.median(ratios))
    return max(found)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_local_score_is_that_of_sums_written_out(picture, scale):
    for frame in (picture[:150, :133], lattice(picture, scale, 12)[30:130, :101]):
        found = Checkerboard(scale, window=64).score(frame)
        assert found == pytest.approx(by_windows(frame, scale), rel=1e-9)


@pytest.mark.parametrize("shape", [(256, 320), (211, 331)])
@pytest.mark.parametrize("scale, phase", [(2, (1, 0)), (3, (0, 2)), (4, (0, 0)), (4, (3, 1))])
def test_a_lattice_of_known_strength_has_the_score_that_follows_from_it(scale, phase, shape):
    noise, strength = 4.0, 6
    grain = np.random.default_rng(0).normal(128, noise, (*shape, 1)).repeat(3, 2).round().astype(np.uint8)
    frame = lattice(grain, scale, strength, phase)
    # A row with bright pixels has strength / scale times the sum of its weights on each line; one row in `scale` has.
    around = noise**2 + 1 / 12 + 1 / 12  # grain and rounding, and the floor
    line = (strength / scale) ** 2 / scale
    side = max(each // (2 * scale) * 2 * scale for each in shape)
    assert Checkerboard(scale, multiples=(1,)).score(frame) == pytest.approx(1 + line * side / around, rel=0.25)
    expected = 1 + line * 32**2 / 24 / around  # sum of the window, squared, over the sum of its squares
    assert Checkerboard(scale, multiples=(1,), window=64).score(frame) == pytest.approx(expected, rel=0.25)


def test_gt_with_a_grid_of_its_own_is_told_from_a_lattice(picture):
    """What the metric ranks by: SR with GT's grid is near to GT, whatever the ratio is."""
    grid, metric = lattice(picture, 8, 90), Checkerboard(4)
    own = metric.score(grid)
    assert own > 3 and abs(metric.score(cv2.GaussianBlur(grid, (0, 0), 0.5)) - own) < abs(metric.score(picture) - own)


@pytest.mark.parametrize("level", ["black", "white", "stripes", "squares", "noise"])
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_every_frame_has_a_finite_score_or_a_reason(scale, level):
    rng, compared = np.random.default_rng(3), 0
    for shape in ((1, 1), (7, 300), (63, 64), (64, 65), (129, 131), (200, 128)):
        rows, columns = np.indices(shape)
        values = {
            "black": np.zeros(shape), "white": np.full(shape, 255), "stripes": columns % scale * 255,
            "squares": (rows + columns) % 2 * 255, "noise": rng.integers(0, 2, shape) * 255,
        }[level]  # fmt: skip
        frame = np.clip(values, 0, 255).astype(np.uint8)[..., None].repeat(3, 2)
        for window in (None, 64, 128):
            try:
                found = Checkerboard(scale, window=window).score(frame)
            except ValueError as reason:
                assert "checkerboard" in str(reason)
            else:
                compared += 1
                assert np.isfinite(found) and found > 0
                assert level not in ("black", "white") or found == pytest.approx(1, abs=1e-6)
    assert compared >= (0 if scale == 1 else 4)


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
