"""The command of a case in a forked process, with bounds on time, memory and the size of files."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from studies import forked
from studies.attack.case import Case, Outcome

LIMIT_S = 60.0
LIMIT_MB = 4096.0
FILE_BYTES = 8 * 2**30  # above the sparse files that cases are made of
SLEEP_S = 0.02


def bound_files() -> None:
    """Limit files of this process and its children to FILE_BYTES from now on, and forbid core dumps."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(case: Case, folder: Path, environment: dict[str, str], output_file: Path, limit_s: float = LIMIT_S) -> Outcome:
    """Run the command of a case, with `folder` as working directory and its output in the file `said`."""
    began = time.monotonic()
    child = forked.start(case.words, folder, environment, output_file)
    hung = too_large = False
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            break
        hung = time.monotonic() - began > limit_s
        too_large = _resident_mb(child) > LIMIT_MB
        if hung or too_large:
            forked.kill(child)
            _, status, usage = os.wait4(child, 0)
            break
        time.sleep(SLEEP_S)
    forked.kill(child)  # also ends processes that it has left behind
    text = output_file.read_text(encoding="utf-8", errors="replace") if output_file.is_file() else ""
    code, peak = os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024
    return Outcome(code, time.monotonic() - began, peak, text[-20_000:], hung=hung, too_large=too_large)


def _resident_mb(process: int) -> float:
    """Resident memory of a process now, in MiB; 0 when it is gone."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGESIZE") / 2**20
