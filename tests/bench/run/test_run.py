"""`python -m bench run`: what it leaves, what it reuses, what a failure costs."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from bench.datasets.folder import Folder
from frames.images import read_image, write_png
from tests.bench.own_method import write_method

FAST = ("metrics=[psnr,ssim]", "timing.repeats=2")


def records_of(folder):
    return [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]


def test_a_set_is_listed_when_it_is_opened_and_not_for_each_record(bench, undrawn, clips, tmp_path, monkeypatch):
    asked = []
    expected = Folder.expected.fget
    monkeypatch.setattr(Folder, "expected", property(lambda self: asked.append(1) or expected(self)))
    words = ("method=bicubic,nearest", "data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing=none")
    assert bench("run", *words, f"out={tmp_path / 'run'}").code == 0
    assert [record["expected_clips"] for record in records_of(tmp_path / "run")] == [2] * 4 and asked == [1]


def test_a_run_leaves_configuration_environment_records_summary_tables_and_plots(bench, drawn, clips, tmp_path):
    out = tmp_path / "run"
    answer = bench("run", "method=bicubic,nearest", "data=folder", f"data.gt={clips}", f"out={out}", *FAST)
    assert answer.code == 0, answer.err
    assert "PSNR-RGB" in answer.out and "4 clips good, 0 failed; 4 upscaled, 8 scores computed" in answer.err
    config = yaml.safe_load((out / "config.yaml").read_text())
    assert [c["method"] for c in config["combinations"]] == ["bicubic", "nearest"]
    environment = json.loads((out / "environment.json").read_text())
    assert environment["packages"]["torch"] and environment["device"] == "cpu" and environment["gpu"] is None
    records = records_of(out)
    assert [(r["clip"], r["method"]) for r in records] == [
        ("pan", "bicubic"),
        ("pan", "nearest"),
        ("tilt", "bicubic"),
        ("tilt", "nearest"),
    ]
    for record in records:
        assert record["status"] == "ok" and len(record["scores"]["psnr"]["values"]) == 3
        times = record["timing"]["tensors"]
        assert len(times["repetitions"]) == 2 and times["first_call_s"] > 0 and times["peak_memory_mb"] > 50
        for repetition in times["repetitions"]:
            assert sum(repetition["stages_s"].values()) == pytest.approx(repetition["total_s"], rel=1e-6)
    summary = pd.read_csv(out / "summary.csv")
    assert list(summary.columns) == "data clip method metric value unit n expected signature low high".split()
    total = summary[(summary["clip"] == "*") & (summary.method == "bicubic")].set_index("metric")
    assert set(total.index) == {"psnr", "ssim", "fps", "ms_per_frame", "mpx_per_s", "peak_memory_mb"}
    clips_mean = summary[
        (summary["clip"] != "*") & (summary.method == "bicubic") & (summary.metric == "psnr")
    ].value.mean()
    assert total.loc["psnr"].value == pytest.approx(clips_mean, abs=1e-6)
    assert (total.loc["psnr"].n, total.loc["psnr"].expected) == (2, 2)
    assert (out / "table.md").read_text().count("| bicubic |") == 1 and r"\toprule" in (out / "table.tex").read_text()
    assert cv2.imread(str(out / "plot.png")).shape[1] > 600 and "<svg" in (out / "plot.svg").read_text()


@pytest.mark.parametrize("store", ["null", "STORE"])
def test_a_clip_too_short_for_the_protocol_costs_itself(bench, clips, tmp_path, store):
    for name in ("00000001.png", "00000002.png"):
        (clips / "pan" / name).unlink()  # pan comes before tilt
    (tmp_path / "mine" / "protocol").mkdir(parents=True)
    (tmp_path / "mine" / "protocol" / "late.yaml").write_text("name: late\nframes: {drop_first: 2}\n")
    kept = f"store={tmp_path / store}" if store != "null" else "store=null"
    words = ("run", "method=bicubic", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'run'}", "timing=none", kept)
    answer = bench(*words, "metrics=[psnr]", "protocol=late", "--config-dir", tmp_path / "mine")
    assert answer.code == 3 and "1 clips good, 1 failed" in answer.err, answer.err
    assert "pan bicubic: FAILED: protocol late scores frames2..-1" in answer.err


def test_a_second_run_computes_nothing_and_a_new_metric_upscales_nothing(bench, clips, tmp_path):
    command = ("run", "method=bicubic", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'run'}", "timing=once")
    assert "2 upscaled, 2 scores computed" in bench(*command, "metrics=[psnr]").err
    assert "nothing to compute" in bench(*command, "metrics=[psnr]").err
    assert "0 upscaled, 2 scores computed" in bench(*command, "metrics=[psnr,ssim]").err
    elsewhere = (*command[:-2], f"out={tmp_path / 'elsewhere'}", "timing=once", "metrics=[psnr,ssim]")
    assert "nothing to compute" in bench(*elsewhere).err


def test_without_a_store_everything_is_computed_again(bench, clips, tmp_path):
    command = (
        "run",
        "method=bicubic",
        "data=folder",
        f"data.gt={clips}",
        f"out={tmp_path / 'run'}",
        *FAST,
        "store=null",
    )
    for _ in range(2):
        assert "2 upscaled, 4 scores computed" in bench(*command).err


def test_a_changed_input_recomputes_that_clip_alone(bench, clips, tmp_path):
    command = ("run", "method=nearest", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'run'}", *FAST)
    bench(*command)
    file = clips / "pan" / "00000001.png"
    cv2.imwrite(str(file), 255 - cv2.imread(str(file)))
    assert "1 upscaled, 2 scores computed" in bench(*command).err


@pytest.mark.parametrize("change", ["timing.repeats=1", "timing.warmup=0", "method.kernel=bilinear"])
def test_a_changed_option_upscales_anew(bench, clips, tmp_path, change):
    command = ("run", "method=bicubic", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'run'}", *FAST)
    bench(*command)
    assert "2 upscaled" in bench(*command, change).err


def test_changed_ground_truth_scores_anew_and_upscales_nothing(bench, clips, tmp_path):
    import shutil

    shutil.copytree(clips, tmp_path / "hr")
    out = tmp_path / "lr"
    bench(
        "run",
        "method=nearest",
        "data=folder",
        f"data.gt={clips}",
        f"out={tmp_path / 'first'}",
        "save=frames",
        "scale=2",
        *FAST,
    )
    shutil.copytree(tmp_path / "first" / "frames" / "nearest" / "folder", out)  # any frames of GT's size serve as LR
    command = ("run", "method=nearest", "data=folder", f"data.root={out}", f"out={tmp_path / 'run'}", *FAST, "scale=1")
    bench(*command, f"data.gt={clips}")
    file = tmp_path / "hr" / "pan" / "00000001.png"
    cv2.imwrite(str(file), 255 - cv2.imread(str(file)))
    answer = bench(*command[:-1], "scale=1", f"data.gt={tmp_path / 'hr'}", "data.name=changed")
    assert answer.code == 0 and "0 upscaled, 2 scores computed" in answer.err


def test_methods_take_turns_and_say_so(bench, clips, tmp_path):
    out = tmp_path / "run"
    bench("run", "method=bicubic,nearest,bilinear", "data=folder", f"data.gt={clips}", f"out={out}", *FAST)
    assert {r["timing"]["tensors"]["interleaved_with"] for r in records_of(out)} == {2}
    bench(
        "run",
        "method=bicubic,nearest",
        "timing.interleave=false",
        "data=folder",
        f"data.gt={clips}",
        f"out={tmp_path / 'alone'}",
        *FAST,
    )
    assert {r["timing"]["tensors"]["interleaved_with"] for r in records_of(tmp_path / "alone")} == {0}


def test_a_broken_frame_costs_its_clip_and_nothing_else(bench, clips, tmp_path):
    file = clips / "tilt" / "00000002.png"
    file.write_bytes(file.read_bytes()[:-500])
    out = tmp_path / "run"
    answer = bench("run", "method=bicubic", "data=folder", f"data.gt={clips}", f"out={out}", *FAST)
    assert answer.code == 3 and "1 clips good, 1 failed" in answer.err
    line = next(line for line in answer.err.splitlines() if "FAILED" in line)
    assert "00000002.png" in line and "Traceback" not in answer.err
    assert "1/2" in (out / "table.md").read_text()
    assert "Traceback" in (out / "errors.log").read_text()


def test_options_are_swept_and_given_only_to_the_methods_that_have_them(bench, clips, tmp_path):
    out = tmp_path / "run"
    answer = bench(
        "run",
        "method=bicubic,realesrgan",
        "method.tile=0,8",
        "data=folder",
        f"data.gt={clips}",
        "data.clips=[pan]",
        "data.frames=1",
        "metrics=[psnr]",
        "timing=once",
        f"out={out}",
    )
    assert answer.code == 0, answer.err
    assert [r["method"] for r in records_of(out)] == ["bicubic", "realesrgan[tile=0]", "realesrgan[tile=8]"]


def test_one_folder_does_not_mix_clips_of_unlike_options(bench, clips, tmp_path):
    command = ("run", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'run'}", "metrics=[psnr]", "timing=once")
    assert bench(*command).code == 0
    answer = bench(*command, "scale=2")
    assert answer.code == 3 and "scale" in answer.err and "out=DIR" in answer.err


def test_sr_frames_are_kept_on_request_and_score_the_same_when_given_back(bench, clips, tmp_path):
    out = tmp_path / "run"
    common = ("data=folder", f"data.gt={clips}", *FAST)
    bench("run", "method=bicubic", "save=frames", f"out={out}", *common)
    answer = bench(
        "run",
        "method=precomputed",
        f"method.root={out / 'frames' / 'bicubic' / 'folder'}",
        "method.name=again",
        f"out={tmp_path / 'again'}",
        *common,
    )
    assert answer.code == 0, answer.err
    first, again = records_of(out), records_of(tmp_path / "again")
    assert [r["sr_sha256"] for r in first] == [r["sr_sha256"] for r in again]
    assert [r["scores"]["psnr"]["values"] for r in first] == [r["scores"]["psnr"]["values"] for r in again]
    assert again[0]["timing"] == {} and "given" in again[0]["timing_reason"]


def test_the_scope_files_times_reading_and_writing_too(bench, clips, tmp_path):
    out = tmp_path / "run"
    answer = bench(
        "run",
        "method=bicubic",
        "data=folder",
        f"data.gt={clips}",
        "metrics=[psnr]",
        "timing.scopes=[tensors,files]",
        f"out={out}",
    )
    assert answer.code == 0, answer.err
    stages = records_of(out)[0]["timing"]["files"]["repetitions"][0]["stages_s"]
    assert {"read", "write"} <= stages.keys()
    assert "fps-files" in set(pd.read_csv(out / "summary.csv").metric)


REMEMBERS = """
import time
from baselines.interpolation import Interpolation

