"""Workers as jobs of SLURM, by submitit: an array of jobs, each with its own GPU and cores, requeued when stopped."""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.launch.crew import Patience, command, environment, last_line
from bench.run.job import Job
from frames.errors import EnvironmentInvalid, UserError, one_line
from frames.text import printable

LOOK_S = 5.0
"""Seconds between two questions to SLURM about the jobs."""
_AT_WORK = {"PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "RESIZING"}
_AT_WORK |= {"SIGNALING", "STAGE_OUT", "STOPPED", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD", "PREEMPTED"}


class WorkerTask:
    """The task of a job: one worker. It can be stopped and started again at any time, so its checkpoint is itself."""

    def __init__(self, words: list[str]) -> None:
        self.words = words

    def __call__(self) -> int:
        return subprocess.run(self.words).returncode

    def checkpoint(self) -> Any:
        """Requeue the task unchanged, at its time limit or when it is preempted."""
        import submitit

        return submitit.helpers.DelayedSubmission(self)


class SlurmCrew:
    """N jobs, which outlive the launcher.

    Args:
        scorers: number of additional jobs that only score; they get no GPU.
        options: of conf/launch/slurm.yaml.
        whole_nodes: what `exclusive: auto` means for this run.
    Raises:
        EnvironmentInvalid: submitit or SLURM is not here.
    """

    def __init__(self, job: Job, count: int, scorers: int, options: dict[str, Any], whole_nodes: bool) -> None:
        if importlib.util.find_spec("submitit") is None:
            raise EnvironmentInvalid("workers=slurm:N needs the package submitit: pip install submitit==1.5.4")
        if shutil.which("sbatch") is None:
            raise EnvironmentInvalid("workers=slurm:N needs SLURM's sbatch, which is not here; log in to the cluster")
        self.job, self.count, self.scorers, self.options = job, count, scorers, options
        self._whole_nodes = whole_nodes if options["exclusive"] == "auto" else bool(options["exclusive"])
        self._folder = job.folder / "slurm"
        self._jobs: dict[str, Path] = {}  # id -> the file of its output
        self._scoring: set[str] = set()  # ids of jobs that only score
        self._patience = Patience(int(options["restarts"]))
        self._looked = -math.inf

    @property
    def is_over(self) -> bool:
        return not self._jobs

    @property
    def only_scores(self) -> bool:
        return self._jobs.keys() <= self._scoring

    def start(self) -> None:
        if self.count:
            self._submit(self.count)
        if self.scorers:
            self._submit(self.scorers, scores=True)

    def tend(self, done: int) -> list[str]:
        if time.monotonic() - self._looked < LOOK_S:
            return []
        self._looked = time.monotonic()
        messages = []
        for name, state in self._states().items():
            if state in _AT_WORK or self.job.is_stopped:
                continue
            last = last_line(self._jobs.pop(name))
            if state == "COMPLETED" and name not in self._scoring and self._leaves_scoring():
                continue  # it has done its part
            why = f"job {name} ended ({state.lower()})" + (f": {printable(last)}" if last else "")
            if self._patience.is_over(done) or state == "CANCELLED":
                messages.append(f"{why}; not submitted again")
            else:
                messages.append(f"{why}; submitted again")
                self._submit(1, name in self._scoring)
        return messages

    def stop(self) -> None:
        self.job.stop()
        if self._jobs:
            subprocess.run(["scancel", "--full", *{name.partition("_")[0] for name in self._jobs}], capture_output=True)
        self.wait(30)

    def wait(self, seconds: float) -> None:
        if self._jobs:  # jobs that still wait for a node have nothing left to do
            arrays = {name.partition("_")[0] for name in self._jobs}
            subprocess.run(["scancel", "--state=PENDING", *arrays], capture_output=True)
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(state in _AT_WORK for state in self._states().values()):
            time.sleep(0.5)

    def _leaves_scoring(self) -> bool:
        """Whether all that is left is scoring, which jobs with a GPU leave to others."""
        if not self.options.get("gpus_per_task"):
            return False
        done = self.job.done()
        return all(unit.scores for unit in self.job.plan().units if unit.number not in done)

    def _submit(self, count: int, scores: bool = False) -> None:
        import submitit

        with _environment():
            executor = submitit.SlurmExecutor(folder=self._folder)
            try:
                executor.update_parameters(**parameters(self.options, count, self._whole_nodes and not scores, scores))
                task = WorkerTask(command(self.job.run, scores))
                jobs = executor.map_array(_call, [task] * count) if count > 1 else [executor.submit(_call, task)]
            except Exception as error:  # submitit's own kinds, and what sbatch says
                raise UserError(f"SLURM refuses the jobs: {one_line(error)}; see conf/launch/slurm.yaml") from error
        self._jobs |= {job.job_id: job.paths.stderr for job in jobs}
        self._scoring |= {job.job_id for job in jobs if scores}

    def _states(self) -> dict[str, str]:
        """The state of each job in SLURM's words; GONE if SLURM no longer knows it."""
        if not self._jobs:
            return {}
        arrays = ",".join(sorted({name.partition("_")[0] for name in self._jobs}))
        asked = ["squeue", "--noheader", "--array", "--states=all", f"--jobs={arrays}", "--format=%i %T"]
        done = subprocess.run(asked, capture_output=True, text=True)
        if done.returncode and "Invalid job id" not in done.stderr:
            return dict.fromkeys(self._jobs, "PENDING")  # the controller does not answer now: ask again later
        found = dict(line.split()[:2] for line in done.stdout.splitlines() if len(line.split()) >= 2)
        return {name: found.get(name, "GONE") for name in self._jobs}


def parameters(options: dict[str, Any], count: int, whole_nodes: bool, scores: bool = False) -> dict[str, Any]:
    """The parameters of submitit's SlurmExecutor for `count` jobs; jobs that only score need no GPU."""
    cpus = options.get("cpus_per_task")
    found = {
        "job_name": "bench-worker",
        "time": int(options["time_min"]),
        "partition": options.get("partition"),
        "account": options.get("account"),
        "gpus_per_task": None if scores else options.get("gpus_per_task"),
        "cpus_per_task": cpus,
        "mem": f"{options['mem_gb']}GB" if options.get("mem_gb") else None,
        "ntasks_per_node": 1,
        "exclusive": True if whole_nodes else None,
        "array_parallelism": count,
        "setup": list(options.get("setup") or []) or None,
        "srun_args": ["--cpu-bind=cores", *([f"--cpus-per-task={cpus}"] if cpus else [])],
        "additional_parameters": {**({"requeue": True} if options.get("requeue") else {}), **(options["sbatch"] or {})},
    }
    return {key: value for key, value in found.items() if value is not None}


def _call(task: Callable[[], int]) -> int:
    return task()


@contextmanager
def _environment() -> Iterator[None]:
    """Put the project on PYTHONPATH during the block, as jobs get the environment of this process."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = environment().get("PYTHONPATH", "")
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
