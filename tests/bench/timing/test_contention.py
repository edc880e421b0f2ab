"""Others on the processor: what the kernel tells is read, a busy repetition is redone within the budget and marked."""

from contextlib import contextmanager

import pytest
import torch

from bench.timing import contention, measure
from bench.timing.contention import Contention, contended


@pytest.fixture
def kernel(monkeypatch):
    """`kernel(waiting=..., used=..., ...)` sets what the kernel counts from then on, in seconds."""
    told = {"waiting": 0.0, "used": 0.0, "stolen": 0.0, "clock": 0.0, "ours": 0.0}
    monkeypatch.setattr(contention, "_waiting", lambda: told["waiting"])
    monkeypatch.setattr(contention, "_processors", lambda: (told["used"], told["stolen"]))
    monkeypatch.setattr(contention.time, "perf_counter", lambda: told["clock"])
    monkeypatch.setattr(contention.os, "cpu_count", lambda: 2)
    times = contention.os.times()
    monkeypatch.setattr(contention.os, "times", lambda: type(times)((told["ours"], 0.0, 0.0, 0.0, told["clock"])))
    return told.update


@pytest.mark.parametrize(
    "told, expected, busy",
    [
        ({"clock": 1.0, "ours": 2.0, "used": 2.0}, Contention(0.0, 0.0, 0.0), False),
        ({"clock": 1.0, "ours": 1.0, "used": 2.0, "waiting": 0.4}, Contention(0.4, 0.0, 0.5), True),
        ({"clock": 1.0, "ours": 2.0, "used": 2.02, "waiting": 0.4}, Contention(0.4, 0.0, 0.01), False),
        ({"clock": 1.0, "ours": 1.0, "used": 1.0, "stolen": 0.3}, Contention(0.0, 0.15, 0.0), True),
        ({"clock": 1.0, "ours": 1.0, "used": 2.0, "waiting": 0.05}, Contention(0.05, 0.0, 0.5), False),
        ({"clock": 0.01, "waiting": 0.005}, Contention(0.5, None, None), True),
    ],
)
def test_shares_of_the_time(kernel, told, expected, busy):
    with contended() as found:
        kernel(**told)
    assert found == expected and found.busy is busy


def test_where_the_system_tells_nothing_nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.undo()
    for content in (None, "", "full avg10=0\n", "some total=x\n", "\n"):
        monkeypatch.setattr(contention, "_PRESSURE", tmp_path / "pressure")
        monkeypatch.setattr(contention, "_STAT", tmp_path / "pressure")
        if content is not None:
            (tmp_path / "pressure").write_text(content)
        with contended() as found:
            pass
        assert found == Contention() and not found.busy


def test_the_kernel_s_files_are_read(monkeypatch, tmp_path):
    monkeypatch.undo()
    (tmp_path / "pressure").write_text("some avg10=1.00 avg60=2.00 avg300=3.00 total=2500000\nfull avg10=0 total=1\n")
    (tmp_path / "stat").write_text("cpu  100 200 300 400 500 600 700 800 0 0\ncpu0 1 2 3\n")
    monkeypatch.setattr(contention, "_PRESSURE", tmp_path / "pressure")
    monkeypatch.setattr(contention, "_STAT", tmp_path / "stat")
    monkeypatch.setattr(contention.os, "sysconf", lambda name: 100)
    assert contention._waiting() == 2.5
    assert contention._processors() == (19.0, 8.0)


def frame(*arguments) -> torch.Tensor:
    return torch.zeros(1, 3, 2, 2, dtype=torch.uint8)


def busy_in(turns):
    """A stand-in for `contended` that is busy in these of its turns."""
    count = iter(range(1000))

    @contextmanager
    def stand_in():
        yield Contention(waiting=0.9 if next(count) in turns else 0.0)

    return stand_in


def measured(monkeypatch, turns, **limits):
    monkeypatch.setattr(measure, "contended", busy_in(turns))
    session = measure.Session(frame, "tensors", "cpu", measure.Limits(**limits))
    measure.take_turns([session])
    return session.result


def test_a_busy_repetition_is_redone_and_counted(monkeypatch):
    result = measured(monkeypatch, {0, 2}, warmup=0, repeats=2)
    assert result.redone == 2 and [each.busy for each in result.repetitions] == [False, False]


def test_a_machine_that_is_always_busy_is_measured_as_it_is_and_says_so(monkeypatch):
    result = measured(monkeypatch, range(100), warmup=1, repeats=2)
    assert result.redone == 2 and [each.busy for each in result.repetitions] == [True, True]
    assert result.repetitions[0].contention == Contention(waiting=0.9)


def test_without_a_budget_nothing_is_redone(monkeypatch):
    result = measured(monkeypatch, range(100), warmup=0, repeats=1, budget_s=0)
    assert result.redone == 0 and [each.busy for each in result.repetitions] == [True]
