"""Peak memory of one call: allocated on the device for CUDA, resident set of the process on the CPU."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import psutil
import torch

_MB = 1024 * 1024


@dataclass
class Peak:
    """Filled when the measured block ends."""

    mb: float = 0.0
    kind: str = ""  # what was measured: part of the number


@contextmanager
def peak_memory(device: str) -> Iterator[Peak]:
    """Measure the peak of the enclosed block, in MiB."""
    peak = Peak()
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
        yield peak
        peak.mb, peak.kind = torch.cuda.max_memory_allocated(device) / _MB, "device, allocated by torch"
    elif _reset_high_water():
        yield peak
        peak.mb, peak.kind = _high_water_mb(), "process, resident"
    else:
        with _sampled() as most:
            yield peak
        peak.mb, peak.kind = most[0] / _MB, "process, resident, sampled every 5 ms"


def _reset_high_water() -> bool:
    """Linux: writing 5 to clear_refs resets the process's high-water mark; False where that cannot be done."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _high_water_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status has no VmHWM line")


@contextmanager
def _sampled() -> Iterator[list[int]]:
    process, done = psutil.Process(), threading.Event()
    most = [process.memory_info().rss]

    def sample() -> None:
        while not done.wait(0.005):
            most[0] = max(most[0], process.memory_info().rss)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        done.set()
        thread.join()
        most[0] = max(most[0], process.memory_info().rss)


def in_use_mb(device: str) -> float:
    """What is held right now, in the same unit as `peak_memory`."""
    if device.startswith("cuda"):
        return torch.cuda.memory_allocated(device) / _MB
    return psutil.Process().memory_info().rss / _MB
