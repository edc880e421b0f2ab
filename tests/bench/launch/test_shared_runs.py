"""Runs of several workers on this machine, from the command to the table; most of them in this process."""

import json
import os
from pathlib import Path

import pytest
import torch

from bench.config import expand
from bench.launch.options import split
from bench.launch.shared import SharedRun
from bench.run import device, joining
from bench.run.job import jobs
from bench.store.records import load, worker_files
from frames.errors import UserError
from tests.bench.own_method import write_method

ROOT = Path(__file__).parents[3]
QUALITY = ("run", "data=folder", "metrics=[psnr,ssim]", "timing=none")


def quality(folder):
    """(clip, method) -> frames and scores, in order."""
    return {
        (record.clip, record.method): (record.sr_sha256, {name: s.values for name, s in record.scores.items()})
        for record in load(folder).records
    }


@pytest.fixture
def planned(bench, clips, tmp_path):
    """`planned("method=bicubic", ...)` -> the folder of a run that waits for workers."""

    def plan(*words):
        answer = bench(*QUALITY, f"data.gt={clips}", f"out={tmp_path / 'shared'}", "workers=0", *words)
        assert answer.code == 0, answer.err
        return tmp_path / "shared"

    return plan


def test_workers_one_after_the_other_end_with_what_one_run_has(bench, clips, tmp_path, planned):
    methods = "method=bicubic,nearest"
    assert bench(*QUALITY, methods, f"data.gt={clips}", f"out={tmp_path / 'alone'}", "store=null").code == 0
    run = planned(methods, "store=null")
    answer = bench("worker", run)
    assert answer.code == 0 and "4 clips good, 0 failed here; every clip is done" in answer.err, answer.err
    assert quality(run) == quality(tmp_path / "alone") and list(quality(run)) == list(quality(tmp_path / "alone"))
    assert "bicubic" in (run / "table.md").read_text(), "the last one writes the tables"
    assert len(worker_files(run)) == 1 and not (run / "records.jsonl").exists()
    shown = [bench("table", folder, "--format", "csv").out for folder in (run, tmp_path / "alone")]
    assert shown[0] == shown[1]
    assert str(run) in bench("runs", tmp_path).out and bench("check", run, "--against", tmp_path / "alone").code == 0
    answer = bench("worker", run)
    assert answer.code == 0 and "nothing is left to do" in answer.err


MET = """
import os
import time
from pathlib import Path
from baselines.interpolation import Interpolation

class Met(Interpolation):
    def upscale(self, lr, stages):
        met = Path(__file__).with_name("met")
        (met / str(os.getpid())).touch()
        while len(os.listdir(met)) < 2:
            time.sleep(0.05)
        return super().upscale(lr, stages)
"""


def test_two_processes_share_the_clips(bench, clips, tmp_path, monkeypatch):
    """Of a method that begins once both are there: else the first may be done before the other has started."""
    if len(device.cores()) < 2:
        pytest.skip("two cores are needed")
    mine = write_method(tmp_path, "met", MET)
    (tmp_path / "met").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{tmp_path}")
    words = ("method=bicubic,met", f"data.gt={clips}", "timing.repeats=1", "data=folder", "metrics=[psnr]")
    answer = bench("run", "--config-dir", mine, *words, f"out={tmp_path / 'run'}", "workers=2")
    assert answer.code == 0 and "4 clips good, 0 failed; 4 upscaled, 4 scores computed" in answer.err, answer.err
    assert len(quality(tmp_path / "run")) == 4 and jobs(tmp_path / "run") == []
    facts = [json.loads(file.read_text()) for file in (tmp_path / "run" / "workers").glob("*.json")]
    assert len({each["device"] for each in facts}) == len(facts) == 2 and all(each["ended"] for each in facts)
    assert all(len(each["canary"]) == 2 for each in facts)


def test_a_clip_that_fails_costs_itself_and_is_told(bench, clips, tmp_path, planned):
    file = clips / "tilt" / "00000002.png"
    file.write_bytes(file.read_bytes()[:-500])
    run = planned("method=bicubic")
    answer = bench("worker", run)
    assert answer.code == 3 and "1 clips good, 1 failed here" in answer.err
    assert "Traceback" in next((run / "workers").glob("*.log")).read_text()


def test_a_foreign_plan_runs_nothing(bench, planned, monkeypatch, tmp_path):
    touched = tmp_path / "touched"
    run = planned("method=bicubic")
    file = jobs(run)[0].folder / "plan.json"
    content = json.loads(file.read_text())
    content["words"] = ["method=ffmpeg_lanczos", f"method.command=touch {touched}"]
    content["config_dirs"] = [str(run)]
    file.write_text(json.dumps(content))
    monkeypatch.setattr(joining, "expand", lambda *_: pytest.fail("its words were read"))
    answer = bench("worker", run)
    assert answer.code == 3 and "not made by you" in answer.err and "plan.json" in answer.err
    assert not touched.exists()
    assert bench("watch", run, "--once").code == 0, "looking is no running"


