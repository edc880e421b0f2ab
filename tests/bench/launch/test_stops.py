"""Workers are stopped, or left at work, as their launcher says; what is held is free again, and a rerun completes."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from bench.run import device, leases
from bench.run.job import jobs
from bench.store.records import RecordFile, worker_files
from tests.bench.own_method import write_held

ROOT = Path(__file__).parents[3]
LAUNCHER = "import sys; from bench.commands import share; share.SECOND_S = {}; " + (
    "from bench.__main__ import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.fixture
def words(tmp_path, clips, monkeypatch) -> list[str]:
    """A run of a method that goes on once the file `hold` is gone."""
    mine = write_held(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{tmp_path}")
    own = ["--config-dir", str(mine), "method=held", "data=folder", f"data.gt={clips}", "metrics=[psnr]"]
    return ["run", *own, "timing=none", "store=null", f"out={tmp_path / 'run'}"]


def test_a_stop_reaches_a_worker_that_ignores_interrupts(bench, words, tmp_path):
    """As under `&` or nohup: the shell has SIGINT and SIGHUP ignored."""
    run = tmp_path / "run"
    assert bench(*words, "workers=0").code == 0
    (job,) = jobs(run)
    ignored = f"import signal; [signal.signal(n, signal.SIG_IGN) for n in ({signal.SIGINT}, {signal.SIGHUP})]; "
    begin = (
        f"{ignored}import os, sys; os.execv(sys.executable, [sys.executable, '-m', 'bench', 'worker', {str(run)!r}])"
    )
    worker = subprocess.Popen([sys.executable, "-c", begin], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    until(lambda: leases.taken(job.leases), worker)
    assert "end within seconds" in bench("worker", run, "--stop").err
    _, said = worker.communicate(timeout=600)
    assert worker.returncode == 130 and "what this worker held is free again" in said, said
    assert leases.taken(job.leases) == {} and not job.is_alive()
    (tmp_path / "hold").unlink()
    completes(bench, run)


def test_workers_are_left_or_stopped_as_their_launcher_says(bench, words, tmp_path, default_signals):
    if len(device.cores()) < 2:
        pytest.skip("two cores are needed")
    run = tmp_path / "run"
    launcher = started(words, tmp_path, second_s=0.1)
    until(lambda: jobs(run) and len(leases.taken(jobs(run)[0].leases)) == 2, launcher)
    (job,) = jobs(run)
    launcher.send_signal(signal.SIGINT)
    _, said = launcher.communicate(timeout=600)
    assert launcher.returncode == 130 and "Ctrl-C again stops the 2 workers" in said and "the workers go on" in said
    there = at_work(job)
    assert len(there) == 2 and len(leases.taken(job.leases)) == 2

    launcher = started(words, tmp_path, second_s=600)  # the same command joins them
    until(lambda: any(name.startswith(leases.LAUNCHER) for name in leases.workers(job.leases)), launcher)
    launcher.send_signal(signal.SIGINT)
    lines = iter(launcher.stderr.readline, "")
    assert any("Ctrl-C again stops the 2 workers" in line for line in lines)
    launcher.send_signal(signal.SIGINT)
    _, said = launcher.communicate(timeout=600)
    assert launcher.returncode == 130 and "stopped; finished clips are kept" in said, said
    assert at_work(job) == [] and leases.taken(job.leases) == {}
    (tmp_path / "hold").unlink()
    completes(bench, run)


def started(words, folder, second_s):
    """The launcher of two workers."""
    command = [sys.executable, "-c", LAUNCHER.format(second_s), *words, "workers=2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True)


def until(holds, process):
    """Wait until something holds, while a process runs."""
    while not holds():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def at_work(job):
    """The workers that are alive."""
    return leases.living(job.leases, 60)


def completes(bench, run):
    """One more worker does what is left, each cell once."""
    answer = bench("worker", run)
    assert answer.code == 0 and "every clip is done" in answer.err, answer.err
    records = [record for file in worker_files(run) for record in RecordFile(file).read()]
    assert Counter(record.clip for record in records) == {"pan": 1, "tilt": 1} and all(each.ok for each in records)
