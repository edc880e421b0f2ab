"""GT's own value of a metric: the metric with GT in both places, and no quality."""

import numpy as np
import pytest

from bench.metrics.niqe import Niqe
from bench.metrics.of_gt import of_gt
from bench.metrics.registry import build


@pytest.fixture
def frames(photo) -> list[np.ndarray]:
    """Six frames of a photograph that moves, uint8 (120, 128, 3)."""
    return [np.ascontiguousarray(photo[100 + i : 220 + i, 100:228]) for i in range(6)]


@pytest.mark.parametrize("name", ["checkerboard", "checkerboard-local"])
def test_of_single_frames(name, frames):
    sr, gt = frames[:2]
    assert build(f"{name}-gt").score(sr, gt) == build(name).score(gt)
    with pytest.raises(ValueError, match="no ground truth"):
        build(f"{name}-gt").score(sr, None)


def test_of_frames_in_their_order(frames):
    own, plain = build("warp-error-gt").begin(), build("warp-error").begin()
    for sr, gt in zip(frames[:3], frames[3:]):
        own.add(sr, gt)
        plain.add(gt, gt)
    assert own.values() == plain.values() and len(own.values()) == 2
    with pytest.raises(ValueError, match="no ground truth"):
        own.add(frames[0], None)


def test_it_needs_gt_whatever_the_metric_needs_and_ranks_nothing():
    own = of_gt(Niqe())
    assert own.kind.reference and not Niqe.kind.reference
    assert (own.kind.better, own.kind.title, own.kind.digits) == ("none", "NIQE of GT", Niqe.kind.digits)
    assert own.signature == Niqe().signature.replace("niqe|", "niqe|of GT|", 1)
    assert build("warp-error-gt").kind.window == 2 and of_gt(build("flicker")).kind.best is None
