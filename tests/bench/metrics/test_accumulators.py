"""Which metrics a clip can have, known before any frame is seen."""

import pytest

from bench.metrics.accumulators import reason_absent
from bench.metrics.protocol import RGB, thinned
from bench.metrics.registry import build
from bench.metrics.vmaf import Vmaf


@pytest.mark.parametrize("metric", [build("tof"), Vmaf("ffmpeg", "test")])
def test_metrics_that_look_at_neighbours_are_absent_where_frames_are_left_out(metric):
    reason = f"{metric.kind.title} needs consecutive frames, the protocol leaves some out"
    assert reason_absent(metric, thinned(RGB, 2).indices(7), has_gt=True) == reason
    assert reason_absent(metric, RGB.indices(7), has_gt=True) is None


def test_metrics_of_single_frames_take_every_nth():
    assert reason_absent(build("psnr"), thinned(RGB, 2).indices(7), has_gt=True) is None
