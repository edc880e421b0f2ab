"""Workers that wait for a plan: they are told of the run, or end, whatever becomes of their launcher."""

import io
import json
import os
import select
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest

from bench.launch import local, shared, waiting
from bench.launch.local import LocalCrew, WorkerPlace
from bench.launch.options import split
from bench.launch.waiting import Waiting, places_ahead
from bench.run import device
from bench.run.job import Job, jobs
from frames.errors import EnvironmentInvalid, UserError

ROOT = Path(__file__).parents[3]
READS = "import sys, json; line = sys.stdin.readline(); line and open(json.loads(line)[1], 'a').write('told')"
"""Stands in for a worker: it says that it was told."""
WAITS = "import time; time.sleep(600)"


@pytest.fixture
def worker(monkeypatch):
    """`worker(code)`: every worker that is started is this program."""

    def stand_in(code):
        for module in (waiting, local):
            monkeypatch.setattr(module, "command", lambda run, scores=False: [sys.executable, "-c", code])

    return stand_in


@pytest.fixture
def place():
    return WorkerPlace(device.cores()[:1])


def test_one_that_is_told_works_at_that_run(worker, place, tmp_path):
    worker(READS)
    job = Job.new(tmp_path / "run")
    with Waiting([place]) as waits:
        crew = LocalCrew(job, [place], waiting=waits)
        crew.start()
        assert crew.processes[0].wait(100) == 0
    assert crew.output_file(0).read_text() == "told"


def test_where_one_has_ended_the_next_of_the_same_place_is_told(worker, place, tmp_path):
    worker(READS)
    with Waiting([place] * 3) as waits:
        processes = [process for _, process in waits._processes]
        processes[0].kill()
        processes[0].wait()
        said = tmp_path / "said.txt"
        assert waits.take(place, tmp_path, said) is processes[1] and processes[1].wait(100) == 0
        assert waits.take(place, tmp_path, said) is processes[2] and processes[2].wait(100) == 0
        assert waits.take(place, tmp_path, said) is None
    assert said.read_text() == "toldtold"


@pytest.mark.parametrize("reason", [ValueError, KeyboardInterrupt, SystemExit])
def test_none_is_left_where_there_is_no_plan(worker, place, reason):
    worker(WAITS)
    with pytest.raises(reason), Waiting([place, place]) as waits:
        processes = [process for _, process in waits._processes]
        raise reason
    assert [process.poll() for process in processes] == [-signal.SIGKILL] * 2


@pytest.mark.parametrize(
    "raised, code, says", [(KeyboardInterrupt(), 130, "interrupted"), (UserError("no clips"), 3, "no clips")]
)
def test_a_command_that_comes_to_no_plan_leaves_nothing(bench, worker, tmp_path, monkeypatch, raised, code, says):
    """Ctrl-C, or a mistake, before the plan is written."""

    def fails(*given, **options):
        raise raised

    worker(WAITS)
    begun = []
    monkeypatch.setattr(waiting, "spawn", lambda *words: begun.append(local.spawn(*words)) or begun[-1])
    monkeypatch.setattr(shared, "open_plan", fails)
    answer = bench("run", "data=sample", f"out={tmp_path / 'run'}", "workers=1", "launch.scorers=0", "device=cpu")
    assert answer.code == code and says in answer.err, answer.err
    assert [process.poll() for process in begun] == [-signal.SIGKILL] and jobs(tmp_path / "run") == []


def test_those_whose_places_are_not_wanted_end_at_once(worker, place, tmp_path):
    worker(WAITS)
    job, other = Job.new(tmp_path / "run"), WorkerPlace(place.cores, scores=True)
    with Waiting([place, other]) as waits:
        processes = [process for _, process in waits._processes]
        crew = LocalCrew(job, [place], waiting=waits)
        crew.start()
        assert crew.processes[0] is processes[0] and processes[0].poll() is None
        assert processes[1].poll() == -signal.SIGKILL
        crew.stop()
    assert processes[0].poll() is not None


