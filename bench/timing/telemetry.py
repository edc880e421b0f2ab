"""The state of the GPU during a repetition, through NVML: clocks, power, temperature, throttling; None if absent."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import psutil
import torch

INTERVAL_S = 0.02
# Reasons that taint a measurement: the card ran slower than it can. Idle and "applications clocks" do not.
TAINTS = {
    "SwPowerCap": 0x4,
    "HwSlowdown": 0x8,
    "SwThermalSlowdown": 0x20,
    "HwThermalSlowdown": 0x40,
    "HwPowerBrakeSlowdown": 0x80,
}


@dataclass
class Telemetry:
    """Samples of one repetition, summed up; filled when the block ends."""

    samples: int = 0
    sm_clock_mhz: tuple[int, int] | None = None  # lowest, highest
    power_w: float | None = None  # mean
    temperature_c: int | None = None  # highest
    energy_j: float | None = None  # by the card's own counter
    throttled: list[str] = field(default_factory=list)
    foreign_processes: int | None = None  # other processes that computed on the GPU; None: it does not report them

    @property
    def tainted(self) -> bool:
        return bool(self.throttled)


@contextmanager
def watched(device: str) -> Iterator[Telemetry | None]:
    """Sample the GPU during the block; yields None on a CPU or without NVML (extra `gpu`)."""
    nvml, handle = _handle(device)
    if nvml is None:
        yield None
        return
    telemetry, done, seen = Telemetry(), threading.Event(), []

    def sample() -> None:
        while True:
            seen.append(
                (
                    nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM),
                    nvml.nvmlDeviceGetPowerUsage(handle) / 1e3,
                    nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU),
                    nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle),
                )
            )
            if done.wait(INTERVAL_S):
                return

    before, foreign = _energy(nvml, handle), _foreign(nvml, handle)
    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield telemetry
    finally:
        done.set()
        thread.join()
        after = _energy(nvml, handle)
        telemetry.foreign_processes = max((n for n in (foreign, _foreign(nvml, handle)) if n is not None), default=None)
        if seen:
            clocks, power, heat, reasons = zip(*seen)
            telemetry.samples = len(seen)
            telemetry.sm_clock_mhz = min(clocks), max(clocks)
            telemetry.power_w, telemetry.temperature_c = sum(power) / len(power), max(heat)
            telemetry.throttled = [name for name, bit in TAINTS.items() if any(reason & bit for reason in reasons)]
        if before is not None and after is not None:
            telemetry.energy_j = after - before


def _energy(nvml: Any, handle: Any) -> float | None:
    """Joules since the driver was loaded; None on cards without the counter."""
    try:
        return nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3
    except nvml.NVMLError:
        return None


def _foreign(nvml: Any, handle: Any) -> int | None:
    """The number of other processes that compute on the GPU.

    In a container NVML may give the process ids of the host, of which one is then taken for this process.
    """
    try:
        found = {process.pid for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle)}
    except nvml.NVMLError:
        return None
    ours = {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
    return len(found - ours) if found & ours else max(0, len(found) - 1)


@cache
def _handle(device: str) -> tuple[Any, Any]:
    """(the NVML module, the GPU that torch uses, found by UUID); (None, None) if there is none."""
    if not device.startswith("cuda"):
        return None, None
    try:
        import pynvml
    except ImportError:
        return None, None
    try:
        pynvml.nvmlInit()
        uuid = str(torch.cuda.get_device_properties(device).uuid)
        return pynvml, pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}".encode())
    except pynvml.NVMLError:
        return None, None
