"""The state of the GPU during a repetition, through NVML: clocks, power, temperature, throttling; None if absent."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psutil
import torch

from bench.timing.results import Telemetry

INTERVAL_S = 0.02
# Reasons that taint a measurement: the card ran slower than it can. Idle and "applications clocks" do not.
TAINTS = {
    "SwPowerCap": 0x4,
    "HwSlowdown": 0x8,
    "SwThermalSlowdown": 0x20,
    "HwThermalSlowdown": 0x40,
    "HwPowerBrakeSlowdown": 0x80,
}


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
                    _asked(nvml, "ClockInfo", handle, nvml.NVML_CLOCK_SM),
                    _asked(nvml, "PowerUsage", handle),
                    _asked(nvml, "Temperature", handle, nvml.NVML_TEMPERATURE_GPU),
                    _asked(nvml, "CurrentClocksThrottleReasons", handle),
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
            clocks, power, heat, reasons = ([each for each in told if each is not None] for told in zip(*seen))
            telemetry.samples = max(map(len, (clocks, power, heat, reasons)))
            telemetry.sm_clock_mhz = (min(clocks), max(clocks)) if clocks else None
            telemetry.power_w = sum(power) / len(power) / 1e3 if power else None
            telemetry.temperature_c = max(heat, default=None)
            if reasons:
                telemetry.throttled = [name for name, bit in TAINTS.items() if any(each & bit for each in reasons)]
        if before is not None and after is not None:
            telemetry.energy_j = after - before


def _asked(nvml: Any, what: str, *arguments: Any) -> Any:
    """The card's answer to nvmlDeviceGet<what>; None where it has none, as a part of a shared card."""
    try:
        return getattr(nvml, f"nvmlDeviceGet{what}")(*arguments)
    except nvml.NVMLError:
        return None


def _energy(nvml: Any, handle: Any) -> float | None:
    """Joules since the driver was loaded; None on cards without the counter."""
    told = _asked(nvml, "TotalEnergyConsumption", handle)
    return None if told is None else told / 1e3


def _foreign(nvml: Any, handle: Any) -> int | None:
    """The number of other processes that compute on the GPU.

    In a container NVML may give the process ids of the host, of which one is then taken for this process.
    """
    told = _asked(nvml, "ComputeRunningProcesses", handle)
    if told is None:
        return None
    found = {process.pid for process in told}
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
