"""Upscaling and scoring as units of their own: the same records as those of one worker, and nothing left over."""

import json
import shutil
from dataclasses import replace

import pytest

from bench.run import device, joining
from bench.run.job import jobs
from bench.store.records import load

pytestmark = pytest.mark.usefixtures("apart")
WORDS = ("run", "data=folder", "metrics=[psnr,ssim]", "method=bicubic,nearest")


def facts(run):
    """All that records say, but for who made them, when, and how long that took."""
    return [
        replace(each, date="", worker="", unit=None, host="", canary=(), macs_reason=None) for each in load(run).records
    ]


@pytest.fixture
def planned(bench, clips, tmp_path):
    """`planned("store=null", ...)` -> the folder of a run of two clips whose scoring waits for its upscaling."""

    def plan(*words):
        own = ("timing=none", f"data.gt={clips}", f"out={tmp_path / 'run'}", "workers=0", "launch.scorers=0")
        answer = bench(*WORDS, *own, *words)
        assert answer.code == 0 and "6 units are planned" in answer.err, answer.err
        return tmp_path / "run"

    return plan


@pytest.fixture
def with_a_card(monkeypatch):
    """Workers that do not ask to score behave as those with a GPU."""
    monkeypatch.setattr(joining, "_steps", lambda scores, devices: ("score",) if scores else ("all", "upscale"))


@pytest.mark.parametrize("store", [(), ("store=null",)])
def test_the_records_are_those_of_one_worker(bench, clips, planned, tmp_path, store):
    alone = tmp_path / "alone"
    assert bench(*WORDS, "timing=none", f"data.gt={clips}", f"out={alone}", "store=null").code == 0
    run = planned(*store)
    answer = bench("worker", run)
    assert answer.code == 0 and "4 clips good, 0 failed here; every clip is done" in answer.err, answer.err
    for one, other in zip(facts(alone), facts(run), strict=True):
        assert one.to_json() == other.to_json()
    lines = [line for file in (run / "records").glob("*.jsonl") for line in file.read_text().splitlines()]
    assert len(lines) == 4 and "bicubic" in (run / "table.md").read_text()
    assert not list(jobs(run)[0].frames.glob("predictions/*")), "frames are deleted once they are scored"


def test_a_second_run_that_is_planned_in_the_folder_is_named(bench, clips, tmp_path):
    run = tmp_path / "run"
    common = ("data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing=none", f"out={run}", "workers=0")
    for method in ("nearest", "bilinear"):
        assert bench("run", f"method={method}", *common).code == 0
    answer = bench("worker", run)
    assert "every clip is done" in answer.err and "another run is planned there, with 2 units left" in answer.err
    answer = bench("worker", run)
    assert "every clip is done" in answer.err and "another run" not in answer.err
    assert {record.method for record in load(run).records} == {"nearest", "bilinear"}


def test_a_worker_with_a_card_leaves_scoring_to_others(bench, planned, with_a_card):
    run = planned("store=null")
    answer = bench("worker", run)
    assert answer.code == 0 and "what is left is for workers that score" in answer.err, answer.err
    assert "0 cells good, 0 failed, 4 wait for their scores" in bench("watch", run, "--once").out
    assert len(list(jobs(run)[0].frames.glob("predictions/*"))) == 4
    answer = bench("worker", run, "--scores")
    assert answer.code == 0 and "4 clips good, 0 failed here; every clip is done" in answer.err, answer.err
    upscaled = {json.loads(line)["worker"] for file in (run / "records").glob("*") for line in file.open()}
    assert len(upscaled) == 1 and "4 cells good, 0 failed\n" in bench("watch", run, "--once").out
    assert not upscaled & {file.stem for file in (run / "records").glob("*")}, "times are of the worker that took them"


def test_times_go_with_the_upscaling_that_was_timed(bench, clips, tmp_path, with_a_card):
    words = ("timing.repeats=1", "timing.warmup=0", f"data.gt={clips}", f"out={tmp_path / 'run'}")
    assert "4 units are planned" in bench(*WORDS, *words, "workers=0", "launch.scorers=1").err
    assert bench("worker", tmp_path / "run").code == 0
    assert bench("worker", tmp_path / "run", "--scores").code == 0
    found = load(tmp_path / "run").records
    assert len(found) == 4 and all(each.timing["tensors"].repetitions and each.scores["psnr"].values for each in found)
    assert all(len(each.canary) == 2 for each in found)


def test_frames_that_were_changed_or_lost_cost_their_cell(bench, planned, with_a_card):
    run = planned("store=null")
    bench("worker", run)
    changed, lost, *_ = sorted(jobs(run)[0].frames.glob("predictions/*"))
    shutil.copy(changed / "00000000.png", changed / "00000001.png")
    shutil.rmtree(lost)
    answer = bench("worker", run, "--scores")
    assert answer.code == 3 and "2 clips good, 2 failed here" in answer.err, answer.err
    assert "its SR frames are gone" in answer.err and "not the frames that were kept" in answer.err


def test_what_could_not_be_upscaled_is_not_scored(bench, clips, planned, with_a_card):
    run = planned()
    file = clips / "tilt" / "00000002.png"
    file.write_bytes(file.read_bytes()[:-500])
    assert "0 clips good, 2 failed here" in bench("worker", run).err
    answer = bench("worker", run, "--scores")
    assert answer.code == 0 and "2 clips good, 0 failed here" in answer.err, answer.err
    assert {(each.clip, each.status) for each in load(run).records} == {("pan", "ok"), ("tilt", "failed")}


def test_scoring_keeps_away_from_cores_that_are_timed(bench, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "cores", lambda: [0])
    words = (f"data.gt={clips}", f"out={tmp_path / 'run'}", "workers=0", "launch.scorers=1")
    assert bench(*WORDS, *words).code == 0
    with device.held(["core 0"], shared=True):  # as a worker does that times a card from this core
        answer = bench("worker", tmp_path / "run", "--scores")
    assert answer.code == 3 and "core 0 is in use by another worker that times" in answer.err, answer.err


def test_who_cannot_score_is_told(bench, clips, tmp_path):
    words = (*WORDS, "timing=none", f"data.gt={clips}", f"out={tmp_path / 'run'}")
    assert bench(*words, "workers=0").code == 0
    answer = bench("worker", tmp_path / "run", "--scores")
    assert answer.code == 3 and "plan it with launch.scorers=N" in answer.err and answer.err.count("\n") == 1
    answer = bench(*words, "workers=2", "launch.scorers=x")
    assert answer.code == 3 and "launch.scorers=x: write a whole number" in answer.err
    answer = bench(*words, "workers=1", "launch.scorers=1", "--dry-run")
    assert "12 units (8 of them scoring): 4 cells (clip and method)" in answer.out, answer.out
    assert "scoring of 2 clips is cut in 6 parts" in answer.out
