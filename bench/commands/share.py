"""`python -m bench run ... workers=N`: the launcher of a run of many workers."""

from __future__ import annotations

import shlex
import time

from bench.commands.run import exit_code, report, say, signals_as_interrupts
from bench.config import Combination
from bench.launch.crew import Crew
from bench.launch.local import LocalCrew, places
from bench.launch.options import LaunchOptions
from bench.launch.shared import POLL_S, SharedRun, at_work, follow
from bench.launch.waiting import Waiting
from bench.run.job import Job, Plan
from frames import errors

SECOND_S = 10.0
"""How long a launcher waits for a second Ctrl-C, which stops the workers, before it leaves them at work."""
STOP_S = 30.0
"""How long a launcher waits for workers that it did not start itself to end."""


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which stops the workers as well."""


class _HungUp(KeyboardInterrupt):
    """SIGHUP, which leaves the workers at work: only the terminal is gone."""


def share(
    combinations: list[Combination],
    command: str,
    words: list[str],
    config_dirs: tuple[str, ...],
    launch: LaunchOptions,
    waiting: Waiting,
) -> int:
    """Plan a run, start its workers, follow them and write tables; returns the exit code.

    Args:
        words: the overrides of the command line.
        waiting: worker processes that were started early and wait for the plan.
    """
    run = SharedRun(combinations, command, words, config_dirs, launch)
    job, plan = run.plan()
    folder = run.folder.path
    quoted = shlex.quote(str(folder))
    if launch.engine == "none":
        say(f"{len(plan.units)} units are planned in {folder}; start workers with python -m bench worker {quoted}")
        return errors.OK
    try:
        crew = crew_of(launch, job, plan, run, waiting)
    except errors.UserError:
        if not at_work(job, plan.expiry_s):
            job.remove()
        raise
    try:
        with signals_as_interrupts(sigterm=_Terminated, sighup=_HungUp):
            totals = follow(job, plan, crew, lambda: report(folder))
    except KeyboardInterrupt as interrupt:
        if len(job.done()) == len(plan.units):
            job.remove()
            raise
        _end(interrupt, crew, job, plan, quoted)
        return errors.INTERRUPTED
    except errors.UserError:
        report(folder)
        raise
    job.remove()
    return exit_code(totals, folder)


def crew_of(launch: LaunchOptions, job: Job, plan: Plan, run: SharedRun, waiting: Waiting) -> Crew:
    """Start the workers that the command asks for, less those that are at work already.

    Raises:
        UserError: they cannot be started here.
    """
    options, there = launch.options or {}, at_work(job, plan.expiry_s)
    scoring = sum(worker.scores for worker in there)
    count, scorers = max(0, launch.count - len(there) + scoring), max(0, (launch.scorers or 0) - scoring)
    if launch.engine == "slurm":
        from bench.launch.slurm import SlurmCrew

        return SlurmCrew(job, count, scorers, options, run.needs_whole_nodes)
    used = {worker.device for worker in there}
    all_places = places(launch.count, run.is_on_gpus, launch.scorers or 0)
    free = [place for place in all_places if not {str(place), place.gpu} & used]
    chosen = [place for place in free if not place.scores][:count] + [each for each in free if each.scores][:scorers]
    return LocalCrew(job, chosen, int(options["restarts"]), waiting)


def _end(interrupt: KeyboardInterrupt, crew: Crew, job: Job, plan: Plan, quoted: str) -> None:
    """Stop the workers or leave them at work, after an interrupt of the launcher, and print which."""
    later = f"python -m bench watch {quoted} follows them, python -m bench worker {quoted} --stop stops them"
    stop = isinstance(interrupt, _Terminated) or job.is_stopped
    if not stop and not isinstance(interrupt, _HungUp):
        try:
            count = len(at_work(job, plan.expiry_s))
            say(f"interrupted: Ctrl-C again stops the {count} workers; left alone for {SECOND_S:g} s, they go on")
            time.sleep(SECOND_S)
        except KeyboardInterrupt:
            stop = True
    if not stop:
        say(f"the workers go on without this launcher: {later}; the same command joins them")
        return
    crew.stop()
    until = time.monotonic() + STOP_S
    while (left := at_work(job, plan.expiry_s)) and time.monotonic() < until:  # those that others started
        time.sleep(POLL_S)
    if left:
        say(f"{len(left)} workers elsewhere have not answered yet; they end when they see that the run is stopped")
        return
    job.resume()
    say(f"stopped; finished clips are kept: the same command, or python -m bench worker {quoted}, goes on")