class Remembers(Interpolation):
    seen = set()
    def upscale(self, lr, stages):
        if (given := lr.numpy().tobytes()) not in self.seen:
            time.sleep(0.3)
        self.seen.add(given)
        return super().upscale(lr, stages)
"""


def test_a_method_that_remembers_its_input_is_flagged_in_every_scope(bench, clips, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    folder, out = write_method(tmp_path, "remembers", REMEMBERS), tmp_path / "run"
    words = ("method=remembers", "data=folder", f"data.gt={clips / 'pan'}", "metrics=[psnr]", f"out={out}")
    answer = bench("run", *words, "timing.scopes=[tensors,files]", "device=cpu", "--config-dir", folder)
    assert answer.code == 0, answer.err
    assert {scope: times["cached"] for scope, times in records_of(out)[0]["timing"].items()} == {
        "tensors": True,
        "files": True,
    }


def test_without_ground_truth_clips_are_timed_and_scores_are_absent(bench, clips, tmp_path):
    out = tmp_path / "run"
    answer = bench("run", "method=bicubic", "data=folder", f"data.root={clips}", "save=video", f"out={out}", *FAST)
    assert answer.code == 0, answer.err
    record = records_of(out)[0]
    assert record["scores"]["psnr"] | {"signature": ""} == record["scores"]["psnr"] | {"signature": "", "values": None}
    assert record["scores"]["psnr"]["reason"] == "no ground truth"
    assert (out / "video" / "bicubic" / "folder" / "pan.mp4").stat().st_size > 500


def test_table_and_plot_verbs_render_a_run_again(bench, drawn, clips, tmp_path):
    out = tmp_path / "run"
    bench("run", "method=bicubic,nearest", "data=folder", f"data.gt={clips}", f"out={out}", *FAST)
    assert bench("table", out, "--format", "md").out.strip() == (out / "table.md").read_text().strip()
    before = (out / "plot.png").read_bytes(), (out / "plot.svg").read_bytes()
    assert bench("plot", out).code == 0
    assert ((out / "plot.png").read_bytes(), (out / "plot.svg").read_bytes()) == before


def test_export_gives_every_frame_and_every_repetition(bench, clips, tmp_path):
    out = tmp_path / "run"
    bench("run", "method=bicubic", "data=folder", f"data.gt={clips}", f"out={out}", *FAST)
    assert bench("export", out, "--out", tmp_path / "all.parquet").code == 0
    frame = pd.read_parquet(tmp_path / "all.parquet")
    assert len(frame[frame.kind == "score"]) == 2 * 2 * 3
    assert len(frame[frame.name == "tensors/total"]) == 2 * 2
    assert bench("export", out, "--out", tmp_path / "all.txt").code == 3


def test_runs_are_listed(bench, clips, tmp_path):
    bench("run", "method=bicubic", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'runs' / 'one'}", *FAST)
    answer = bench("runs", tmp_path / "runs")
    assert answer.code == 0 and "bicubic" in answer.out and "folder" in answer.out
    (tmp_path / "empty").mkdir()
    empty, nowhere = bench("runs", tmp_path / "empty"), bench("runs", tmp_path / "nowhere")
    assert empty.code == 0 and "no runs" in empty.out
    assert nowhere.code == 3 and "nowhere: no such folder" in nowhere.err


def test_the_doctor_looks_at_what_is_scored_and_corrects_nothing(bench, clips, tmp_path):
    for clip in ("pan", "tilt"):
        for file in sorted((clips / clip).iterdir()):
            swapped = tmp_path / "bgr" / clip / file.name
            swapped.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(swapped), cv2.imread(str(file))[..., ::-1])
    out = tmp_path / "run"
    command = (
        "run",
        "method=precomputed",
        f"method.root={tmp_path / 'bgr'}",
        "data=folder",
        f"data.gt={clips}",
        f"out={out}",
        "metrics=[psnr]",
    )
    for _ in range(2):  # the second time from the store
        answer = bench(*command)
        assert answer.code == 0 and "the doctor says" in answer.err
    record = records_of(out)[-1]
    assert [finding["kind"] for finding in record["doctor"]] == ["channels"]
    assert sum(record["scores"]["psnr"]["values"]) / 3 < 40


def test_a_metric_that_refuses_is_absent_with_its_reason_and_costs_no_other(bench, clips, tmp_path):
    for file in clips.rglob("*.png"):
        write_png(file, np.ascontiguousarray(read_image(file)[:8, :40]))
    out = tmp_path / "run"
    command = ("run", "method=bicubic", "data=folder", f"data.gt={clips}", "metrics=[psnr,ssim]", "timing=once")
    for _ in range(2):  # the second time from the store
        answer = bench(*command, f"out={out}")
        assert answer.code == 0 and "ssim is absent: frame 0: frame of 40x8 is too small" in answer.err
    for record in records_of(out):
        assert record["status"] == "ok" and len(record["scores"]["psnr"]["values"]) == 3
        assert record["scores"]["ssim"]["values"] is None
        assert record["scores"]["ssim"]["reason"].startswith("frame 0: frame of 40x8 is too small")


def test_a_frame_that_equals_gt_is_counted_with_the_pooled_figure(bench, clips, tmp_path):
    for name in ("pan", "tilt"):
        file = clips / name / "00000001.png"
        write_png(file, np.zeros_like(read_image(file)))
    command = ("run", "method=bicubic", "data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing=once")
    answer = bench(*command, f"out={tmp_path / 'run'}")
    assert answer.code == 0 and "psnr: 1 of 3 frames are equal to GT, so its mean is infinite" in answer.err
    assert "dB pooled over all frames" in answer.err


def test_metrics_that_a_method_was_trained_on_are_in_its_records(bench, clips, tmp_path):
    out = tmp_path / "run"
    command = ("run", "method=bicubic", "data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing=once")
    answer = bench(*command, f"out={out}", "+method.trained_on=[psnr]")
    assert answer.code == 0 and "trained on this metric" in answer.out, answer.err
    assert records_of(out)[0]["descriptor"]["trained_on"] == ["psnr"]
    answer = bench(*command, f"out={tmp_path / 'other'}", "+method.trained_on=[pnsr]")
    assert answer.code == 3 and "unknown metric 'pnsr'; did you mean 'psnr'" in answer.err


def test_a_clip_whose_frames_are_of_two_sizes_costs_its_own_cells_alone(bench, clips, tmp_path):
    file = clips / "tilt" / "00000002.png"
    cv2.imwrite(str(file), cv2.imread(str(file))[:-3])
    out = tmp_path / "run"
    answer = bench("run", "method=bicubic", "data=folder", f"data.gt={clips}", f"out={out}", *FAST)
    assert answer.code == 3 and "1 clips good, 1 failed" in answer.err and "Traceback" not in answer.err
    line = next(line for line in answer.err.splitlines() if "FAILED" in line)
    assert "tilt" in line and "00000002.png" in line
    assert [r["status"] for r in records_of(out)] == ["ok", "failed"]
    assert bench("table", out).code == 0
