"""`python -m bench run method=... data=...`: measure, score, tabulate, plot."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bench.commands.options import config_dirs
from frames import errors

if TYPE_CHECKING:
    from bench.launch.options import LaunchOptions
    from bench.run.cell import Totals

DRY = "--dry-run"
USAGE = """usage: python -m bench run [KEY=VALUE ...] [--config-dir DIR]

  method=NAME[,NAME]   upscalers to run                   (python -m bench list shows all)
  data=NAME[,NAME]     data sets                          (python -m bench data shows what is present)
  out=DIR              the run's folder; the same command with the same folder resumes
  metrics=[NAME,...]   what is scored                     ([psnr,ssim,lpips-alex,dists]; [no-reference] without GT)
  protocol=NAME        how PSNR and SSIM are computed (default: that of each data set)
  degradation=NAME     how LR frames are made where none are given (bi, bd, realbasicvsr, ...; given: none are made)
  scale=4  device=auto|cpu|cuda  threads=N
  timing=once|none     once: one call each without warm-up; none: frames and scores without times
  timing.repeats=3 timing.warmup=1 timing.budget_s=30 timing.scopes=[tensors,files]
  score_every=N        score only every Nth frame (such figures have columns of their own)
  save=frames|video    keep the SR frames
  store=DIR            where frames, times and scores are kept for later runs; null: nowhere
  workers=N            share the work: N processes, each with a GPU or part of the cores; slurm:N: jobs; 0: only plan
  launch.KEY=VALUE     options of the launcher (conf/launch): launch.partition=gpu launch.time_min=60
  --dry-run            print the plan with its estimated cost, and do nothing
  method.KEY=VALUE, data.KEY=VALUE   options of those methods and data sets that have them; a list is a sweep:
                       method=turbovsr method.steps=1,2,4

The folder holds config.yaml, environment.json, records.jsonl, summary.csv, table.md/.csv/.tex, plot.png/.svg.
Exit codes: 0 all measured, 2 nothing was measured, 3 error or failed clips, 4 environment invalid, 130 interrupted.
"""


def main(argv: list[str]) -> int:
    if "-h" in argv or "--help" in argv:
        print(USAGE, end="")
        return errors.OK
    from bench.launch.options import split  # omegaconf: `run --help` answers at once

    overrides, folders = config_dirs([word for word in argv if word != DRY])
    command = "python -m bench run " + shlex.join(argv)
    overrides, launch = split(overrides, folders)
    if launch.is_plain or DRY in argv:
        return _plain(overrides, folders, command, launch, dry=DRY in argv)
    from bench.launch.waiting import Waiting, places_ahead

    with Waiting(places_ahead(launch, overrides)) as waiting:  # they import torch and hydra while this process does
        from bench.commands.share import share
        from bench.config import expand

        return share(expand(overrides, folders), command, overrides, folders, launch, waiting)


def _plain(overrides: list[str], folders: tuple[str, ...], command: str, launch: LaunchOptions, dry: bool) -> int:
    """Run in this process, or with `dry` print the plan; returns the exit code."""
    from bench.config import expand
    from bench.run.runner import Run

    if dry:
        from bench.commands.dry_run import dry_run

        return dry_run(expand(overrides, folders), launch)
    run = Run(expand(overrides, folders), command)
    try:
        with signals_as_interrupts():
            totals = run()
    except KeyboardInterrupt:
        report(run.folder.path)
        resume = f"the same command with out={shlex.quote(str(run.folder.path))} resumes"
        if run.store.root is None:
            resume = "with store=null the same command begins anew"
        say(f"interrupted; finished clips are kept in {run.folder.path}: {resume}")
        return errors.INTERRUPTED
    except errors.EnvironmentInvalid:  # the GPU failed
        report(run.folder.path)
        raise
    report(run.folder.path)
    return exit_code(totals, run.folder.path)


@contextmanager
def signals_as_interrupts(
    sigterm: type[KeyboardInterrupt] = KeyboardInterrupt, sighup: type[KeyboardInterrupt] = KeyboardInterrupt
) -> Iterator[None]:
    """Raise these exceptions on SIGTERM and SIGHUP during the block; by default a run then ends as by Ctrl-C."""
    before = {}

    def raising(kind: type[KeyboardInterrupt]) -> Callable[..., NoReturn]:
        def handler(*_: object) -> NoReturn:
            raise kind

        return handler

    for name, kind in (("SIGTERM", sigterm), ("SIGHUP", sighup)):
        number = getattr(signal, name, None)
        if number is not None and threading.current_thread() is threading.main_thread():
            if signal.getsignal(number) is not signal.SIG_IGN:  # it is under nohup
                before[number] = signal.signal(number, raising(kind))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def report(folder: Path, quiet: bool = False) -> None:
    """Write summary.csv, tables and plot of all records in a run's folder, and print the tables unless `quiet`."""
    from bench.commands import plot, table
    from bench.report.merge import by_settings
    from bench.report.summary import write_csv
    from bench.report.tables import tables
    from bench.store import records
    from frames.locks import locked

    with locked(folder):
        if not records.is_run(folder):
            return
        loaded = records.load(folder)
        if loaded.warning:
            say(f"bench: {loaded.warning}")
        found = by_settings(loaded.records)
        if not found:
            return
        write_csv(found, folder / "summary.csv")
        made = tables(found)
        table.write(made, folder)
        plot.write(found, folder)
    if not quiet:
        with suppress(OSError):  # the terminal is gone, but all results are on disk
            table.show(made)


def exit_code(totals: Totals, folder: Path) -> int:
    """Print the outcome of a run on stderr, and return its exit code."""
    computed = f"{totals.upscaled} upscaled, {totals.scored} scores computed"
    if totals.good and not totals.upscaled + totals.scored:
        computed = "nothing to compute, all kept from before"
    say(f"{totals.good} clips good, {totals.failed} failed; {computed}; results in {folder}")
    if totals.failed:
        say(f"the reasons are above and in {folder / 'errors.log'}")
        return errors.ERROR
    return errors.OK if totals.good else errors.NOTHING_MEASURED


def say(line: str) -> None:
    """Print a line on stderr; a closed stderr is no error."""
    with suppress(OSError):
        print(line, file=sys.stderr)
