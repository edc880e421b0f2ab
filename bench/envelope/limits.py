"""A memory limit for this process."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import torch

from frames.errors import EnvironmentInvalid

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows
    resource = None

_STATUS = Path("/proc/self/status")


class CannotLimit(EnvironmentInvalid):
    """A process's memory cannot be limited as asked here: no trial of any method can be made."""


def limit_memory(limit: int, device: str) -> None:
    """Limit the memory of this process, and of those that it starts, to `limit` bytes.

    On a GPU the limit is that of torch's allocator. On a CPU it is RLIMIT_DATA, which counts all writable mappings,
    touched or not; it is set so that the resident set stays below `limit`. A second call, after the method is loaded,
    does not count what loading mapped and never touched.

    Raises:
        CannotLimit: this system cannot limit a process, or allows less to every process already.
    """
    if device.startswith("cuda"):
        total = torch.cuda.get_device_properties(device).total_memory
        index = torch.device(device).index  # None, the current one, is refused inside a torch.device
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total), index)
        return
    check_can_limit(device)
    assert resource is not None
    held = _held("VmRSS")
    above = _held("VmData") - held  # what is mapped beside it
    soft = above + max(limit, held)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY and soft > hard:
        raise CannotLimit(_too_low(limit, hard, hard - above if hard - above > held else None))
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _too_low(limit: int, hard: int, most: int | None) -> str:
    """The message for a limit above the hard one; `most` bytes could be set, if not None."""
    smaller = f", or give memory={most // 10**6}MB or less" if most is not None else ""
    return (
        f"memory={limit / 1e9:.3g}GB: every process started here may map {hard / 1e9:.3g} GB at most "
        f"(ulimit -Hd), too little for a trial; raise that limit{smaller}"
    )


def check_can_limit(device: str) -> None:
    """Raise CannotLimit if the memory of a process cannot be limited here."""
    if not device.startswith("cuda") and (resource is None or not _STATUS.is_file()):
        raise CannotLimit(f"device={device}: an envelope needs Linux here, whose kernel limits a process's memory")


def free_memory(device: str) -> None:
    """Lift the limit, so that there is memory to report the outcome."""
    if not device.startswith("cuda") and resource is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def _held(name: str) -> int:
    """Bytes by the kernel's count: VmRSS is resident, VmData is mapped writable."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{_STATUS} has no {name} line")
