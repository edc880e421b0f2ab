"""Workers as jobs of a real SLURM on this machine; skipped with one line where there is none."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.launch import slurm
from bench.launch.options import split
from bench.launch.slurm import parameters
from bench.run import leases
from bench.run.job import FinishedUnit, Job, Plan, jobs
from bench.run.units import Unit
from bench.store.records import load
from frames.errors import UserError
from tests.bench.own_method import write_held

ROOT = Path(__file__).parents[3]
HERE = ("launch.gpus_per_task=null", "launch.cpus_per_task=1", "launch.exclusive=false", "launch.expiry_s=600")


@pytest.fixture
def started(cluster, clips, tmp_path):
    """`started("workers=slurm:2", ...)` -> the process of a run on the cluster; all are ended at the end.

    Its method `held` goes on once the file `hold` is gone.
    """
    mine = write_held(tmp_path)
    processes = []

    def start(*words):
        own = [
            "data=folder",
            f"data.gt={clips}",
            "metrics=[psnr]",
            "timing=none",
            f"out={tmp_path / 'run'}",
            "store=null",
        ]
        command = [sys.executable, "-m", "bench", "run", *own, *HERE, "--config-dir", str(mine), *words]
        environment = cluster.environment | {"PYTHONPATH": f"{ROOT}:{tmp_path}", "OMP_NUM_THREADS": "1"}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        processes.append(subprocess.Popen(command, env=environment, cwd=tmp_path, **streams))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
    cluster("scancel", "--full", "-u", "root")
    cluster.until(lambda: not cluster("squeue", "-h").strip())


def test_jobs_share_the_clips_and_go_on_after_requeue_and_drain(cluster, started, tmp_path, bench, clips):
    process = started("method=held,nearest", "workers=slurm:2")
    run = tmp_path / "run"
    cluster.until(lambda: any(leases.taken(job.leases) for job in jobs(run)) or process.poll() is not None)
    running = cluster("squeue", "-h", "-r", "-t", "R", "-o", "%i").split()
    assert running, process.communicate()[0]
    cluster("scontrol", "update", f"nodename={cluster.node}", "state=drain", "reason=tests")
    assert cluster("scontrol", "requeue", running[0]) == ""
    assert process.poll() is None
    cluster("scontrol", "update", f"nodename={cluster.node}", "state=resume")
    (tmp_path / "hold").unlink()
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0 and "4 clips good, 0 failed" in said, said
    alone = tmp_path / "alone"
    words = ("data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing=none", "store=null", f"out={alone}")
    assert bench("run", "method=nearest", *words).code == 0
    want = {(r.clip, "nearest"): (r.sr_sha256, r.scores["psnr"].values) for r in load(alone).records}
    have = {(r.clip, r.method): (r.sr_sha256, r.scores["psnr"].values) for r in load(run).records}
    assert len(have) == 4 and want.items() <= have.items() and all(r.ok for r in load(run).records)
    lines = [line for file in (run / "records").glob("*.jsonl") for line in file.read_text().splitlines()]
    assert len(lines) == 4, "no cell has two records"


def test_a_partition_that_is_not_there_is_one_line(cluster, started):
    said, _ = started("method=nearest", "workers=slurm:1", "launch.partition=nowhere").communicate(timeout=600)
    assert "SLURM refuses the jobs" in said and "nowhere" in said and "Traceback" not in said


@pytest.mark.parametrize("gpus, upscaled, again", [(1, True, 0), (1, False, 1), (None, True, 1)])
def test_a_job_with_a_gpu_is_not_submitted_again_for_scoring(tmp_path, monkeypatch, gpus, upscaled, again):
    units = [Unit(0, "set", "a", ["m"], step="upscale"), Unit(1, "set", "a", ["m"], step="score", after=[0])]
    job = Job.new(tmp_path)
    job.write(Plan(words=[], config_dirs=[], cwd="/", code="", units=units, shared=False, timed=False))
    if upscaled:
        job.append(FinishedUnit(unit=0, worker="w", seconds=1.0))
    monkeypatch.setattr(slurm.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(slurm.shutil, "which", lambda name: name)
    options = {"exclusive": False, "restarts": 3, "gpus_per_task": gpus}
    crew, submitted = slurm.SlurmCrew(job, 1, 1, options, False), []
    crew._jobs, crew._scoring = {"1": tmp_path / "said", "2": tmp_path / "said"}, {"2"}
    monkeypatch.setattr(crew, "_states", lambda: {"1": "COMPLETED", "2": "RUNNING"})
    monkeypatch.setattr(crew, "_submit", lambda count, scores=False: submitted.append((count, scores)))
    told = crew.tend(len(job.done()))
    assert submitted == [(1, False)] * again and len(told) == again and not crew.is_over


def test_each_job_gets_a_gpu_and_cores_of_its_own():
    _, launch = split(["workers=slurm:32", "launch.partition=gpu", "+launch.sbatch.qos=high", "launch.mem_gb=64"])
    found = parameters(launch.options, 32, whole_nodes=True)
    assert found["gpus_per_task"] == 1 and "--cpu-bind=cores" in found["srun_args"] and found["exclusive"] is True
    assert found["partition"] == "gpu" and found["mem"] == "64GB" and found["array_parallelism"] == 32
    assert found["additional_parameters"] == {"requeue": True, "qos": "high"} and "account" not in found
    scores = parameters(launch.options, 64, whole_nodes=True, scores=True)
    assert "gpus_per_task" not in scores and scores["array_parallelism"] == 64 and scores["partition"] == "gpu"


def test_the_commands_of_the_page_on_many_workers_are_slurm_s():
    """Every `workers=slurm:N` that a document shows is taken by submitit."""
    pytest.importorskip("submitit")
    from submitit.slurm.slurm import _make_sbatch_string

    text = (ROOT / "docs" / "cluster.md").read_text()
    shown = re.findall(r"^python -m bench run (.*workers=slurm.*)$", text, re.MULTILINE)
    assert shown
    for line in shown:
        _, launch = split(line.split())
        script = _make_sbatch_string(
            command="true",
            folder=Path(os.devnull),
            map_count=launch.count,
            **parameters(launch.options, launch.count, False),
        )
        assert f"#SBATCH --array=0-{launch.count - 1}" in script and "--gpus-per-task=1" in script
        assert "--cpu-bind=cores" in script and "--requeue" in script and "--partition=gpu" in script


@pytest.mark.parametrize(
    "words, says",
    [
        (["workers=slurm:2", "launch.time_mn=5"], "time_min"),
        (["workers=slurm:2", "launch.setup=module load cuda"], r"launch.setup=\['module load cuda'\]"),
        (["workers=slurm:2", "launch=local"], "launch=local: these are not its workers"),
        (["workers=2", "launch=slurm"], "launch=slurm: these are not its workers"),
        (["launch=slurm"], "launch=slurm: these are not its workers"),
        (["workers=slurm:2", "launch.partition=${mine}"], "'mine' not found"),
    ],
)
def test_a_value_that_is_no_option_is_refused(words, says):
    with pytest.raises(UserError, match=says):
        split(words)


def test_a_word_with_a_plus_counts():
    assert split(["+workers=2"])[1].count == 2 and split(["+launch=slurm", "workers=slurm:2"])[1].engine == "slurm"
