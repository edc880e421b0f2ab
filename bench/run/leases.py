"""Leases on units: files in a folder that all workers share say who works on what; no server, no locks.

    leases/.worker-<name>     a worker: who it is; its time of change is the worker's heartbeat
    leases/<unit>.<attempt>   the same file under the name of the worker's unit (a hard link)

A unit is claimed by `link`, which fails if the name exists, so one worker wins. The folder holds units in progress,
never finished ones. A worker whose heartbeat is old, or whose process is gone, is dead. Its unit is claimed under the
next attempt's number and its file stays, so nobody can remove the lease of another worker. All times are those of the
file server: clocks of machines are not compared.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.store import typed
from bench.store.owner import State, owner_of
from frames.appending import append_whole
from frames.door import read_small

LAUNCHER = "launcher-"
"""Beginning of the names of launchers, which wait for a run's end and take no units."""
_WORKER = ".worker-"
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK, errno.ENOTSUP}
_LARGEST = 4096  # bytes
MOST_DEATHS = 2
"""Number of workers that may die at a unit before it counts as failed."""


@dataclass(frozen=True, kw_only=True)
class WorkerIdentity:
    """A worker, as its leases describe it."""

    name: str  # unlike those of all others
    host: str
    pid: int
    began: int  # of the process, see `bench.store.owner`
    system: str = ""  # that numbers the process, see `bench.store.owner`
    device: str = ""  # "cpu, cores 0-3", "GPU-<uuid>"
    scores: bool = False  # only, and upscales nothing

    @property
    def is_launcher(self) -> bool:
        return self.name.startswith(LAUNCHER)


@dataclass(frozen=True)
class Lease:
    """The right to work on a unit."""

    unit: str
    attempt: int = 1

    @property
    def file(self) -> str:
        return f"{self.unit}.{self.attempt}"


class Leases:
    """The leases of one run, as one worker sees them.

    Args:
        expiry_s: a worker without a heartbeat for so long is dead.
    """

    def __init__(self, folder: Path, worker: WorkerIdentity, expiry_s: float) -> None:
        self.folder, self.worker, self.expiry_s = folder, worker, expiry_s
        self._own = folder / f"{_WORKER}{worker.name}"
        self._held: set[str] = set()

    def open(self) -> None:
        """Register this worker."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_new(self._own, json.dumps(typed.to_json(self.worker)))

    def close(self) -> None:
        """Give back all units, and remove this worker's files."""
        for name in sorted(self._held):
            with suppress(OSError):
                os.unlink(self.folder / name)
        self._held.clear()
        with suppress(OSError):
            os.unlink(self._own)

    def beat(self) -> None:
        """Renew this worker's heartbeat."""
        for file in (self._own, *(self.folder / name for name in tuple(self._held))):
            with suppress(OSError):
                os.utime(file)

    def taken(self) -> dict[str, int]:
        """Units that are claimed, with the number of the last attempt."""
        return taken(self.folder)

    def claim(self, unit: str, attempt: int = 1) -> Lease | None:
        """Claim a unit; None if another worker was quicker."""
        lease = Lease(unit, attempt)
        if not self._create(self.folder / lease.file):
            return None
        self._held.add(lease.file)
        return lease

    def reclaim(self, unit: str, attempt: int) -> Lease | None:
        """Claim a unit whose worker died; None while it lives, or if another worker was quicker."""
        if self.is_dead(unit, attempt):
            return self.claim(unit, attempt + 1)
        return None

    def holds(self, lease: Lease) -> bool:
        """Whether no other worker has claimed the unit meanwhile because this one seemed dead."""
        return self.taken().get(lease.unit) == lease.attempt

    def release(self, lease: Lease) -> None:
        """Give a unit back, done or for others to do; leases of dead workers on it are removed, too."""
        for attempt in range(1, lease.attempt + 1):
            with suppress(FileNotFoundError):
                os.unlink(self.folder / f"{lease.unit}.{attempt}")
        self._held.discard(lease.file)

    def is_dead(self, unit: str, attempt: int) -> bool:
        """Whether the worker of a unit is gone from this machine, or has had no heartbeat for too long."""
        file = self.folder / f"{unit}.{attempt}"
        with suppress(OSError):
            age = self._now() - file.stat().st_mtime
            found = read_worker(file)
            return age > self.expiry_s or (found is not None and _state(found) == "gone")
        return False  # released meanwhile

    def dead_at(self, lease: Lease) -> list[WorkerIdentity]:
        """The workers that died at this unit earlier."""
        found = [read_worker(self.folder / f"{lease.unit}.{attempt}") for attempt in range(1, lease.attempt)]
        return [worker for worker in found if worker is not None]

    def _now(self) -> float:
        """The file server's time."""
        with suppress(OSError):
            os.utime(self._own)
            return self._own.stat().st_mtime
        return time.time()

    def _create(self, target: Path) -> bool:
        try:
            os.link(self._own, target)
            return True
        except FileExistsError:  # or the answer to the first of two requests was lost on the network
            with suppress(FileNotFoundError):  # released meanwhile
                return os.path.samefile(self._own, target)
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        try:
            _write_new(target, json.dumps(typed.to_json(self.worker)))
        except FileExistsError:
            return False
        return True


