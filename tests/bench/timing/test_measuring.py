"""The clock, the stages, the memory peak and the repetitions."""

import itertools
import subprocess
import sys
import threading
import traceback
import weakref
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench.timing import clock, measure, memory
from bench.timing.measure import Limits, Session, digest, take_turns
from bench.timing.results import Contention
from bench.timing.stats import median_interval, quartiles


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


def test_a_stage_that_is_called_like_the_remainder_keeps_its_time(ticking):
    watch = clock.Stopwatch("cpu")
    with watch.total():  # 0
        with watch.stage(clock.REST):  # 1, 2
            pass
        with watch.stage("decode"):  # 3, 4
            pass
    total, stages = watch.seconds()  # 5
    assert (total, stages) == (5, {clock.REST: 4, "decode": 1})


def test_nested_stages_are_refused():
    watch = clock.Stopwatch("cpu")
    with pytest.raises(RuntimeError, match="'inner'.*inside stage 'outer'"), watch.total(), watch.stage("outer"):
        with watch.stage("inner"):
            pass


def frame(value: int) -> torch.Tensor:
    return torch.full((1, 3, 2, 2), value, dtype=torch.uint8)


def session(outputs, **limits):
    answers = iter(outputs)
    return Session(lambda stages, warm_up: next(answers), "tensors", "cpu", Limits(**limits))


def test_warm_up_is_apart_and_every_repetition_is_kept():
    one = session([frame(1), frame(2), frame(2), frame(2)], warmup=1, repeats=3)
    take_turns([one])
    assert len(one.result.repetitions) == 3 and one.result.first_call_s > 0 and one.result.same_output is True
    assert int(one.output.max()) == 2 and one.output_sha256 == digest(frame(2))


def test_output_that_changes_between_repetitions_is_noticed():
    one = session([frame(1), frame(2)], warmup=0, repeats=2)
    take_turns([one])
    assert one.result.same_output is False


def test_a_spent_budget_still_gives_one_repetition():
    one = session([frame(1)] * 5, warmup=0, repeats=5, budget_s=0)
    take_turns([one])
    assert len(one.result.repetitions) == 1 and one.result.same_output is None


def test_methods_take_turns_after_all_are_warm():
    order = []

    def call(name):
        def answer(stages, warm_up):
            order.append(name.upper() if warm_up else name)
            return frame(0)

        return answer

    sessions = [Session(call(name), "tensors", "cpu", Limits(1, repeats)) for name, repeats in (("a", 3), ("b", 2))]
    take_turns(sessions)
    assert order == ["A", "B", "a", "b", "a", "b", "a"]
    assert [s.result.interleaved_with for s in sessions] == [1, 1]


def test_a_failure_ends_its_own_session_alone():
    broken, good = session([], repeats=2), session([frame(1)] * 3, repeats=2)
    take_turns([broken, good])
    assert isinstance(broken.error, StopIteration) and good.error is None and len(good.result.repetitions) == 2


def test_a_failure_frees_what_its_method_held():
    """Else a method that ran out of memory would leave none for those that take turns with it."""
    held = []

    def broken(stages, warm_up):
        block = frame(1)
        held.append(weakref.ref(block))
        try:
            raise MemoryError("no more")
        except MemoryError as error:
            raise ValueError("in its own words") from error

    broken_one = Session(broken, "tensors", "cpu", Limits())
    take_turns([broken_one])
    assert held[0]() is None and "in broken" in "".join(traceback.format_exception(broken_one.error))


def test_a_method_that_remembers_its_input_is_flagged(ticking):
    seen = set()

    def remembering(stages, warm_up):
        if warm_up not in seen:
            for _ in range(10):
                clock.time.perf_counter()
            seen.add(warm_up)
        return frame(0)

    one = Session(remembering, "tensors", "cpu", Limits(1, 4, 1e9))
    honest = session([frame(0)] * 5, warmup=1, repeats=4, budget_s=1e9)
    take_turns([one, honest])
    assert one.result.cached is True and honest.result.cached is False


@pytest.mark.parametrize("first, cached", [(10, None), (1, False)])
def test_a_first_repetition_that_is_redone_is_still_compared(ticking, monkeypatch, first, cached):
    """`first`: looks at the clock that the only call with new input takes."""
    busy = iter([False, True])

    @contextmanager
    def contended():
        yield Contention(waiting=0.9 if next(busy, False) else 0.0)

    def remembering(stages, warm_up):
        for _ in range(0 if warm_up else costs.pop()):
            clock.time.perf_counter()
        return frame(0)

    costs = [1, 1, 1, 1, first]
    monkeypatch.setattr(measure, "contended", contended)
    one = Session(remembering, "tensors", "cpu", Limits(1, 4, 1e9))
    take_turns([one])
    assert one.result.redone == 1 and len(one.result.repetitions) == 4 and one.result.cached is cached


def test_a_first_call_that_is_redone_is_still_the_first_call(ticking, monkeypatch):
    busy, costs = iter([True]), [1, 10]  # looks at the clock: the second call, the first

    @contextmanager
    def contended():
        yield Contention(waiting=0.9 if next(busy, False) else 0.0)

    def slow_at_first(stages, warm_up):
        for _ in range(costs.pop()):
            clock.time.perf_counter()
        return frame(0)

    monkeypatch.setattr(measure, "contended", contended)
    one = Session(slow_at_first, "tensors", "cpu", Limits(0, 1, 1e9))
    take_turns([one])
    assert one.result.redone == 1 and one.result.first_call_s == 11 and one.result.repetitions[0].total_s == 2


