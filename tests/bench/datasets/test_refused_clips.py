"""A clip that cannot be opened costs its own cells: the others are measured, and reports say why it is missing."""

import json
import shutil

import numpy as np
import pytest

from bench.datasets.clip import build_clip
from bench.datasets.sources import image_files
from frames.degradations import Bicubic, ClipBicubic, Seeded
from frames.images import write_png
from frames.video import read_video, write_video


@pytest.fixture
def broken(clips, request):
    """Two good clips as `clips` makes them, and a third that is wrong in its own way."""
    bad = clips / "wrong"
    shutil.copytree(clips / "tilt", bad)
    if request.param == "header":
        (bad / "00000001.png").write_bytes(b"GIF89a")
    elif request.param == "size":
        write_png(bad / "00000001.png", np.zeros((63, 80, 3), np.uint8))
    elif request.param == "folder":
        (bad / "crops.png").mkdir()
    return clips


@pytest.mark.parametrize("broken", ["header", "size", "folder"], indirect=True)
def test_one_clip_is_refused_and_the_run_goes_on(bench, broken, tmp_path):
    out = tmp_path / "run"
    command = ("method=bicubic", "data=folder", f"data.gt={broken}", "metrics=[psnr]", "timing=once", f"out={out}")
    answer = bench("run", *command)
    assert answer.code == 3 and "2 clips good, 1 failed" in answer.err
    records = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    assert {record["clip"]: record["status"] for record in records} == {"pan": "ok", "tilt": "ok", "wrong": "failed"}
    assert "/wrong" in records[-1]["reason"]
    assert "2/3" in (out / "table.md").read_text() and ", refused" not in (out / "table.md").read_text()
    assert bench("report", out).code == 0
    assert bench("data", "verify", "folder", f"data.gt={broken}").code == 1
    shown = bench("data", "folder", f"data.gt={broken}")
    assert shown.code == 0 and "2 of 3 clips" in shown.out and "clip wrong cannot be used: " in shown.out


def test_a_truncated_video_is_no_shorter_video(bench, tmp_path):
    whole = tmp_path / "gt" / "whole.mkv"
    write_video(whole, [np.full((32, 48, 3), 40 * t, np.uint8) for t in range(5)], 25, lossless=True)
    data = whole.read_bytes()
    cut = tmp_path / "gt" / "cut.mkv"
    cut.write_bytes(data[:-200])
    with pytest.raises(ValueError):
        list(read_video(cut))
    command = ("method=bicubic", "data=folder", "metrics=[psnr]", "timing=once", f"out={tmp_path / 'run'}")
    answer = bench("run", *command, f"data.gt={tmp_path / 'gt'}")
    assert answer.code == 3 and "1 clips good, 1 failed" in answer.err and "cut.mkv: " in answer.err
    alone = bench("run", *command[:-1], f"out={tmp_path / 'alone'}", f"data.gt={cut}")
    assert alone.code == 3 and len(alone.err.splitlines()) == 1
    verified = bench("data", "verify", "folder", f"data.gt={tmp_path / 'gt'}")
    assert verified.code == 1 and "cut.mkv: " in verified.out and "folder: 1 problem" in verified.out


class Floats(Bicubic):
    """A degradation of one's own that forgets to round."""

    def __call__(self, gt):
        return super().__call__(gt) / 255


class FewerFrames(ClipBicubic):
    """One of whole clips that loses a frame."""

    def __call__(self, clip, rng):
        return super().__call__(clip, rng)[1:]


@pytest.mark.parametrize(
    "degradation, words",
    [
        (Floats(2, "mine"), r"mine made float64 \(32, 40, 3\) from a GT frame of \(64, 80, 3\); .*uint8 \(32, 40, 3\)"),
        (Seeded("mine", FewerFrames(scale=2), 0), r"mine made uint8 \(1, 32, 40, 3\); .*uint8 \(2, 32, 40, 3\)"),
    ],
)
def test_lr_frames_of_a_wrong_type_or_size_are_blamed_on_their_degradation(tmp_path, degradation, words):
    for index in range(2):
        write_png(tmp_path / f"{index}.png", np.full((64, 80, 3), 99, np.uint8))
    gt = image_files(sorted(tmp_path.iterdir()))
    clip = build_clip("c", scale=2, fps=24, gt=gt, lr=None, degradation=degradation)
    with pytest.raises(ValueError, match=words):
        list(clip.lr())