def taken(folder: Path) -> dict[str, int]:
    """Units that are claimed in a folder of leases, with the number of the last attempt."""
    found: dict[str, int] = {}
    for name in _names(folder):
        unit, _, attempt = name.rpartition(".")
        if unit and attempt.isdecimal():
            found[unit] = max(found.get(unit, 0), int(attempt))
    return found


def workers(folder: Path) -> dict[str, Path]:
    """The files of the registered workers, by the worker's name."""
    return {name.removeprefix(_WORKER): folder / name for name in _names(folder) if name.startswith(_WORKER)}


def read_worker(file: Path) -> WorkerIdentity | None:
    """Read the worker in a lease's file; None if the file is gone or is no lease."""
    try:
        return typed.from_json(WorkerIdentity, json.loads(read_small(file, _LARGEST)))
    except (OSError, ValueError, RecursionError):
        return None


def living(folder: Path, expiry_s: float) -> list[WorkerIdentity]:
    """The workers and launchers of a folder of leases that are at work, by their process here or their heartbeat."""
    now = time_of(folder)
    return [worker for worker, file in known(workers(folder).values()) if alive(worker, file, expiry_s, now)]


def known(files: Iterable[Path]) -> list[tuple[WorkerIdentity, Path]]:
    """Read the workers in these files; unreadable files are skipped."""
    return [(worker, file) for file in files if (worker := read_worker(file)) is not None]


def time_of(folder: Path) -> float:
    """The time of the server that holds a folder of leases, or of this machine if the folder cannot be written."""
    with suppress(OSError), tempfile.TemporaryFile(dir=folder, prefix=".now-") as probe:
        return os.fstat(probe.fileno()).st_mtime
    return time.time()


def alive(worker: WorkerIdentity, file: Path, expiry_s: float, now: float) -> bool:
    """Whether a worker is at work, as far as can be told from here.

    Args:
        now: of the file server, see `time_of`.
    """
    state = _state(worker)
    if state != "unknown":
        return state == "alive"
    with suppress(OSError):
        return now - file.stat().st_mtime < expiry_s
    return False


def _state(worker: WorkerIdentity) -> State:
    return owner_of(worker.host, worker.pid, worker.began, worker.system)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _write_new(file: Path, text: str) -> None:
    """Write a new file; FileExistsError if it exists. After a failed write it is removed again."""
    with open(file, "xb", buffering=0) as stream:
        try:
            append_whole(stream, text.encode())
        except OSError:
            file.unlink(missing_ok=True)
            raise
