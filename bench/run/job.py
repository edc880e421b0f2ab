"""The work folder of a run, for its workers: the plan, the leases, and the finished units.

    RUN/work/<job>/plan.json         the units and the words of the command, written once, sealed
    RUN/work/<job>/leases/           see `bench.run.leases`
    RUN/work/<job>/done/<worker>.jsonl   one line a finished unit, appended by that worker alone
    RUN/work/<job>/frames/           SR frames that wait for their scores, see `bench.run.unscored`
    RUN/work/<job>/stop              if it exists, workers return their units and end
    RUN/records/<worker>.jsonl       the worker's records (those of a run of one worker are in RUN/records.jsonl)
    RUN/workers/<worker>.json        the worker: machine, device, canary

No file has two writers, so no locks are needed. Files appear by an atomic rename, or grow by whole lines.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.run import leases
from bench.run.seal import is_sealed, sealed
from bench.run.units import Split, Unit
from bench.store import typed
from frames.appending import append_whole, without_links
from frames.atomic import replacing
from frames.door import open_regular, read_small
from frames.errors import UserError

WORK = "work"
_NAME = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-[0-9a-f]{6}")
_LARGEST = 64 << 20  # bytes of a plan; 100,000 units take 20 MB
HEARTBEAT_S, EXPIRY_S = 10.0, 120.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The units of a run, and the words of its command; written once."""

    version: int = 1
    words: list[str]  # the command line's KEY=VALUE
    config_dirs: list[str]
    cwd: str  # where paths in the words start
    code: str  # digest of the harness that planned it; workers must have the same
    units: list[Unit]
    split: Split = Split()
    shared: bool  # workers of other processes may take part
    timed: bool
    solo: bool = False
    expiry_s: float = EXPIRY_S


@dataclass(frozen=True, kw_only=True)
class FinishedUnit:
    """One finished unit: a line of a worker's log."""

    unit: int
    worker: str
    seconds: float
    good: int = 0
    failed: int = 0
    upscaled: int = 0
    scored: int = 0
    lines: list[str] = field(default_factory=list)  # for the user, one a cell
    notes: list[str] = field(default_factory=list)
    halves: list[dict[str, Any]] = field(default_factory=list)  # records of cells that wait for their scores
    gt: str | None = None  # the digest of GT of such cells, see `bench.store.keys.frames_digest`
    given_up: dict[str, str] = field(default_factory=dict)  # methods that a part of the scoring gave up, and why
    ended: str = ""  # when


