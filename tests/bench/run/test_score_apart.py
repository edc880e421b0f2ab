"""Scoring in parts: the records of one worker, whoever dies, whatever is damaged, however it is cut."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench.metrics.psnr import Psnr
from bench.metrics.ssim import Ssim
from bench.run import joining, units
from bench.run.job import jobs
from bench.run.leases import Leases
from bench.run.runner import new_worker
from bench.store.records import load
from frames.images import read_image, write_png

pytestmark = pytest.mark.usefixtures("apart")
ROOT = Path(__file__).parents[3]
UPSCALING, PARTS = ("all", "upscale"), ("frames", "order")
METRICS = "metrics=[psnr,ssim,lpips-alex,tof,warp-error]"
PICKY = """
import os
import signal
from pathlib import Path
from bench.metrics.base import Kind

class Picky:
    def __init__(self, what):
        self.kind = Kind(f"picky, {what}", "", "lower", 1)
        self.what, self.signature = what, f"picky|{what}"

    def score(self, sr, gt):
        if int(gt.sum()) != SUM:
            return float(sr.sum())
        if self.what == "kills" and not Path(__file__).with_name("died").exists():
            Path(__file__).with_name("died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == "refuses":
            raise ValueError("not this one")
        if self.what == "breaks":
            raise RuntimeError("out of luck")
        return float("nan") if self.what == "nan" else float("inf")
"""


def facts(run):
    """All that records say, but for who made them, when, and how long that took."""
    kept = load(run).records
    return [
        replace(each, date="", worker="", unit=None, host="", canary=(), macs_reason=None).to_json() for each in kept
    ]


@pytest.fixture
def both(bench, clips, tmp_path):
    """`both("metrics=[psnr]", ...)` -> the folders of a run of one worker, and of one planned for many."""

    def plan(*words, many=("store=null",), expected=4):
        common = ("run", *words, "timing=none", "data=folder", f"data.gt={clips}")
        answer = bench(*common, "store=null", f"out={tmp_path / 'alone'}")
        assert answer.code in (0, 3) and "Traceback" not in answer.err, answer.err
        apart = (f"out={tmp_path / 'run'}", "workers=0", "launch.scorers=0", f"launch.expected={expected}")
        answer = bench(*common, *many, *apart)
        assert answer.code == 0, answer.err
        return tmp_path / "alone", tmp_path / "run"

    return plan


@pytest.fixture
def work(bench, monkeypatch):
    """`work(run, *steps)`: one more worker, which does these steps alone; all of them where none are given."""

    def join(run, *steps):
        with monkeypatch.context() as patch:
            if steps:
                patch.setattr(joining, "_steps", lambda scores, devices: steps)
            answer = bench("worker", run)
        assert "Traceback" not in answer.err, answer.err
        return answer

    return join


@pytest.fixture
def picky(tmp_path, clips, monkeypatch):
    """`picky("refuses", ...)` -> words with metrics that do this on one frame of the clip `pan`."""
    total = int(read_image(clips / "pan" / "00000001.png").sum())
    (tmp_path / "picky.py").write_text(PICKY.replace("SUM", str(total)))
    monkeypatch.syspath_prepend(str(tmp_path))

    def words(*names):
        folder = tmp_path / "mine" / "metric"
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / f"{name}.yaml").write_text(f"_target_: picky.Picky\nsummary: of the tests\nwhat: {name}\n")
        return "--config-dir", tmp_path / "mine", f"metrics=[psnr,{','.join(names)}]"

    yield words
    sys.modules.pop("picky", None)


def lines(run):
    """Of all records as they were written."""
    return [json.loads(line) for file in (run / "records").glob("*.jsonl") for line in file.open()]


def steps(run):
    return Counter(unit.step for unit in jobs(run)[0].plan().units)


@pytest.mark.parametrize("store", ["store=null", "store={tmp_path}/own"])
def test_three_workers_that_share_a_clip_s_scoring_leave_the_records_of_one(both, work, bench, tmp_path, store):
    alone, run = both("method=bicubic,nearest", METRICS, many=(store.format(tmp_path=tmp_path),))
    assert steps(run) == {"upscale": 4, "frames": 6, "order": 4, "score": 2}
    work(run, *UPSCALING)
    work(run, "frames")
    assert "10 of 16 units done" in bench("watch", run, "--once").out and not lines(run)
    work(run, "order")
    answer = work(run, "score")
    assert answer.code == 0 and "every clip is done" in answer.err, answer.err
    assert facts(run) == facts(alone) and len(lines(run)) == 4
    assert [path.name for path in jobs(run)[0].frames.glob("*/*") if path.is_file()] == []
    assert not list(tmp_path.glob("own/parts/*")), "parts are deleted once their clip has its records"
    scored = sum(each.scored for each in jobs(run)[0].done().values())
    assert scored == 2 * 2 * 5, "as many scores as one worker computes"


def test_a_clip_of_one_frame_is_cut_by_methods(both, work):
    alone, run = both("method=bicubic,nearest", "metrics=[psnr,lpips-alex,tof]", "data.frames=1", expected=64)
    assert steps(run) == {"upscale": 4, "frames": 4, "score": 2}
    work(run)
    assert facts(run) == facts(alone) and "needs 2 frames" in str(facts(run))


def test_refusals_infinities_and_what_is_no_number_are_those_of_one_worker(both, work, picky):
    alone, run = both("method=bicubic,nearest", *picky("refuses", "breaks", "nan", "infinite"))
    work(run, *UPSCALING, *PARTS)
    work(run, "score")
    assert facts(run) == facts(alone)
    found = {(each["clip"], name): score for each in facts(run) for name, score in each["scores"].items()}
    assert found["pan", "refuses"]["reason"] == "frame 1: not this one"
    assert found["pan", "breaks"]["reason"] == "frame 1: RuntimeError: out of luck"
    assert found["pan", "nan"]["reason"] == "value 1 is not a number"
    assert found["pan", "infinite"]["values"][1] == "Infinity" and len(found["tilt", "refuses"]["values"]) == 3


def test_a_worker_killed_in_the_middle_of_a_part_loses_that_part_alone(both, work, picky, tmp_path):
    (tmp_path / "died").touch()
    alone, run = both("method=bicubic,nearest", *picky("kills"), many=(f"store={tmp_path / 'own'}",))
    work(run, *UPSCALING)
    (tmp_path / "died").unlink()
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    command = [sys.executable, "-m", "bench", "worker", str(run)]
    died = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    (job,) = jobs(run)
    planned, before = job.plan().units, dict(job.done())
    (held,) = [unit for unit in planned if (job.leases / f"{unit.number}.1").exists()]
    assert held.step == "frames" and held.clip == "pan" and held.first == 1
    assert work(run).code == 0
    done = [json.loads(line) for file in (job.folder / "done").iterdir() for line in file.open()]
    assert Counter(each["unit"] for each in done) == Counter(unit.number for unit in planned), "each unit is done once"
    assert all(each["worker"] == before[each["unit"]].worker for each in done if each["unit"] in before)
    assert facts(run) == facts(alone) and len(lines(run)) == 4


def test_a_part_at_which_two_workers_died_fails_its_cells_with_that_reason(both, work):
    alone, run = both("method=bicubic,nearest", "metrics=[psnr]")
    work(run, *UPSCALING)
    (job,) = jobs(run)
    part = next(unit for unit in job.plan().units if unit.step == "frames" and unit.clip == "pan")
    for attempt in (1, 2):
        leases = Leases(job.leases, replace(new_worker(), began=1), 60)
        leases.open()
        assert leases.claim(str(part.number), attempt)
    answer = work(run)
    assert answer.code == 3 and "2 clips good, 2 failed here" in answer.err, answer.err
    found = {(each["clip"], each["method"]): each for each in lines(run)}
    assert len(lines(run)) == len(found) == 4
    assert all("2 workers died at this clip" in found["pan", name]["reason"] for name in ("bicubic", "nearest"))
    assert [each for each in facts(run) if each["clip"] == "tilt"] == [
        each for each in facts(alone) if each["clip"] == "tilt"
    ]


@pytest.mark.parametrize("store", ["run", "own"])
def test_a_damaged_part_is_set_aside_and_computed_again(both, work, tmp_path, store, monkeypatch):
    alone, run = both("method=bicubic,nearest", "metrics=[psnr,ssim]", many=(f"store={tmp_path / store}-store",))
    work(run, *UPSCALING, *PARTS)
    kept = sorted(tmp_path.glob(f"{store}-store/parts/*/*.json"))
    assert len(kept) == 2 * 2 * 3
    kept[0].write_text(kept[0].read_text().replace("1", "2"))
    kept[1].write_bytes(b"")
    computed = []
    score = Psnr.score
    monkeypatch.setattr(Psnr, "score", lambda *pair: computed.append(1) or score(*pair))
    answer = work(run, "score")
    assert answer.err.count("set aside and computed again") == 2 and len(computed) == 2, answer.err
    assert facts(run) == facts(alone) and len(list(tmp_path.glob(f"{store}-store/damaged/*"))) == 2


def test_lost_parts_and_changed_frames_change_no_score(both, work, tmp_path):
    _, run = both("method=bicubic,nearest", "metrics=[psnr]", many=(f"store={tmp_path / 'own'}",))
    work(run, *UPSCALING, *PARTS)
    changed = next(iter(sorted((tmp_path / "own" / "predictions").iterdir()))) / "00000001.png"
    write_png(changed, read_image(changed)[::-1])
    for part in (tmp_path / "own" / "parts").glob("*/*.json"):
        part.unlink()
    answer = work(run, "score")
    assert (
        answer.code == 3
        and "3 clips good, 1 failed here" in answer.err
        and "not the frames that were kept" in answer.err
    )


def test_a_run_that_is_taken_up_by_another_number_of_workers_computes_no_frame_twice(both, work, tmp_path, monkeypatch):
    words, many = ("method=bicubic,nearest", "metrics=[psnr,ssim]"), (f"store={tmp_path / 'own'}",)
    alone, run = both(*words, many=many)
    work(run, *UPSCALING, *PARTS)
    monkeypatch.setattr(units, "SCORING_SHARE", 0.3)
    both(*words, many=many, expected=1)
    assert steps(run) == {"upscale": 4, "frames": 4, "score": 2}
    monkeypatch.setattr(Psnr, "score", lambda *pair: pytest.fail("computed again"))
    monkeypatch.setattr(Ssim, "score", lambda *pair: pytest.fail("computed again"))
    assert work(run).code == 0
    assert facts(run) == facts(alone)


def test_metrics_added_later_leave_the_others_alone(both, work, tmp_path, monkeypatch):
    many = (f"store={tmp_path / 'own'}",)
    _, run = both("method=bicubic,nearest", "metrics=[psnr]", many=many)
    assert work(run).code == 0
    alone, run = both("method=bicubic,nearest", "metrics=[psnr,ssim,tof]", many=many)
    monkeypatch.setattr(Psnr, "score", lambda *pair: pytest.fail("computed again"))
    assert work(run).code == 0
    assert facts(run) == facts(alone) and sum(each.scored for each in jobs(run)[0].done().values()) == 2 * 2 * 2


def test_how_many_will_come_is_a_number(bench, clips, tmp_path):
    words = ("run", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'run'}", "workers=0", "launch.expected=0")
    answer = bench(*words)
    assert answer.code == 3 and "launch.expected=0: write a whole number of at least 1" in answer.err
