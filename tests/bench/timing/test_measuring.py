"""The clock, the stages, the memory peak and the repetitions."""

import itertools

import numpy as np
import pytest
import torch

from bench.timing import clock, memory
from bench.timing.measure import digest, measure, spread


@pytest.fixture
def ticking(monkeypatch):
    """A clock that moves one second at each look."""
    ticks = itertools.count()
    monkeypatch.setattr(clock.time, "perf_counter", lambda: float(next(ticks)))


def test_stages_and_the_remainder_add_up_to_the_total(ticking):
    watch = clock.Stopwatch("cpu")
    with watch.total():  # 0
        with watch.stage("flow"):  # 1, 2
            pass
        with watch.stage("decode"):  # 3, 4
            pass
        with watch.stage("flow"):  # 5, 6
            pass
    total, stages = watch.seconds()  # 7
    assert (total, stages) == (7, {"flow": 2, "decode": 1, clock.REST: 4})


def test_nested_stages_are_refused():
    watch = clock.Stopwatch("cpu")
    with pytest.raises(RuntimeError, match="'inner'.*inside stage 'outer'"), watch.total(), watch.stage("outer"):
        with watch.stage("inner"):
            pass


def test_warm_up_is_apart_and_every_repetition_is_kept():
    outputs = [torch.full((1, 3, 2, 2), value, dtype=torch.uint8) for value in (1, 2, 2, 2)]
    calls = iter(outputs)
    sr, sha256, times = measure(lambda stages: next(calls), "tensors", "cpu", warmup=1, repeats=3, budget_s=100)
    assert len(times.repetitions) == 3 and times.first_call_s > 0 and times.same_output is True
    assert sr is outputs[3] and sha256 == digest(outputs[3])


def test_output_that_changes_between_repetitions_is_noticed():
    calls = iter([torch.full((1, 3, 2, 2), value, dtype=torch.uint8) for value in (1, 2)])
    _, _, times = measure(lambda stages: next(calls), "tensors", "cpu", warmup=0, repeats=2, budget_s=100)
    assert times.same_output is False


def test_a_spent_budget_still_gives_one_repetition():
    one = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    _, _, times = measure(lambda stages: one, "tensors", "cpu", warmup=0, repeats=5, budget_s=0)
    assert len(times.repetitions) == 1 and times.same_output is None


@pytest.mark.parametrize("by_kernel", [True, False])
def test_the_memory_peak_sees_what_was_freed_again(monkeypatch, by_kernel):
    if not by_kernel:
        monkeypatch.setattr(memory, "_reset_high_water", lambda: False)
    with memory.peak_memory("cpu") as small:
        pass
    with memory.peak_memory("cpu") as large:
        block = np.ones(200 << 17)  # 200 MiB
        block += 1
        del block
    assert 150 < large.mb - small.mb < 260
    assert "resident" in large.kind


def test_spread_is_median_and_interquartile_range():
    assert spread([3.0]) == (3.0, 0.0)
    assert spread([1.0, 2.0, 3.0, 4.0, 100.0]) == (3.0, 2.0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_events_see_queued_kernels_and_stages_add_up():
    totals = []
    for cycles in (100_000_000, 200_000_000):
        watch = clock.Stopwatch("cuda")
        with watch.total(), watch.stage("sleep"):
            torch.cuda._sleep(cycles)
        total, stages = watch.seconds()
        assert stages["sleep"] == pytest.approx(total, rel=0.02)
        totals.append(total)
    assert totals[1] / totals[0] == pytest.approx(2, rel=0.1)