def test_another_version_other_data_and_no_plan_are_one_line_each(bench, clips, planned, monkeypatch, tmp_path):
    run = planned("method=bicubic")
    (clips / "pan" / "00000002.png").unlink()
    answer = bench("worker", run)
    assert answer.code == 3 and "not those of the plan" in answer.err
    monkeypatch.setattr(joining, "source_digest", lambda _: "another")
    assert "another version" in bench("worker", run).err
    assert "no run is planned here" in bench("worker", tmp_path).err
    assert "no such folder" in bench("watch", tmp_path / "nowhere").err
    assert "nobody is at work here" in bench("worker", run, "--stop").err


def test_two_that_time_on_one_device_are_refused_or_take_turns(bench, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "resources", lambda devices: ["GPU-of-the-tests"])
    words = ("run", "data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing.repeats=1", "workers=0")
    run, solo = tmp_path / "run", tmp_path / "solo"
    assert bench(*words, f"out={run}").code == 0 and bench(*words, f"out={solo}", "timing.solo=true").code == 0
    with device.held(["GPU-of-the-tests"]):
        answer = bench("worker", run)
        assert answer.code == 3 and answer.err.count("\n") == 1
        assert "GPU-of-the-tests is in use by another worker that times" in answer.err and "timing.solo" in answer.err
        assert bench("worker", solo).code == 0
    assert bench("worker", run).code == 0


def test_solo_workers_wait_for_their_turn(tmp_path):
    import subprocess
    import sys

    code = "from bench.run.device import turn\nwith turn():\n print('in', flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "in\n"
    with pytest.raises(UserError, match="solo is in use"), device.held(["solo"]):
        pass
    other.communicate("\n")
    with device.held(["solo"]):
        pass


@pytest.mark.parametrize("error", [KeyError("uid not found: 12345"), OSError("No username set in the environment")])
def test_a_device_is_held_where_the_user_has_no_name(monkeypatch, tmp_path, error):
    def unknown():
        raise error

    monkeypatch.setattr(device.getpass, "getuser", unknown)
    monkeypatch.setattr(device.tempfile, "gettempdir", lambda: str(tmp_path))
    with device.held(["core 0"]):
        assert (tmp_path / f"bench-devices-{os.getuid()}" / "core-0").exists()


def test_watch_tells_what_is_done_and_by_whom(bench, planned, tmp_path):
    run = planned("method=bicubic,nearest")
    answer = bench("watch", run, "--once")
    assert answer.code == 0 and "0 of 4 units done" in answer.out and "nobody is at work" in answer.out
    bench("worker", run)
    answer = bench("watch", run, "--once")
    assert "4 of 4 units done" in answer.out and "4 cells good, 0 failed" in answer.out
    assert bench("watch", tmp_path, "--once").code == 3


def test_runs_made_apart_are_joined_and_unlike_ones_refused(bench, clips, tmp_path):
    common = ("run", "data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing=none")
    bench(*common, "method=bicubic,nearest", f"out={tmp_path / 'whole'}")
    for name, words in {"a": ("method=bicubic",), "b": ("method=nearest",)}.items():
        bench(*common, *words, f"out={tmp_path / name}")
    bench(*common, "method=bicubic", "data.clips=[pan]", f"out={tmp_path / 'clip'}")
    answer = bench("merge", tmp_path / "a", tmp_path / "b", tmp_path / "clip", "--out", tmp_path / "ab")
    assert answer.code == 0 and "4 records of 3 runs" in answer.err, answer.err
    assert quality(tmp_path / "ab") == quality(tmp_path / "whole")
    assert "nearest" in (tmp_path / "ab" / "table.md").read_text()
    bench(*common, "method=bicubic", "scale=2", f"out={tmp_path / 'other'}")
    answer = bench("merge", tmp_path / "a", tmp_path / "other", "--out", tmp_path / "no")
    assert answer.code == 3 and "scale is 4 in the first, 2 in the second" in answer.err
    bench(*common, "method=bicubic", "method.kernel=bilinear", f"out={tmp_path / 'kernel'}")
    answer = bench("merge", tmp_path / "a", tmp_path / "kernel", "--out", tmp_path / "no")
    assert answer.code == 3 and "method bicubic has other options (kernel)" in answer.err
    assert "there already" in bench("merge", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "ab").err
    assert not (tmp_path / "no").exists()


