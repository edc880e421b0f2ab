"""GPU telemetry against a stand-in for NVML: what is sampled, what taints, what is redone."""

import os
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch

from bench.store.records import load
from bench.timing import measure, telemetry


class Nvml:
    """The calls of pynvml that are used, on a card that throttles by heat from its second sample on."""

    NVML_CLOCK_SM, NVML_TEMPERATURE_GPU = 1, 0
    NVMLError = RuntimeError

    def __init__(self, has_energy=True):
        self.calls, self.has_energy, self.joules = 0, has_energy, 1000

    def nvmlDeviceGetClockInfo(self, handle, kind):
        self.calls += 1
        return 1900 - self.calls

    def nvmlDeviceGetPowerUsage(self, handle):
        return 300_000

    def nvmlDeviceGetTemperature(self, handle, kind):
        return 60 + self.calls

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle):
        return 0x1 if self.calls < 2 else 0x40  # idle, then thermal slowdown by hardware

    def nvmlDeviceGetComputeRunningProcesses(self, handle):
        return [SimpleNamespace(pid=os.getpid()), SimpleNamespace(pid=1), SimpleNamespace(pid=1)]

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):
        if not self.has_energy:
            raise self.NVMLError("not supported")
        self.joules += 5000
        return self.joules


@pytest.mark.parametrize("has_energy", [True, False])
def test_samples_are_summed_up(monkeypatch, has_energy):
    nvml = Nvml(has_energy)
    monkeypatch.setattr(telemetry, "_handle", lambda device: (nvml, "handle"))
    monkeypatch.setattr(telemetry, "INTERVAL_S", 0.0)
    with telemetry.watched("cuda") as seen:
        while nvml.calls < 3:
            pass
    assert seen.samples >= 3 and seen.power_w == pytest.approx(300)
    assert seen.sm_clock_mhz[0] < seen.sm_clock_mhz[1] == 1899
    assert seen.throttled == ["HwThermalSlowdown"] and seen.tainted
    assert seen.foreign_processes == 1
    assert seen.energy_j == (5.0 if has_energy else None)


@pytest.mark.parametrize("silent", ["ClockInfo", "PowerUsage", "Temperature", "CurrentClocksThrottleReasons", ""])
def test_a_card_that_does_not_tell_everything_is_sampled_all_the_same(monkeypatch, silent):
    """Parts of a shared card (MIG, vGPU) have neither power nor temperature; an empty `silent` is everything."""
    nvml = Nvml()
    looked = threading.Event()

    def refuses(*_):
        looked.set()
        raise nvml.NVMLError("not supported")

    for name in dir(nvml):
        if name.startswith("nvmlDeviceGet") and name.endswith(silent):
            setattr(nvml, name, refuses)
    monkeypatch.setattr(telemetry, "_handle", lambda device: (nvml, "handle"))
    with telemetry.watched("cuda") as seen:
        assert looked.wait(300)
    found = {
        "ClockInfo": seen.sm_clock_mhz,
        "PowerUsage": seen.power_w,
        "Temperature": seen.temperature_c,
        "CurrentClocksThrottleReasons": seen.throttled,
    }
    assert {name for name, value in found.items() if value is None} == ({silent} if silent else found.keys())
    assert bool(seen.samples) == bool(silent) and not seen.tainted


def test_a_run_records_what_the_card_told(bench, clips, tmp_path, monkeypatch):
    """Every such run failed: lowest and highest clock are a pair, which the records' reader takes from a list only."""
    monkeypatch.setattr(telemetry, "_handle", lambda device: (Nvml(), "handle"))
    words = ("method=bicubic", "data=folder", f"data.gt={clips / 'pan'}", "metrics=[psnr]", "device=cpu")
    times = ("timing.warmup=0", "timing.repeats=1", "timing.budget_s=0", f"out={tmp_path / 'run'}")
    answer = bench("run", *words, *times)
    assert answer.code == 0, answer.err
    (record,) = load(tmp_path / "run").records
    (timing,) = record.timing.values()
    assert timing.repetitions[0].telemetry.sm_clock_mhz[1] == 1899


def test_on_a_cpu_there_is_none():
    with telemetry.watched("cpu") as seen:
        pass
    assert seen is None


def test_tainted_repetitions_are_redone_and_counted(monkeypatch):
    taints = iter([True, False, True, False])

    @contextmanager
    def watched(device):
        yield telemetry.Telemetry(throttled=["SwPowerCap"] if next(taints) else [])

    monkeypatch.setattr(measure, "watched", watched)
    frame = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    session = measure.Session(lambda stages, warm_up: frame, "tensors", "cpu", measure.Limits(0, 2))
    measure.take_turns([session])
    assert session.result.redone == 2 and len(session.result.repetitions) == 2
    assert not any(each.telemetry.tainted for each in session.result.repetitions)


def test_a_card_that_always_throttles_is_measured_as_it_is(monkeypatch):
    @contextmanager
    def watched(device):
        yield telemetry.Telemetry(throttled=["SwPowerCap"])

    monkeypatch.setattr(measure, "watched", watched)
    frame = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    session = measure.Session(lambda stages, warm_up: frame, "tensors", "cpu", measure.Limits(0, 2))
    measure.take_turns([session])
    assert session.result.redone == 2 and [each.telemetry.tainted for each in session.result.repetitions] == [
        True,
        True,
    ]


def test_the_card_is_found_by_uuid(monkeypatch):
    asked = []
    fake = SimpleNamespace(
        NVMLError=RuntimeError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: asked.append(uuid) or "handle",
    )
    monkeypatch.setitem(__import__("sys").modules, "pynvml", fake)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="1234"))
    telemetry._handle.cache_clear()
    assert telemetry._handle("cuda:0") == (fake, "handle") and asked == [b"GPU-1234"]
    telemetry._handle.cache_clear()


def test_a_process_beside_ours_on_the_card_makes_the_machine_busy(monkeypatch):
    @contextmanager
    def watched(device):
        yield telemetry.Telemetry(foreign_processes=1)

    monkeypatch.setattr(measure, "watched", watched)
    frame = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    session = measure.Session(lambda stages, warm_up: frame, "tensors", "cpu", measure.Limits(0, 2))
    measure.take_turns([session])
    assert session.result.redone == 2 and [each.busy for each in session.result.repetitions] == [True, True]


def test_in_a_container_one_of_the_processes_of_the_host_is_ours():
    class Host(Nvml):
        def nvmlDeviceGetComputeRunningProcesses(self, handle):
            return [SimpleNamespace(pid=-1), SimpleNamespace(pid=-2)]

    assert telemetry._foreign(Host(), "handle") == 1


def test_a_card_that_does_not_tell_its_processes():
    class Silent(Nvml):
        def nvmlDeviceGetComputeRunningProcesses(self, handle):
            raise self.NVMLError("not supported")

    assert telemetry._foreign(Silent(), "handle") is None
