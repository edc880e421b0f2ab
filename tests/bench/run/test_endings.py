"""How a run ends when the world around it does not behave: signals, closed pipes, full disks, no temporary folder."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from bench.run import device
from bench.store import prediction as predictions
from frames.images import write_png
from tests.bench.own_method import write_method

QUICK = ("data=folder", "metrics=[psnr]", "timing=once")
SLOW = """
import time
from pathlib import Path
from bench.methods.contract import Descriptor
class Slow:
    descriptor = Descriptor(name="slow", scale=4, kind="image", device="cpu", dtype="uint8", licence="", weights="none")
    def upscale(self, lr, stages):
        if lr.shape[0] == 3:
            Path(__file__).with_name("asleep").touch()
            time.sleep(3600)
        return lr.repeat_interleave(4, 2).repeat_interleave(4, 3)
"""


def started(tmp_path, *arguments, **options):
    environment = {**os.environ, "BENCH_STORE": str(tmp_path / "store"), "PYTHONPATH": str(tmp_path)}
    environment |= options.pop("environment", {})
    command = [sys.executable, "-m", "bench", "run", *QUICK, f"out={tmp_path / 'run'}", *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[3], text=True, **streams)


def records_of(folder):
    file = folder / "records.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_leaves_a_summary_and_no_temporary_files(clips, tmp_path, default_signals, name):
    mine = write_method(tmp_path, "slow", SLOW, options="")
    (clips / "pan" / "00000002.png").unlink()  # two frames: the first clip is quick, the second sleeps
    (tmp_path / "tmp").mkdir()
    process = started(
        tmp_path,
        "--config-dir",
        str(mine),
        "method=slow",
        f"data.gt={clips}",
        "timing.scopes=[files]",
        environment={"TMPDIR": str(tmp_path / "tmp")},
    )
    while not (tmp_path / "asleep").exists() and process.poll() is None:
        time.sleep(0.05)
    assert len(records_of(tmp_path / "run")) == 1 and list((tmp_path / "tmp").glob("bench-*"))
    process.send_signal(getattr(signal, name))
    _, said = process.communicate(timeout=600)
    assert process.returncode == 130 and "interrupted; finished clips are kept" in said and "Traceback" not in said
    assert (tmp_path / "run" / "summary.csv").exists() and "slow" in (tmp_path / "run" / "table.md").read_text()
    assert not list((tmp_path / "tmp").glob("bench-*"))


def test_a_reader_that_leaves_early_does_not_stop_a_run(clips, tmp_path):
    process = started(tmp_path, f"data.gt={clips}", stderr=subprocess.STDOUT)
    assert process.stdout.readline().startswith("[1/2]")
    process.stdout.close()
    assert process.wait(600) == 0
    assert len(records_of(tmp_path / "run")) == 2 and (tmp_path / "run" / "table.md").exists()


def test_names_that_are_not_utf_8_an_ascii_terminal_and_no_temporary_folder(clips, tmp_path):
    shutil.move(clips / "pan", os.fsdecode(os.fsencode(clips) + b"/caf\xe9"))
    environment = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "TMPDIR": str(tmp_path / "nowhere")}
    process = started(tmp_path, f"data.gt={clips}", environment=environment)
    out, said = process.communicate(timeout=600)
    assert process.returncode == 0, said
    assert len(records_of(tmp_path / "run")) == 2 and "\\udce9" in said and "PSNR" in out


def test_runs_into_one_folder_are_merged(bench, clips, tmp_path):
    common = ("run", *QUICK, f"data.gt={clips}", f"out={tmp_path / 'run'}")
    for method in ("bicubic", "nearest"):
        assert bench(*common, f"method={method}").code == 0
    found = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["combinations"]
    assert [each["method"] for each in found] == ["bicubic", "nearest"]
    for file in ("summary.csv", "table.md"):
        text = (tmp_path / "run" / file).read_text()
        assert "bicubic" in text and "nearest" in text
    assert bench(*common, "method=bicubic").code == 0
    found = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["combinations"]
    assert sorted(each["method"] for each in found) == ["bicubic", "nearest"]


@pytest.mark.parametrize(
    "text, says",
    [("", "it is empty"), ("- a\n", "it is a list"), ("combinations: 5\n", "no list"), ("a: &a [*a]\n", "aliases")],
)
def test_a_damaged_configuration_of_a_run_folder_is_one_line(bench, clips, tmp_path, text, says):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text(text)
    answer = bench("run", *QUICK, f"data.gt={clips}", f"out={tmp_path / 'run'}")
    assert answer.code == 3 and "config.yaml" in answer.err and says in answer.err and "out=DIR" in answer.err


def test_damage_in_the_store_is_healed_by_the_next_run(bench, clips, tmp_path):
    def run(*arguments):
        return bench("run", *QUICK, f"data.gt={clips}", f"out={tmp_path / 'run'}", *arguments)

    run()
    first = records_of(tmp_path / "run")[0]
    folder = tmp_path / "store" / "predictions" / first["prediction"]
    one, other = folder / "00000000.png", folder / "00000001.png"
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    answer = run("metrics=[psnr,ssim]")
    assert answer.code == 0 and "damaged" in answer.err and "1 upscaled, 2 scores computed" in answer.err
    again = records_of(tmp_path / "run")[2]
    assert again["sr_sha256"] == first["sr_sha256"] and again["scores"]["psnr"] == first["scores"]["psnr"]
    assert "nothing to compute" in run("metrics=[psnr,ssim]").err


def test_frames_that_nobody_reads_again_are_not_needed(bench, clips, tmp_path):
    common = ("run", *QUICK, f"data.gt={clips}", f"out={tmp_path / 'run'}")
    bench(*common)
    for file in (tmp_path / "store" / "predictions").rglob("0*.png"):
        file.write_bytes(b"")
    assert "nothing to compute" in bench(*common).err
    answer = bench(*common, "save=frames")
    assert answer.code == 0 and "2 upscaled" in answer.err


def test_a_disk_that_fills_up_costs_the_reuse_and_not_the_results(bench, clips, tmp_path, monkeypatch):
    left = [4]  # so many frames fit

    def filling(path, frame):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device", str(path))
        write_png(path, frame)

    monkeypatch.setattr(predictions, "write_png", filling)
    answer = bench("run", *QUICK, "method=bicubic,nearest", f"data.gt={clips}", f"out={tmp_path / 'run'}")
    assert answer.code == 0 and "4 clips good, 0 failed" in answer.err
    assert answer.err.count("not kept for later runs") == 1 and "free some space" in answer.err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk_under_the_store(bench, clips, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", store], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        answer = bench("run", *QUICK, "method=bicubic,nearest", f"data.gt={clips}", f"out={tmp_path / 'run'}")
        assert answer.code == 0 and "4 clips good, 0 failed" in answer.err and "No space left" in answer.err
        subprocess.run(["mount", "-o", "remount,ro", store], check=True)
        answer = bench("run", *QUICK, "method=bicubic,nearest", f"data.gt={clips}", f"out={tmp_path / 'run'}")
        assert answer.code == 0 and "4 clips good, 0 failed" in answer.err
    finally:
        subprocess.run(["umount", store], check=True)


def test_a_gpu_that_fails_ends_the_run_after_that_clip_and_the_same_command_measures_the_rest(
    bench, clips, tmp_path, monkeypatch
):
    """Once a kernel has failed, CUDA refuses all that the process asks for: every later clip was recorded as failed."""

    def refuse(device):
        raise RuntimeError("CUDA error: device-side assert triggered")

    real, words = device.check_serves, ("method=bicubic", f"data.gt={clips}", f"out={tmp_path / 'run'}", "device=cpu")
    with monkeypatch.context() as patch:
        patch.setattr("torch.cuda.synchronize", refuse)
        patch.setattr("torch.cuda.is_initialized", lambda: True)
        patch.setattr("bench.run.measurer.check_serves", lambda _, where: real("cuda:0", where))
        answer = bench("run", *QUICK, *words)
    assert answer.code == 4 and "the same command measures the rest" in answer.err and "assert triggered" in answer.err
    assert len(records_of(tmp_path / "run")) == 1 and "1 of 2 clips" in (tmp_path / "run" / "table.md").read_text()
    answer = bench("run", *QUICK, *words)
    assert answer.code == 0 and "2 clips good, 0 failed; 1 upscaled" in answer.err
