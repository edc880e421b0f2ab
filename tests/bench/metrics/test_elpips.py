"""E-LPIPS: the mean over transformations written out, the same transformation for both frames, and its seeds."""

import cv2
import numpy as np
import pytest

from bench.metrics.elpips import Elpips, Transform, transforms
from bench.metrics.registry import build


def blurred_by_hand(frame, sigma):
    """A Gaussian up to three sigma, along columns and then along rows, mirrored outside."""
    reach = max(1, round(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    found = frame.astype(np.float64)
    for axis in (0, 1):
        padded = np.pad(found, [(reach, reach) if each == axis else (0, 0) for each in range(3)], mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=axis)
        found = windows @ kernel
    return found.round().astype(np.uint8)


def by_hand(frame, draw):
    """A transformation by sampling each pixel of the result, bilinearly, mirrored outside."""
    height, width = frame.shape[:2]
    reduction = max(1.0, min(draw.reduction, min(height, width) / 48))
    size = round(height / reduction), round(width / reduction)
    sigma = reduction * (np.hypot(draw.blur, 0.5) if reduction > 1 else draw.blur)
    blurred = blurred_by_hand(frame, sigma) if sigma > 0.1 else frame
    y, x = np.indices(size, np.float64)
    # From a pixel of the result back to the frame: centre, undo the shift, undo the turn and the reduction, centre.
    x -= (width - 1) / 2 + (size[1] - width) / 2 + draw.dx / reduction
    y -= (height - 1) / 2 + (size[0] - height) / 2 + draw.dy / reduction
    turn = np.deg2rad(draw.angle)
    across = reduction * (np.cos(turn) * x - np.sin(turn) * y) + (width - 1) / 2
    down = reduction * (np.sin(turn) * x + np.cos(turn) * y) + (height - 1) / 2
    maps = across.astype(np.float32), down.astype(np.float32)
    return cv2.remap(blurred, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def test_a_transformation_is_a_turn_a_shift_a_reduction_and_a_blur(tid):
    frame = tid["I04"][1]
    for draw in transforms(4, seed=3):
        ours, theirs = draw(frame), by_hand(frame, draw)
        assert ours.shape == theirs.shape
        assert np.abs(ours.astype(int) - theirs).mean() < 0.7  # fixed-point weights of OpenCV's two ways
    assert np.array_equal(Transform(1.0, 0.0, 0.0, 0.0, 0.0)(frame), frame)


def test_the_score_is_the_mean_of_lpips_over_the_transformations(small_tid):
    sr, gt = small_tid["I04"]
    metric, lpips = Elpips("alex", 3, 0, "cpu"), build("lpips-alex")
    expected = np.mean([lpips.score(draw(sr), draw(gt)) for draw in transforms(3, 0)])
    assert metric.score(sr, gt) == pytest.approx(expected, rel=1e-6)
    assert metric.compare(sr, metric.prepare(gt)) == pytest.approx(expected, rel=1e-5)


def test_equal_frames_are_at_distance_0_and_worse_ones_farther(small_tid):
    sr, gt = small_tid["I03"]
    metric = Elpips("alex", 2, 0, "cpu")
    assert metric.score(gt, gt) == pytest.approx(0, abs=1e-6) and metric.score(sr, gt) > 0.05


def test_a_fine_lattice_loses_its_weight_at_any_phase_and_flat_frames_are_finite(small_tid):
    gt, metric, lpips = small_tid["I04"][1], Elpips("alex", 2, 0, "cpu"), build("lpips-alex")
    found = []
    for row, column in ((0, 0), (1, 3)):
        sr = gt.astype(int)
        sr[row::4, column::4] += 40
        sr = np.clip(sr, 0, 255).astype(np.uint8)
        found.append(metric.score(sr, gt))
        assert 0 < found[-1] < 0.1 * lpips.score(sr, gt)
    assert max(found) < 1.2 * min(found)
    black, white = (np.full((48, 51, 3), level, np.uint8) for level in (0, 255))
    assert metric.score(black, black) == pytest.approx(0, abs=1e-6) and np.isfinite(metric.score(black, white))


def test_draws_are_seeded_and_in_the_signature():
    assert transforms(3, 0) == transforms(3, 0) != transforms(3, 1)
    assert "8 draws of seed 0" in build("e-lpips").signature and "alex-v0.1" in build("e-lpips").signature


def test_small_frames_are_refused_and_the_estimate_of_memory_is_right(tid):
    metric = Elpips("alex", 2, 0, "cpu")
    with pytest.raises(ValueError, match="too small"):
        metric.score(*np.zeros((2, 40, 64, 3), np.uint8))
    gt = tid["I04"][1]
    kept = sum(table.nbytes for features in metric.prepare(gt) for _, table in features)
    assert kept == pytest.approx(metric.prepared_bytes(gt), rel=0.35)