def test_a_dry_run_writes_nothing_and_knows_what_was_measured(bench, clips, tmp_path):
    words = ("run", "data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing=none", f"out={tmp_path / 'r' / 'run'}")
    answer = bench(*words, "--dry-run")
    assert answer.code == 0 and "2 units: 2 cells (clip and method), 6 frames" in answer.out
    assert "time: unknown" in answer.out and not (tmp_path / "r").exists()
    bench(*words)
    answer = bench(*words, "workers=2", "--dry-run")
    assert "recorded in this folder: 2 of 2 cells; frames in the store: 2" in answer.out
    assert "1 worker " in answer.out and "2 workers " in answer.out and "time on" in answer.out


@pytest.mark.parametrize(
    "words, says",
    [
        (("workers=x",), "write a number"),
        (("workers=slurm",), "write a number"),
        (("workers=slrm:2",), "did you mean 'slurm'?"),
        (("workers=100000",), "write a number"),
        (("workers=2", "launch=x"), "unknown launch 'x'"),
        (("workers=slurm:2", "launch.partion=a"), "did you mean 'partition'?"),
        (("workers=2", "launch.expiry_s=0"), "at least 1"),
        (("workers=2", "launch.expiry_s=.nan"), "at least 1"),
        (("workers=2", "launch.expiry_s=.inf"), "at least 1"),
        (("workers=4000",), "each worker needs its own"),
    ],
)
def test_what_cannot_be_is_one_line(bench, clips, tmp_path, words, says):
    answer = bench("run", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'run'}", *words)
    assert answer.code == 3 and says in answer.err and answer.err.count("\n") == 1, answer.err
    assert jobs(tmp_path / "run") == []


def test_an_engine_that_is_not_here_is_told(bench, clips, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    answer = bench("run", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'run'}", "workers=slurm:2")
    assert answer.code == 4 and ("sbatch" in answer.err or "submitit" in answer.err), answer.err


def test_each_worker_of_a_machine_with_gpus_gets_one_by_uuid(monkeypatch):
    from bench.launch import local

    monkeypatch.setattr(local, "gpus", lambda: ["GPU-a", "GPU-b"])
    monkeypatch.setattr(device, "cores", lambda: list(range(8)))
    assert [(place.gpu, place.cores) for place in local.places(2, on_gpus=True)] == [
        ("GPU-a", [0, 1, 2, 3]),
        ("GPU-b", [4, 5, 6, 7]),
    ]
    with pytest.raises(Exception, match="there are 2 GPUs here"):
        local.places(3, on_gpus=True)
    assert [place.cores for place in local.places(3, on_gpus=False)] == [[0, 1, 2], [3, 4], [5, 6, 7]]


def _nvidia_smi(monkeypatch, folder, *lines):
    """Put a program of this name that prints these lines first on PATH."""
    tool = folder / "nvidia-smi"
    tool.write_text("#!/bin/sh\n" + "".join(f"echo {line}\n" for line in lines))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_the_gpus_are_those_that_this_process_may_use(monkeypatch, tmp_path):
    from bench.launch import local

    _nvidia_smi(monkeypatch, tmp_path, "GPU-a", "GPU-b")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert local.gpus() == ["GPU-a", "GPU-b"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert local.gpus() == ["GPU-b"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a")
    assert local.gpus() == ["GPU-a"]


def test_a_number_that_may_mean_either_of_unlike_gpus_is_refused(monkeypatch, tmp_path):
    from bench.launch import local

    _nvidia_smi(monkeypatch, tmp_path, "GPU-a, NVIDIA T400", "GPU-b, NVIDIA H200")
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(UserError, match="CUDA_VISIBLE_DEVICES=0: .*; set CUDA_DEVICE_ORDER=PCI_BUS_ID"):
        local.gpus()
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    assert local.gpus() == ["GPU-a"]
    monkeypatch.delenv("CUDA_DEVICE_ORDER")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-b")
    assert local.gpus() == ["GPU-b"]


def test_the_launcher_of_workers_on_gpus_uses_none(clips, tmp_path, monkeypatch):
    """Its networks lay on the first card: to the worker there another process, so that its times were of a busy GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    words = ["data=folder", f"data.gt={clips}", "metrics=[lpips-alex,tlp]", "device=cuda", f"out={tmp_path}"]
    run = SharedRun(expand(words), "", words, (), split(["workers=2"])[1])
    (plan,) = run.plans
    assert run.is_on_gpus and plan.metrics["lpips-alex"].device == plan.metrics["tlp"]._lpips.device == "cpu"


def test_a_gpu_by_a_number_is_refused_where_each_worker_sees_one(bench, clips, tmp_path, monkeypatch):
    """Every worker ended, again and again, because there was no second GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    answer = bench(*QUALITY, f"data.gt={clips}", "device=cuda:1", f"out={tmp_path / 'run'}", "workers=2")
    assert answer.code == 3 and "device=cuda:1: with workers=N each worker sees one GPU" in answer.err
