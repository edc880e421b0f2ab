"""What a frame costs: a bounded number of frames, and no further one once the budget is used up."""

import pytest

from bench.metrics import cost
from bench.metrics.base import Kind
from bench.metrics.cost import seconds_per_frame
from bench.metrics.registry import build


class Seen:
    """A metric that counts its frames; each costs a second of the clock below."""

    kind = Kind("seen", "", "lower", 1)
    signature = "seen|v1"

    def __init__(self, clock, seconds):
        self.clock, self.seconds, self.frames = clock, seconds, []

    def score(self, sr, gt):
        self.frames.append((sr.shape, (sr != gt).any()))
        self.clock.now += self.seconds[min(len(self.frames), len(self.seconds)) - 1]
        return 0.0


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(cost.time, "perf_counter", found)
    return found


def test_the_first_frame_warms_up(clock):
    metric = Seen(clock, [0.5, 0.1, 0.2, 0.1])
    assert seconds_per_frame(metric) == pytest.approx(0.1)
    assert metric.frames == [((*cost.SIZE, 3), True)] * 8


def test_a_slow_metric_ends_after_the_budget_and_its_only_frame_counts(clock):
    metric = Seen(clock, [30.0])
    assert seconds_per_frame(metric) == 30.0 and len(metric.frames) == 1


def test_a_metric_of_clips_sees_its_window_and_its_end_counts():
    assert seconds_per_frame(build("tof")) > 0
    assert seconds_per_frame(build("flicker")) > 0, "some of the picture stands still"