class Job:
    """The work folder of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder.parent.parent
        self.leases = folder / "leases"
        self.frames = folder / "frames"
        self._stop = folder / "stop"
        self._logs = folder / "done"
        self._seen: dict[str, int] = {}  # bytes read of each log
        self._done: dict[int, FinishedUnit] = {}

    @classmethod
    def new(cls, run: Path) -> Job:
        """Create a job without a plan; others do not see it before it has one."""
        began = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        job = cls(run / WORK / f"{began}-{uuid4().hex[:6]}")
        job._logs.mkdir(parents=True)
        job.leases.mkdir()
        return job

    def write(self, plan: Plan) -> None:
        """Write the plan, atomically."""
        content = typed.to_json(plan)
        with replacing(self.folder / "plan.json") as part:
            part.write_text(json.dumps(sealed(content) if plan.shared else content) + "\n", encoding="utf-8")

    def plan(self, trusted: bool = False) -> Plan:
        """Read the plan.

        Args:
            trusted: check the seal, because the words will be run.
        Raises:
            UserError: the plan is damaged, or not sealed with the user's key.
        """
        file = self.folder / "plan.json"
        try:
            content = json.loads(read_small(file, _LARGEST, "plan"))
            if trusted and not is_sealed(content):
                raise UserError(
                    f"{file}: this plan was not made by you on this installation, so nothing of it is run; start the "
                    "run by its command, python -m bench run ... out=DIR (workers elsewhere need its key: $BENCH_KEY)"
                )
            return typed.from_json(Plan, {key: value for key, value in content.items() if key != "seal"}, "plan")
        except (ValueError, AttributeError, RecursionError) as error:
            raise UserError(f"{file}: not the plan of a run ({error}); start the run again") from error

    def done(self) -> dict[int, FinishedUnit]:
        """The finished units so far, by number; each call reads what was appended since the last."""
        with suppress(FileNotFoundError, NotADirectoryError):
            for name in os.listdir(self._logs):
                text = _appended(f"{self._logs}/{name}", self._seen.get(name, 0))
                whole = text[: text.rfind(b"\n") + 1]
                self._seen[name] = self._seen.get(name, 0) + len(whole)
                for line in whole.splitlines():
                    with suppress(ValueError, RecursionError):  # torn by a crash, and another line behind it
                        found = typed.from_json(FinishedUnit, json.loads(line), "done")
                        self._done.setdefault(found.unit, found)
        return self._done

    def append(self, done: FinishedUnit) -> None:
        """Append a finished unit to its worker's own log.

        Closing hands the line to the file server, so a kill loses nothing. Unlike records it is not forced to the disk:
        after a power cut a unit may be done again, with the results that the store has of it.

        Raises:
            OSError: the line could not be written as a whole; the log is as before.
        """
        line = json.dumps(typed.to_json(done)) + "\n"
        with open(self._logs / f"{done.worker}.jsonl", "ab", buffering=0) as stream:
            append_whole(stream, line.encode())

    def stop(self) -> None:
        """Ask all workers to give back their units and to end.

        Raises:
            UserError: the file that says so is a link.
        """
        with open(self._stop, "ab", opener=without_links):
            pass

    def resume(self) -> None:
        """Undo `stop`, so that workers may begin again."""
        self._stop.unlink(missing_ok=True)

    @property
    def is_stopped(self) -> bool:
        return self._stop.exists()

    @property
    def is_there(self) -> bool:
        """Whether the run is still open, that is, its launcher has not removed it."""
        return (self.folder / "plan.json").exists()

    def is_alive(self, expiry_s: float = EXPIRY_S) -> bool:
        """Whether any worker is at work."""
        return bool(leases.living(self.leases, expiry_s))

    def remove(self) -> None:
        """Close the run and delete its work folder, which holds no results. Workers that are still there end."""
        with suppress(OSError):
            gone = self.folder.with_name(f".{self.folder.name}")
            os.rename(self.folder, gone)
            shutil.rmtree(gone, ignore_errors=True)
            self.folder.parent.rmdir()  # where no other run is at work


def _appended(file: str, offset: int) -> bytes:
    """Read a file from an offset on. It is opened each time, since only that shows what other machines wrote."""
    try:
        stream = open_regular(Path(file), "log")
    except ValueError:  # a pipe, a folder: nothing that a worker wrote
        return b""
    with stream:
        stream.seek(offset)
        return stream.read(_LARGEST)


def jobs(run: Path) -> list[Job]:
    """The jobs of a run's folder, oldest first."""
    work = run / WORK
    with suppress(OSError):
        if work.is_symlink():  # to a place that is no run's
            return []
        folders = sorted(path for path in work.iterdir() if _NAME.fullmatch(path.name) and not path.is_symlink())
        return [Job(folder) for folder in folders if (folder / "plan.json").is_file()]
    return []


def clean(run: Path, words: list[str] | None = None) -> None:
    """Remove the jobs of earlier runs in this folder that no worker is at.

    A shared job stays while it has units left, unless its words are the same, since these are now planned anew.
    """
    for job in jobs(run):
        if job.is_alive():
            continue
        try:
            plan = job.plan()
            waits = plan.shared and plan.words != words and len(job.done()) < len(plan.units)
        except (UserError, OSError):
            waits = False
        if not waits:
            job.remove()
