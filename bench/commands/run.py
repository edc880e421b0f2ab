"""`python -m bench run method=... data=...`: measure, score, tabulate, plot."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from bench.commands.options import config_dirs
from frames import errors

if TYPE_CHECKING:
    from bench.run.job import Outcome
    from bench.run.runner import Run

USAGE = """usage: python -m bench run [KEY=VALUE ...] [--config-dir DIR]

  method=NAME[,NAME]   upscalers to run                   (python -m bench list shows all)
  data=NAME[,NAME]     data sets                          (python -m bench data shows what is present)
  out=DIR              the run's folder; the same command with the same folder goes on where it stopped
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
    from bench.config import expand  # what follows takes seconds to import; `run --help` answers at once
    from bench.run.runner import Run

    overrides, folders = config_dirs(argv)
    command = "python -m bench run " + shlex.join(argv)
    run = Run(expand(overrides, folders), command)
    try:
        outcome = run()
    except KeyboardInterrupt:
        _report(run)
        go_on = f"run the same command with out={shlex.quote(str(run.folder.path))} to go on"
        if run.store.root is None:
            go_on = "with store=null the same command begins anew"
        print(f"interrupted; finished clips are kept in {run.folder.path}: {go_on}", file=sys.stderr)
        return errors.INTERRUPTED
    _report(run)
    return _exit_code(outcome, run)


def _report(run: Run) -> None:
    from bench.commands import plot, table
    from bench.report.merge import by_settings
    from bench.report.summary import write_csv

    found = by_settings(run.folder.records.all())
    if not found:
        return
    write_csv(found, run.folder.path / "summary.csv")
    table.write(found, run.folder.path)
    plot.write(found, run.folder.path)
    table.show(found)


def _exit_code(outcome: Outcome, run: Run) -> int:
    computed = f"{outcome.upscaled} upscaled, {outcome.scored} scores computed"
    if outcome.good and not outcome.upscaled + outcome.scored:
        computed = "nothing to compute, all kept from before"
    print(
        f"{outcome.good} clips good, {outcome.failed} failed; {computed}; results in {run.folder.path}", file=sys.stderr
    )
    if outcome.failed:
        print(f"the reasons are above and in {run.folder.path / 'errors.log'}", file=sys.stderr)
        return errors.ERROR
    return errors.OK if outcome.good else errors.NOTHING_MEASURED
