"""The GPU runbook on a CPU at toy size: the same code, figures that mean nothing."""

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bench.timing import clock
from studies.gpu import check
from studies.gpu.__main__ import main
from studies.gpu.cases import FULL, TINY
from studies.gpu.record import Record
from studies.gpu.stand_in import UNet

ROOT = Path(__file__).parents[2]
TINY_CPU = ["--tiny", "--device", "cpu"]
ABSENT = ("hydra", "omegaconf", "av", "lpips", "diffusers", "pandas")  # from a bare GPU machine
FACTS = {
    "command": "python -m studies.gpu check",
    "device": "Some GPU",
    "driver": "1.2",
    "torch": "3",
    "date": "2026",
}


def written(folder: Path, step: str) -> dict:
    (file,) = folder.glob(f"{step}-*.json")
    assert file.with_suffix(".log").read_text()
    return json.loads(file.read_text())


@pytest.fixture
def own_time(monkeypatch):
    """The clock is this process's own work and what it sleeps: others on the machine do not move it."""
    slept = [0.0]
    monkeypatch.setattr(check, "time", SimpleNamespace(sleep=slept.append))
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=lambda: time.process_time() + sum(slept)))


def test_check_holds_on_a_cpu_and_says_what_it_compared(tmp_path, capsys, own_time):
    assert main(["check", *TINY_CPU, "--out", str(tmp_path)]) == 0
    record = written(tmp_path, "check")
    checks = {row["check"]: row["holds"] for row in record["rows"]}
    assert all(checks.values())
    assert {
        "stopwatch against a known sleep, relative error",
        "stages of 2b-tiny paper, share not covered",
    } < checks.keys()
    assert {"device", "driver", "torch", "date", "command"} < record.keys()
    assert "holds" in capsys.readouterr().out


def on_a_bare_machine(step: str, folder: Path) -> str:
    """Run a step in a process without the packages that a bare GPU machine lacks; returns what it printed."""
    code = "import sys\nfor name in {}: sys.modules[name] = None\n"
    code += "from studies.gpu.__main__ import main\nsys.exit(main({}))"
    arguments = [step, *TINY_CPU, "--out", str(folder), "--repeats", "1"]
    done = subprocess.run(
        [sys.executable, "-c", code.format(ABSENT, arguments)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_headline_has_all_rows_on_a_machine_with_little_installed(tmp_path):
    on_a_bare_machine("headline", tmp_path)
    record = written(tmp_path, "headline")
    rows = [row for row in record["rows"] if not row.get("envelope")]
    clips = {(r["path"], r["steps"], r["mode"]) for r in rows if "path" in r and r["frames"] == TINY.clip[0]}
    assert clips == {(p, s, m) for p in ("turbo", "paper") for s in TINY.steps for m in ("eager", "compiled")}
    assert {"basicvsr", "realesrgan", "per-frame diffusion"} < {row["method"] for row in rows}
    assert all(row["weights"] == "random" for row in record["rows"] if row["method"].startswith("turbovsr"))
    assert sum(row.get("envelope", False) for row in record["rows"]) == 4
    for row in record["rows"]:
        assert row["seconds"] > 0 and row["peak_gib"] > 0
        assert sum(row["stages_s"].values()) == pytest.approx(row["seconds"], rel=0.02)
    assert record["notes"]["ceilings"]["matmul_tflop_s"] > 0


def test_profile_names_the_longest_operations_of_the_slowest_stage(tmp_path, capsys):
    assert main(["profile", *TINY_CPU, "--out", str(tmp_path)]) == 0
    for row in written(tmp_path, "profile")["rows"]:
        assert 0 < len(row["kernels"]) <= 10
        assert row["kernels"][0]["ms"] >= row["kernels"][-1]["ms"]
    assert "top 10 kernels" in capsys.readouterr().out


def test_profile_looks_at_the_stage_it_is_told(tmp_path, capsys):
    assert main(["profile", *TINY_CPU, "--stage", "condition", "--out", str(tmp_path)]) == 0
    rows = written(tmp_path, "profile")["rows"]
    assert rows and all(row["stage"] == "condition" and row["kernels"] for row in rows)


@pytest.mark.parametrize("step", ["check", "headline", "profile", "training"])
def test_without_cuda_one_line_and_exit_code_4(step, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main([step, "--out", str(tmp_path / "none")]) == 4
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "--device cpu" in error
    assert not (tmp_path / "none").exists()


def test_full_size_on_a_cpu_is_refused(tmp_path, capsys):
    assert main(["headline", "--device", "cpu", "--out", str(tmp_path)]) == 3
    assert "--tiny" in capsys.readouterr().err


def test_a_failing_row_is_written_down_and_the_others_go_on(tmp_path):
    record = Record("check", tmp_path, FACTS)

    def fail() -> dict:
        raise torch.OutOfMemoryError("no room")

    record.measure({"check": "first"}, fail)
    record.measure({"check": "second"}, lambda: {"found": 1.0})
    kept = written(tmp_path, "check")["rows"]
    assert "no room" in kept[0]["error"] and kept[1]["found"] == 1.0
    assert record.exit_code() == 3


def test_no_row_is_begun_when_the_time_is_up(tmp_path):
    record = Record("headline", tmp_path, FACTS, limit_s=0)
    assert "time was up" in record.measure({"method": "any"}, lambda: {"seconds": 1.0})["error"]
    assert record.exit_code() == 2


def test_the_stand_in_has_the_size_of_stable_diffusion_2_1():
    with torch.device("meta"):
        network = UNet()
    condition = 4 * 320 * 9  # four more input channels for the LR latent
    assert sum(p.numel() for p in network.parameters()) == 865_910_724 + condition


def test_the_headline_is_two_seconds_of_1080p():
    assert FULL.clip == (49, 1080, 1920) and FULL.image == (3648, 2048) and FULL.steps == (1, 2, 4)


def test_training_measures_a_step_of_both_stages_beside_the_prediction(tmp_path):
    said = on_a_bare_machine("training", tmp_path)
    record = written(tmp_path, "training")
    assert [row["stage"] for row in record["rows"]] == ["condition", "shortcut"]
    for row in record["rows"]:
        assert row["weights"] == "random" and min(row["seconds"], row["predicted_gib"], row["mfu"]) > 0
    assert "predicted" in said
