"""Mistakes of a user are answered by one clear line and a non-zero exit, without a traceback."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.run.folder import RunFolder
from bench.store import records
from frames.images import write_png
from tests.bench.own_method import write_method

QUICK = ("metrics=[psnr]", "timing=once")


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["run", "method=bicubc"], "unknown method 'bicubc'; did you mean 'bicubic'?"),
        (["run", "data=red4"], "unknown data 'red4'; did you mean 'reds4'?"),
        (["run", "metod=bicubic"], "unknown option 'metod'; did you mean 'method'?"),
        (["run", "metric=5"], "unknown option 'metric'; did you mean 'metrics'?"),
        (["run", "@x=5"], "unknown option '@x'"),
        (["run", "method.kernl=x"], "unknown option 'method.kernl'; did you mean 'method.kernel'?"),
        (["run", "timing.repeats=many"], "timing.repeats"),
        (["run", "timing.scopes=[tensor]"], "did you mean 'tensors'?"),
        (["run", "metrics=[psrn]"], "unknown metric 'psrn'; did you mean 'psnr'?"),
        (["run", "method=bicubic", "data=vid4", "data.root=/nowhere"], "/nowhere"),
        (["run", "method=precomputed"], "method.root"),
        (["run", "method=precomputed", "method.root=/nowhere"], "/nowhere: no such folder or file"),
        (["run", "method.name="], "method.name=: give it a name"),
        (["run", "data.name=' '"], "data.name=: give it a name"),
        (["run", "method.name=null"], "method.name=: give it a name"),
        (["run", "=3"], "cannot read the options"),
        (["run", "--fast"], "unknown flag --fast"),
        (["run", "method=bicubic", "data=sample", "--config-dir="], "--config-dir: the name of a folder is missing"),
        (["run", "--multirun", "method=bicubic"], "several values are written with commas"),
        (["run", "~method"], "options cannot be taken away"),
        (["rnu"], "unknown command 'rnu'; did you mean 'run'?"),
        (["table", "/nowhere"], "no records.jsonl"),
    ],
)
def test_a_mistake_is_answered_in_one_line(bench, tmp_path, arguments, expected):
    if arguments[0] == "run":
        arguments = [*arguments, f"out={tmp_path / 'run'}"]
    answer = bench(*arguments)
    assert answer.code == 3
    lines = [line for line in answer.err.splitlines() if line.strip()]
    assert expected in answer.err and "Traceback" not in answer.err
    assert len([line for line in lines if line.startswith("bench: ")]) == 1 or "FAILED" in answer.err


def test_the_last_word_needs_its_folder(bench):
    answer = bench("list", "--config-dir")
    assert answer.code == 3 and answer.err.startswith("bench: --config-dir: the name of a folder is missing; write")
    assert answer.err.count("\n") == 1


def test_an_empty_folder(bench, tmp_path):
    (tmp_path / "empty").mkdir()
    answer = bench("run", "data=folder", f"data.root={tmp_path / 'empty'}", f"out={tmp_path / 'run'}")
    assert answer.code == 3 and str(tmp_path / "empty") in answer.err


def test_frames_of_another_size_than_the_ground_truth(bench, clips, tmp_path, photo):
    for clip in ("pan", "tilt"):
        for index in range(3):
            write_png(tmp_path / "sr" / clip / f"{index:08d}.png", photo[:60, :96])
    answer = bench(
        "run",
        "method=precomputed",
        f"method.root={tmp_path / 'sr'}",
        "data=folder",
        f"data.gt={clips}",
        f"out={tmp_path / 'run'}",
        *QUICK,
    )
    assert answer.code == 3 and "96x60" in answer.err and "96x64" in answer.err


def test_no_permission_to_write(bench, clips, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    answer = bench("run", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'file' / 'run'}", *QUICK)
    assert answer.code == 3 and "out=DIR" in answer.err


def test_a_missing_gpu_is_an_invalid_environment(bench, monkeypatch, tmp_path):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    answer = bench("run", "device=cuda", f"out={tmp_path / 'run'}")
    assert answer.code == 4 and "CUDA" in answer.err


def test_assets_that_were_not_fetched_name_the_remedy(tmp_path):
    """In a process of its own: found assets are remembered."""
    environment = {**os.environ, "BENCH_ASSETS": str(tmp_path / "nothing")}
    command = [sys.executable, "-m", "bench", "run", "method=bicubic", "data=sample", f"out={tmp_path / 'run'}"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 3 and "bench data fetch" in done.stderr and "Traceback" not in done.stderr


def test_ctrl_c_keeps_finished_clips_and_says_how_to_go_on(bench, clips, tmp_path, monkeypatch):
    from bench.run import score as step

    score, calls = step.score_together, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return score(*arguments)

    monkeypatch.setattr(step, "score_together", interrupted)
    command = ("run", "method=bicubic", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'run'}", *QUICK)
    answer = bench(*command)
    assert answer.code == 130 and f"out={tmp_path / 'run'}" in answer.err
    assert len((tmp_path / "run" / "records.jsonl").read_text().splitlines()) == 1
    monkeypatch.setattr(step, "score_together", score)
    assert "2 clips good, 0 failed; 0 upscaled, 1 scores computed" in bench(*command).err
    calls.clear()
    monkeypatch.setattr(step, "score_together", interrupted)
    assert "with store=null the same command begins anew" in bench(*command, "store=null").err


def test_a_method_that_hangs_costs_its_clip(bench, clips, tmp_path, monkeypatch):
    code = (
        "import signal, time\n"
        "from bench.methods.contract import Descriptor\n"
        "class Slow:\n"
        "    descriptor = Descriptor(\n"
        "        name='slow', scale=4, kind='image', device='cpu', dtype='float32', licence='', weights='')\n"
        "    def upscale(self, lr, stages):\n"
        "        signal.setitimer(signal.ITIMER_REAL, 0.01)\n"  # the limit is over now, for this method alone
        "        time.sleep(3600)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    mine = write_method(tmp_path, "slow", code, options="")
    answer = bench(
        "run",
        "--config-dir",
        mine,
        "method=slow,bicubic",
        "data=folder",
        f"data.gt={clips}",
        f"out={tmp_path / 'run'}",
        *QUICK,
        "timing.limit_s=600",
    )
    assert (
        answer.code == 3
        and "2 clips good, 2 failed" in answer.err
        and "took longer than timing.limit_s=600" in answer.err
    )


def test_two_runs_at_once_share_a_folder_and_a_store(clips, tmp_path):
    environment = {**os.environ, "BENCH_STORE": str(tmp_path / "store")}
    command = [
        sys.executable,
        "-m",
        "bench",
        "run",
        "data=folder",
        f"data.gt={clips}",
        f"out={tmp_path / 'run'}",
        *QUICK,
    ]
    both = [
        subprocess.Popen([*command, f"method={method}"], env=environment, stdout=subprocess.DEVNULL)
        for method in ("bicubic", "nearest")
    ]
    assert [each.wait(600) for each in both] == [0, 0]
    found = records.load(tmp_path / "run").records
    assert {(r.clip, r.method, r.status) for r in found} == {
        (clip, method, "ok") for clip in ("pan", "tilt") for method in ("bicubic", "nearest")
    }


def test_runs_that_begin_at_once_do_not_take_the_folder_from_each_other(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: RunFolder(str(tmp_path / "run")), range(200)))
    assert not list((tmp_path / "run").iterdir())
