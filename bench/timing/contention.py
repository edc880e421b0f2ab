"""Detection of other users of the processor during a measurement (Linux): pressure stall, steal time, CPU time.

The kernel counts for how long some task was ready and had to wait for a processor (/proc/pressure/cpu), how much time
the hypervisor gave to other guests (steal), and how long the processors worked (/proc/stat).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.timing.results import Contention

_SHORTEST_S = 0.1  # below that the kernel's CPU times, in hundredths of a second, tell nothing
_PRESSURE, _STAT = Path("/proc/pressure/cpu"), Path("/proc/stat")


@dataclass(frozen=True)
class _Look:
    clock: float
    waiting: float | None  # seconds since the system started
    used: float | None  # seconds of all processors
    stolen: float | None
    ours: float  # seconds of this process and of those that it started and that have ended

    @classmethod
    def now(cls) -> _Look:
        used, stolen = _processors()
        times = os.times()
        ours = times.user + times.system + times.children_user + times.children_system
        return cls(time.perf_counter(), _waiting(), used, stolen, ours)


@contextmanager
def contended() -> Iterator[Contention]:
    """Watch the processors during the block; the yielded object is filled when it ends."""
    found, before = Contention(), _Look.now()
    try:
        yield found
    finally:
        after = _Look.now()
        elapsed = max(after.clock - before.clock, 1e-9)
        available = elapsed * (os.cpu_count() or 1)
        if before.waiting is not None and after.waiting is not None:
            found.waiting = round(min(1.0, (after.waiting - before.waiting) / elapsed), 4)
        if elapsed >= _SHORTEST_S and before.used is not None and after.used is not None:
            others = after.used - before.used - (after.ours - before.ours)
            found.foreign = round(min(1.0, max(0.0, others / available)), 4)
        if elapsed >= _SHORTEST_S and before.stolen is not None and after.stolen is not None:
            found.stolen = round(min(1.0, (after.stolen - before.stolen) / available), 4)


def _waiting() -> float | None:
    """Seconds for which some task has waited for a processor; None if the kernel does not count them."""
    try:
        words = _PRESSURE.read_text().split("\n", 1)[0].split()
        return int(words[-1].removeprefix("total=")) / 1e6 if words[0] == "some" else None
    except (OSError, ValueError, IndexError):
        return None


def _processors() -> tuple[float | None, float | None]:
    """(seconds for which processors worked, seconds stolen); None if the system does not tell."""
    try:
        name, user, nice, system, _idle, _wait, irq, softirq, steal, *_ = _STAT.read_text().split("\n", 1)[0].split()
        tick = os.sysconf("SC_CLK_TCK")
        if name != "cpu":
            return None, None
        return sum(map(int, (user, nice, system, irq, softirq))) / tick, int(steal) / tick
    except (OSError, ValueError):
        return None, None
