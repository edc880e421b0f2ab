"""Peak memory of one call: allocated on the device for CUDA, resident set of the process on the CPU."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

_MB = 1024 * 1024
_TASKS = Path("/proc/self/task")  # Linux: who started whom, and each process's high-water mark


@dataclass
class Peak:
    """A peak of memory, filled when the measured block ends."""

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
        peak.mb, peak.kind = _high_water_mb("self"), "process, resident"
    else:
        with _sampled(lambda: psutil.Process().memory_info().rss / _MB) as most:
            yield peak
        peak.mb, peak.kind = most[0], "process, resident, sampled every 5 ms"


@contextmanager
def peak_of_started() -> Iterator[Peak]:
    """Measure the peak of all processes together that the enclosed block starts, in MiB of host memory.

    0 with an empty kind if they were gone before the first look. Memory of a GPU is not counted.
    """
    peak = Peak()
    older = set(_descendants("self"))
    with _sampled(lambda: _started_mb(older)) as most:
        yield peak
    if most[0]:
        peak.mb, peak.kind = most[0], "started processes, resident, sampled every 5 ms"


def _reset_high_water() -> bool:
    """Linux: writing 5 to clear_refs resets the process's high-water mark; False where that cannot be done."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _high_water_mb(pid: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/{pid}/status has no VmHWM line")


def _started_mb(older: set[str]) -> float:
    """Memory of the living descendants of this process, except the older ones, in MiB.

    On Linux it is the high-water mark of each, which sampling cannot miss.
    """
    found = 0.0
    for pid in _descendants("self"):
        if pid in older:
            continue
        try:
            if not _TASKS.is_dir():
                found += psutil.Process(int(pid)).memory_info().rss / _MB
            elif _command_line(pid) != _command_line("self"):  # else it is forked but not begun: it shows our memory
                found += _high_water_mb(pid)
        except (OSError, RuntimeError, psutil.Error):  # it has just ended
            continue
    return found


def _command_line(pid: str) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _descendants(pid: str) -> Iterator[str]:
    if not _TASKS.is_dir():
        yield from (str(child.pid) for child in psutil.Process().children(recursive=True))
        return
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # the process has just ended
        return
    for task in tasks:
        try:
            children = (task / "children").read_text().split()
        except OSError:  # the thread has just ended
            continue
        for child in children:
            yield child
            yield from _descendants(child)


@contextmanager
def _sampled(look: Callable[[], float]) -> Iterator[list[float]]:
    """Track the largest value of `look`, called every 5 ms during the block, and once before and after."""
    done = threading.Event()
    most = [look()]

    def sample() -> None:
        while not done.wait(0.005):
            most[0] = max(most[0], look())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        done.set()
        thread.join()
        most[0] = max(most[0], look())


def in_use_mb(device: str) -> float:
    """Memory in use now, in MiB, of the kind that `peak_memory` measures."""
    if device.startswith("cuda"):
        return torch.cuda.memory_allocated(device) / _MB
    return psutil.Process().memory_info().rss / _MB


def free_locals(error: BaseException) -> None:
    """Drop the local variables of the calls that an error came through, which hold a method's tensors.

    An error that is kept keeps them, too; the lines of its traceback stay.
    """
    for each in _chain(error):
        traceback.clear_frames(each.__traceback__)


def forget_traceback(error: BaseException) -> None:
    """Drop the traceback of an error that has been logged.

    An error that is kept keeps its callers, too, with their local variables, although they have returned.
    """
    for each in _chain(error):
        each.__traceback__ = None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it came from."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]
