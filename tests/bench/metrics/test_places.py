"""The worst place of a frame is where the fault was put: lattices, flicker, differences, at any size."""

import numpy as np
import pytest

from bench.metrics.checkerboard import Checkerboard
from bench.metrics.flicker import Flicker
from bench.metrics.places import difference, finder
from bench.metrics.temporal import Tof

LATTICE, FLICKER, MOVING = (
    finder(metric.signature, metric.kind.window)[1]
    for metric in (Checkerboard(4, window=64), Flicker(), Flicker(moving=True))
)
CHANGE = finder(Tof.signature, Tof.kind.window)[1]


def near(found, corner, side, tolerance):
    """Whether a point is about the middle of a square with this corner (x, y)."""
    return all(abs(at - first - side / 2) <= tolerance for at, first in zip(found, corner))


@pytest.fixture
def picture(photo) -> np.ndarray:
    """A photograph with some grain, of odd sides: uint8 (301, 397, 3)."""
    noise = np.random.default_rng(0).normal(0, 3, (301, 397, 1))
    return np.clip(photo[50:351, 60:457] + noise, 0, 255).astype(np.uint8)


def with_lattice(frame, corner, side, period=4):
    """The frame with one bright pixel in each cell, in a square with this corner (x, y)."""
    x, y = corner
    changed = frame.astype(int)
    changed[y : y + side : period, x : x + side : period] += 15 * period
    return np.clip(changed, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("corner", [(0, 0), (201, 77), (297, 201)])
def test_a_lattice_is_found_where_it_was_put(picture, corner, scale):
    sr = with_lattice(picture, corner, 100, scale)
    for gt in (picture, None):
        assert near(LATTICE((sr, gt), None, scale), corner, 100, max(40, 8 * scale))


def test_a_lattice_that_gt_has_too_is_no_fault(picture):
    gt = with_lattice(with_lattice(picture, (20, 20), 100), (20, 180), 100)
    sr = with_lattice(with_lattice(gt, (250, 90), 100), (250, 90), 100)
    assert near(LATTICE((sr, gt), None, 4), (250, 90), 100, 40)
    lost = np.where(np.indices(gt.shape)[0] > 150, gt, picture)  # SR lost the upper of GT's two
    assert near(LATTICE((lost, gt), None, 4), (20, 20), 100, 40)


@pytest.mark.parametrize("corner, side", [((0, 0), 60), ((190, 33), 24), ((297, 201), 60), ((5, 250), 8)])
def test_flicker_of_a_still_clip_is_found_where_it_was_put(picture, corner, side):
    after = picture.copy()
    x, y = corner
    after[y : y + side, x : x + side] = np.clip(after[y : y + side, x : x + side].astype(int) + 30, 0, 255)
    for find in (FLICKER, CHANGE):
        assert near(find((picture, picture), (after, picture), 4), corner, side, 12)


def test_a_place_that_is_too_calm_counts_as_well(picture):
    rng = np.random.default_rng(1)
    gt = [np.clip(picture + rng.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8) for _ in range(2)]
    sr = [frame.copy() for frame in gt]
    sr[1][100:180, 200:280] = sr[0][100:180, 200:280]
    assert near(FLICKER((sr[0], gt[0]), (sr[1], gt[1]), 4), (200, 100), 80, 40)  # anywhere inside


def test_flicker_of_moving_content_is_looked_for_along_gts_flow(picture):
    now, after = picture[:, :-4], np.ascontiguousarray(picture[:, 4:])
    spoilt = after.copy()
    spoilt[100:160, 200:260] = np.clip(spoilt[100:160, 200:260].astype(int) + 30, 0, 255)
    assert near(MOVING((now, now), (spoilt, after), 4), (204, 100), 60, 16)


def test_differences_are_found_with_gt_and_contrast_without(picture):
    sr = picture.copy()
    sr[30:60, 300:330] //= 2
    assert near(difference((sr, picture), None, 4), (300, 30), 30, 12)
    dark = np.full((120, 160, 3), 40, np.uint8)
    dark[80:100, 20:40] = 250
    assert near(difference((dark, None), None, 4), (20, 80), 20, 12)


@pytest.mark.parametrize("find", [LATTICE, FLICKER, MOVING, CHANGE, difference])
@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (48, 49), (65, 67)])
def test_any_frame_has_a_place_inside_it(find, shape):
    if find in (FLICKER, MOVING) and min(shape) < 48:
        pytest.skip("the metric refuses such frames")
    rng = np.random.default_rng(2)
    frames = [rng.integers(0, 256, (*shape, 3), np.uint8) for _ in range(4)]
    black = np.zeros_like(frames[0])
    both, gone = (frames[0], frames[1]), (frames[0], None)
    for pair, after in (
        (both, None),
        (both, (frames[2], frames[3])),
        (gone, (frames[2], None)),
        ((black, black), None),
    ):
        x, y = find(pair, after, 4)
        assert 0 <= x < shape[1] and 0 <= y < shape[0]


def test_every_metric_says_in_words_where_its_place_lies():
    recipes = [(each.signature, each.kind.window) for each in (Checkerboard(4), Flicker(), Flicker(True), Tof())]
    words = {finder(*recipe)[0] for recipe in [*recipes, ("psnr|y", 1)]}
    assert len(words) == 5 and all(text.startswith("where ") for text in words)
    assert finder("mine", 1)[1] is difference