def test_one_that_died_meanwhile_is_replaced(worker, place, tmp_path):
    worker("raise SystemExit(1)")
    job = Job.new(tmp_path / "run")
    with Waiting([place]) as waits:
        [(_, process)] = waits._processes
        process.wait(100)
        worker("print('started')")
        crew = LocalCrew(job, [place], waiting=waits)
        crew.start()
        assert crew.processes[0] is not process and crew.processes[0].wait(100) == 0
    assert crew.output_file(0).read_text() == "started\n"


def test_one_whose_launcher_is_killed_ends(place):
    """The launcher dies before there is a plan; the worker's input ends, and with it the worker."""
    launcher = f"""
import subprocess, sys, time
from bench.launch import waiting
from bench.launch.local import WorkerPlace
waiting.command = lambda run, scores: [sys.executable, "-c", "import sys; sys.exit(7 if sys.stdin.read() else 0)"]
with waiting.Waiting([WorkerPlace({place.cores}), WorkerPlace({place.cores})]) as waits:
    print(*(process.pid for _, process in waits._processes), flush=True)
    time.sleep(600)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", launcher], env=environment, stdout=subprocess.PIPE, text=True)
    workers = [int(word) for word in process.stdout.readline().split()]
    ends = [os.pidfd_open(worker) for worker in workers]  # they are no children of this process
    process.kill()
    process.wait()
    for end in ends:
        assert select.select([end], [], [], 100)[0], "it is still there"
        os.close(end)


def test_the_worker_s_own_side(bench, clips, tmp_path, monkeypatch):
    """Its input ends: it does, too. It is told of a run: it works there. Anything else is one line."""
    run = tmp_path / "run"
    words = ("run", "data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing=none", f"out={run}", "workers=0")
    assert bench(*words).code == 0
    for text, code, says in (
        ("", 0, ""),
        ('["/half of a', 0, ""),
        ("results/runs/x\n", 3, "give the run's folder"),
        ("3\n", 3, "give the run's folder"),
        ('"ab"\n', 3, "give the run's folder"),
        ("[1, 2]\n", 3, "give the run's folder"),
        (json.dumps([str(run), ""]) + "\n", 0, "2 clips good, 0 failed here; every clip is done"),
    ):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        answer = bench("worker", "-")
        assert answer.code == code and says in answer.err and bool(answer.err) == bool(says), answer.err


@pytest.mark.parametrize(
    "words, tool, expected",
    [
        (["workers=2"], False, ["", ""]),
        (["workers=2", "device=cpu"], True, ["", ""]),
        (["workers=2"], True, ["GPU-a", "GPU-b"]),
        (["workers=2", "launch.scorers=1"], True, ["GPU-a", "GPU-b", ""]),
        (["workers=3"], True, []),
        (["workers=5"], False, []),
        (["workers=0"], False, []),
        (["workers=slurm:2"], False, []),
    ],
)
def test_places_are_guessed_from_the_words_and_a_driver_s_tool(monkeypatch, words, tool, expected):
    monkeypatch.setattr(waiting, "shutil", types.SimpleNamespace(which=lambda _: "nvidia-smi" if tool else None))
    for module in (waiting, local):
        monkeypatch.setattr(module, "gpus", lambda: ["GPU-a", "GPU-b"])
    monkeypatch.setattr(device, "cores", lambda: list(range(4)))
    rest, launch = split(words)
    assert [place.gpu for place in places_ahead(launch, rest)] == expected


def test_a_tool_that_tells_nothing_leaves_it_to_the_plan(monkeypatch):
    def fails():
        raise EnvironmentInvalid("nvidia-smi finds no GPU")

    monkeypatch.setattr(waiting, "shutil", types.SimpleNamespace(which=lambda _: "nvidia-smi"))
    monkeypatch.setattr(waiting, "gpus", fails)
    rest, launch = split(["workers=1", "launch.scorers=0"])
    assert places_ahead(launch, rest) == []