def test_what_other_methods_hold_is_not_counted(monkeypatch):
    monkeypatch.setattr(measure, "peak_memory", lambda device: nullcontext(memory.Peak(500.0, "process, resident")))
    answer = Session(lambda stages, warm_up: frame(0), "tensors", "cpu", Limits(0, 1), beside_mb=30)
    other = Session(lambda stages, warm_up: frame(0), "tensors", "cpu", Limits(0, 1), held_mb=100)
    take_turns([answer, other])
    held = frame(0).nbytes / 2**20  # what the other one's last output takes
    assert other.result.peak_memory_mb == pytest.approx(500 - held)
    assert answer.result.peak_memory_mb == pytest.approx(370 - held)


def test_frames_elsewhere_than_on_the_measured_device_are_not_taken_off():
    """The GPU's peak of a method was lower by the frames in host memory of a program that took turns with it."""
    one, other = (Session(lambda stages, warm_up: frame(0), "files", "cpu", Limits()) for _ in range(2))
    other.output = torch.empty(1 << 20, device="meta")
    measure._guarded(one, [one, other], lambda: None)
    assert one.foreign_mb == 0


@pytest.mark.skipif(not memory._reset_high_water(), reason="the kernel keeps no high-water mark that can be reset")
def test_the_memory_peak_sees_what_was_freed_again():
    with memory.peak_memory("cpu") as large:
        before = memory.in_use_mb("cpu")
        block = np.ones(200 << 17)  # 200 MiB
        block += 1
        del block
    assert large.mb > before + 150
    assert large.kind == "process, resident"


def test_without_a_high_water_mark_the_memory_is_looked_at_again_and_again(monkeypatch):
    seen = threading.Event()
    looks = itertools.count()

    def resident():
        """1 MiB before the block, 9 while it runs, 2 after it."""
        look = next(looks)
        if look >= 2:
            seen.set()
        return SimpleNamespace(rss=(1 if look == 0 else 2 if done.is_set() else 9) << 20)

    done = threading.Event()
    monkeypatch.setattr(memory, "_reset_high_water", lambda: False)
    monkeypatch.setattr(memory.psutil, "Process", lambda: SimpleNamespace(memory_info=resident))
    with memory.peak_memory("cpu") as peak:
        assert seen.wait(300)  # the block lasts until the sampling thread has looked
        done.set()
    assert peak.mb == 9
    assert peak.kind == "process, resident, sampled every 5 ms"


@pytest.mark.skipif(not memory._TASKS.is_dir(), reason="Linux tells who started whom")
def test_the_memory_of_a_started_program_is_its_own(monkeypatch):
    """A program that lives until it was looked at: 100 MiB, beside this process's many more."""
    program = "import sys; block = bytearray(100 << 20); print('held', flush=True); sys.stdin.read()"
    looked, started = threading.Event(), memory._started_mb

    def looking(older):
        found = started(older)
        if held.is_set() and found > 100:
            looked.set()
        return found

    held = threading.Event()
    monkeypatch.setattr(memory, "_started_mb", looking)
    with memory.peak_of_started() as peak:
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen([sys.executable, "-S", "-c", program], **streams) as process:
            assert process.stdout.readline() == b"held\n"
            held.set()
            assert looked.wait(300)
    assert 100 < peak.mb < 200
    assert peak.kind == "started processes, resident, sampled every 5 ms"


def test_quartiles_and_interval_of_the_median():
    assert quartiles([3.0]) == (3.0, 3.0)
    assert quartiles([1.0, 2.0, 3.0, 4.0, 100.0]) == (2.0, 4.0)
    assert median_interval([1.0, 1.1, 1.2, 1.3, 9.0]) is None
    low, high = median_interval([1.0, 1.1, 1.2, 1.2, 1.3, 9.0])
    assert (low, high) == (1.0, 9.0) and median_interval([5.0] * 6) == (5.0, 5.0)


@pytest.mark.parametrize("count", [6, 7, 8, 9, 20, 1200])
def test_the_interval_of_a_median_holds_it_in_95_of_100_cases(count):
    """That of resampled medians held it in 89 of 100 with seven values."""
    drawn = np.random.default_rng(0).lognormal(size=(1000, count)).tolist()
    assert np.mean([low <= 1 <= high for low, high in map(median_interval, drawn)]) > 0.94


class FakeGpu:
    """A GPU of two streams: work is queued in no time, and an event is reached when its stream has come to it."""

    def __init__(self):
        self.now, self.ends = 0.0, {"current": 0.0, "own": 0.0}

    def queue(self, stream, seconds):
        self.ends[stream] = max(self.now, self.ends[stream]) + seconds

    def synchronize(self, device):
        self.now = max(self.now, *self.ends.values())

    def event(self, enable_timing):
        event = SimpleNamespace()
        event.record = lambda stream: setattr(event, "reached", max(self.now, self.ends[stream]))
        event.elapsed_time = lambda later: 1e3 * (later.reached - event.reached)
        return event


def test_work_that_a_method_queues_on_a_stream_of_its_own_counts(monkeypatch):
    gpu = FakeGpu()
    monkeypatch.setattr(torch.cuda, "synchronize", gpu.synchronize)
    monkeypatch.setattr(torch.cuda, "Event", gpu.event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: "current")
    watch = clock.Stopwatch("cuda")
    gpu.queue("own", 7)  # what was queued before does not count
    with watch.total():
        with watch.stage("flow"):
            gpu.queue("current", 1)
        gpu.queue("own", 3)
    assert watch.seconds() == (3, {"flow": 1, clock.REST: 2})


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
