"""`python -m bench worker RUN`: work on a run that was planned with `workers=`, until it is finished."""

from __future__ import annotations

from pathlib import Path

from bench.commands.parser import Parser
from bench.commands.run import report, say, signals_as_interrupts
from bench.launch.waiting import await_run
from frames.errors import ERROR, INTERRUPTED, OK, UserError

ABOUT = """Started by `python -m bench run ... workers=N` or `workers=slurm:N`, or by anything else that starts
processes on machines that share the folder: ssh, Ray, Kubernetes. It takes one clip after another; those of a worker
that died are taken over by others. The plan must be your own: its seal is checked before anything of it is run."""


def main(argv: list[str]) -> int:
    parser = Parser("worker", ABOUT, "Exit codes: 0 all is done, 3 error or failed clips, 130 interrupted or stopped.")
    parser.add_argument(
        "run", type=Path, help="the run's folder; with -, wait until a launcher names it on the standard input"
    )
    parser.add_argument(
        "--scores",
        action="store_true",
        help="only score, on the processor, frames that others upscaled (launch.scorers=N)",
    )
    parser.add_argument("--stop", action="store_true", help="ask all workers of the run to return their units and end")
    arguments = parser.parse_args(argv)
    if arguments.stop:
        return _stop(arguments.run)
    run = await_run() if str(arguments.run) == "-" else arguments.run
    if run is None:
        return OK
    from bench.run.joining import join, units_left  # torch, hydra: `worker --help` answers at once

    try:
        with signals_as_interrupts():
            joined = join(run, lambda run: report(run, quiet=True), arguments.scores)
    except KeyboardInterrupt:
        say(f"interrupted; what this worker held is free again, and the run goes on without it: {run}")
        return INTERRUPTED
    totals = joined.totals
    left = units_left(joined.run) if joined.is_last else 0
    others = f"; another run is planned there, with {left} units left: the same command does it" if left else ""
    if joined.is_last and not totals.good + totals.failed:
        say(f"nothing is left to do in {joined.run}{others}")
        return OK
    rest = "the run was closed"
    if joined.is_last or joined.is_open:
        rest = "every clip is done" if joined.is_last else "what is left is for workers that score"
    say(f"{totals.good} clips good, {totals.failed} failed here; {rest}: {joined.run}{others}")
    return ERROR if totals.failed else OK


def _stop(run: Path) -> int:
    from bench.run.job import jobs

    if not run.is_dir():
        raise UserError(f"{run}: no such folder; give the folder of a run (python -m bench run ... out=DIR workers=N)")
    alive = [job for job in jobs(run) if job.plan().shared and job.is_alive()]
    for job in alive:
        job.stop()
    if not alive:
        say(f"{run}: nobody is at work here")
        return OK
    say(f"the workers of {run} end within seconds; the same command, or python -m bench worker {run}, goes on")
    return OK
