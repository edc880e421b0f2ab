"""`python -m bench run method=... data=...`: measure, score, tabulate, plot."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

from bench.commands.options import config_dirs
from frames import errors

if TYPE_CHECKING:
    from bench.run.cell import Totals
    from bench.run.runner import Run

USAGE = """usage: python -m bench run [KEY=VALUE ...] [--config-dir DIR]

  method=NAME[,NAME]   upscalers to run                   (python -m bench list shows all)
  data=NAME[,NAME]     data sets                          (python -m bench data shows what is present)
  out=DIR              the run's folder; the same command with the same folder resumes
  metrics=[psnr,ssim,lpips-alex,lpips-vgg,dists]          what is scored
  protocol=NAME        how PSNR and SSIM are taken; each data set brings its own
  degradation=bi|bd    how LR frames are made where none are given
  scale=4  device=auto|cpu|cuda  threads=N
  timing.repeats=3 timing.warmup=1 timing.budget_s=30 timing.scopes=[tensors,files]
  save=frames|video    keep the SR frames
  method.KEY=VALUE, data.KEY=VALUE   options of the methods and data sets that have them; lists are swept:
                       method=turbovsr method.steps=1,2,4

The folder holds config.yaml, environment.json, records.jsonl, summary.csv, table.md/.csv/.tex, plot.png/.svg.
Exit codes: 0 all measured, 2 nothing was measured, 3 error or failed clips, 4 environment invalid, 130 interrupted.
"""


def main(argv: list[str]) -> int:
    if "-h" in argv or "--help" in argv:
        print(USAGE, end="")
        return errors.OK
    from bench.config import expand  # torch, hydra: `run --help` answers at once
    from bench.run.runner import Run

    overrides, folders = config_dirs(argv)
    command = "python -m bench run " + shlex.join(argv)
    run = Run(expand(overrides, folders), command)
    try:
        with _signals_as_interrupts():
            totals = run()
    except KeyboardInterrupt:
        _report(run)
        resume = f"the same command with out={shlex.quote(str(run.folder.path))} resumes"
        if run.store.root is None:
            resume = "with store=null the same command begins anew"
        _say(f"interrupted; finished clips are kept in {run.folder.path}: {resume}")
        return errors.INTERRUPTED
    _report(run)
    return _exit_code(totals, run)


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """SIGTERM and SIGHUP end a run as Ctrl-C does: with a summary of what is finished, and no files left over."""
    before = {}

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and threading.current_thread() is threading.main_thread():
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup: it is meant to go on
                before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(run: Run) -> None:
    """Tables and plot of all that the folder holds, also of runs beside this one."""
    from bench.commands import plot, table
    from bench.report.merge import by_settings
    from bench.report.summary import write_csv
    from bench.store import records

    with run.folder.alone():
        if not run.folder.records.file.is_file():
            return
        loaded = records.load(run.folder.path)
        if loaded.warning:
            _say(f"bench: {loaded.warning}")
        found = by_settings(loaded.records)
        if not found:
            return
        write_csv(found, run.folder.path / "summary.csv")
        table.write(found, run.folder.path)
        plot.write(found, run.folder.path)
    with suppress(OSError):  # the terminal is gone: what was measured is on disk
        table.show(found)


def _exit_code(totals: Totals, run: Run) -> int:
    computed = f"{totals.upscaled} upscaled, {totals.scored} scores computed"
    if totals.good and not totals.upscaled + totals.scored:
        computed = "nothing to compute, all kept from before"
    _say(f"{totals.good} clips good, {totals.failed} failed; {computed}; results in {run.folder.path}")
    if totals.failed:
        _say(f"the reasons are above and in {run.folder.path / 'errors.log'}")
        return errors.ERROR
    return errors.OK if totals.good else errors.NOTHING_MEASURED


def _say(line: str) -> None:
    with suppress(OSError):
        print(line, file=sys.stderr)
