"""Metrics that other programs compute: VMAF by ffmpeg, pyiqa's by name; absent, they say so in one line."""

import importlib.util
import shutil
import sys
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest

from bench.metrics import external, vmaf
from bench.metrics.registry import build
from bench.metrics.vmaf import Vmaf, find_ffmpeg
from bench.store import records
from frames.errors import UserError

# Stands in for ffmpeg where the way to and from the program is tested: it writes the log that libvmaf writes, with
# the mean grey level of each SR frame as its VMAF.
PROGRAM = """#!{python}
import json, pathlib, sys
size = sys.argv[sys.argv.index("-s") + 1]
width, height = map(int, size.split("x"))
data = pathlib.Path("sr.rgb").read_bytes()
assert len(data) == pathlib.Path("gt.rgb").stat().st_size
step = width * height * 3
frames = [data[at:at + step] for at in range(0, len(data), step)]
log = {{"frames": [{{"metrics": {{"vmaf": sum(f) / step}}}} for f in frames][: {keep}]}}
pathlib.Path("vmaf.json").write_text(json.dumps(log))
"""


def program(tmp_path, keep="None"):
    file = tmp_path / "ffmpeg"
    file.write_text(PROGRAM.format(python=sys.executable, keep=keep))
    file.chmod(0o755)
    return str(file)


def told(metric, frames):
    count = metric.begin()
    for frame in frames:
        count.add(frame, frame)
    return count


def test_frames_reach_the_program_as_they_are_and_values_come_back_in_order(tmp_path):
    frames = [np.full((24, 32, 3), level, np.uint8) for level in (10, 200, 30)]
    assert told(Vmaf(program(tmp_path), "test"), frames).values() == [10, 200, 30]


def test_a_program_that_answers_for_fewer_frames_or_fails_is_an_error(tmp_path):
    frames = np.zeros((3, 24, 32, 3), np.uint8)
    with pytest.raises(RuntimeError, match="VMAF of 2 frames for a clip of 3"):
        told(Vmaf(program(tmp_path, keep="2"), "test"), frames).values()
    with pytest.raises(RuntimeError, match="ffmpeg could not compute VMAF: no message"):
        told(Vmaf(shutil.which("false"), "test"), frames).values()


def test_temporary_frames_go_away(tmp_path, monkeypatch):
    monkeypatch.setattr(vmaf.tempfile, "tempdir", str(tmp_path))
    count = told(Vmaf("unused", "test"), np.zeros((1, 24, 32, 3), np.uint8))
    assert list(tmp_path.glob("vmaf-*/sr.rgb"))
    del count
    assert not list(tmp_path.iterdir())


def test_without_ffmpeg_vmaf_says_how_to_get_one(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    find_ffmpeg.cache_clear()
    with pytest.raises(UserError, match="vmaf needs an ffmpeg with libvmaf and there is no ffmpeg here: pip install"):
        build("vmaf")
    find_ffmpeg.cache_clear()


@pytest.mark.skipif(importlib.util.find_spec("imageio_ffmpeg") is None, reason="imageio-ffmpeg is not installed")
def test_vmaf_of_a_real_pair(tid):
    sr, gt = tid["I04"]
    count = build("vmaf").begin()
    count.add(sr, gt)
    # What ffmpeg 7.0.2's libvmaf prints for these two pictures given as files, converted with the same filter.
    assert count.values() == pytest.approx([88.03], abs=0.5)


@pytest.mark.skipif(importlib.util.find_spec("imageio_ffmpeg") is None, reason="imageio-ffmpeg is not installed")
def test_the_other_models_have_figures_signatures_and_titles_of_their_own(tid):
    plain, neg, large = (build(name) for name in ("vmaf", "vmaf-neg", "vmaf-4k"))
    assert [each.kind.title for each in (plain, neg, large)] == ["VMAF", "VMAF-NEG", "VMAF-4K"]
    assert neg.signature.split("|")[1] == "vmaf_v0.6.1neg" and large.signature.split("|")[1] == "vmaf_4k_v0.6.1"
    # What the ffmpeg of imageio-ffmpeg 0.8.1 prints for this pair.
    for metric, expected in ((neg, 87.10), (large, 93.30)):
        count = metric.begin()
        count.add(*tid["I04"])
        assert count.values() == pytest.approx([expected], abs=0.5)


def test_a_libvmaf_without_a_model_is_one_line(monkeypatch):
    monkeypatch.setattr(vmaf, "find_ffmpeg", lambda: (shutil.which("false"), "test"))
    with pytest.raises(UserError, match="false has no model vmaf_4k_v0.6.1 built in; pip install"):
        vmaf.build("vmaf_4k_v0.6.1")


def test_without_pyiqa_its_metrics_say_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    with pytest.raises(UserError, match="metric pyiqa/musiq: pyiqa is not installed; pip install pyiqa"):
        build("pyiqa/musiq")


@pytest.mark.skipif(importlib.util.find_spec("pyiqa") is None, reason="pyiqa is not installed")
def test_a_metric_of_pyiqa_by_name(tid):
    metric, (sr, gt) = build("pyiqa/psnr"), tid["I04"]
    assert metric.score(sr, gt) == pytest.approx(build("psnr").score(sr, gt), abs=1e-3)
    assert metric.kind.reference and metric.kind.better == "higher"
    with pytest.raises(UserError, match="pyiqa has no metric 'psnrr'; did you mean 'psnr'"):
        build("pyiqa/psnrr")


@pytest.fixture
def offline_pyiqa(monkeypatch):
    """A package named pyiqa whose downloads fail; returns the names that it was asked for."""
    asked = []

    def create(name, device):
        asked.append(name)
        if name == "clipiqa":
            raise ModuleNotFoundError("No module named 'pkg_resources'", name="pkg_resources")
        raise URLError("Name or service not known")

    fake = SimpleNamespace(list_models=lambda: ["musiq", "clipiqa"], create_metric=create, __version__="0")
    monkeypatch.setitem(sys.modules, "pyiqa", fake)
    external._created.cache_clear()
    yield asked
    external._created.cache_clear()


def test_weights_that_cannot_be_fetched_cost_one_column_and_one_try(offline_pyiqa, bench, clips, tmp_path):
    words = ("data=folder", f"data.gt={clips}", "timing=none", "metrics=[psnr,pyiqa/musiq]", f"out={tmp_path / 'run'}")
    answer = bench("run", "method=bicubic,nearest", *words)
    assert answer.code == 0, answer.err
    told = [line for line in answer.err.splitlines() if "musiq" in line]
    assert told == [
        "bench: pyiqa/musiq: not at hand: pyiqa could not build it; its weights come from the network "
        "(URLError: <urlopen error Name or service not known>)"
    ]
    for record in records.load(tmp_path / "run").records:
        assert len(record.scores["psnr"].values) == 3 and record.scores["pyiqa/musiq"].values is None
    assert offline_pyiqa == ["musiq"]
    answer = bench("run", "method=bicubic", "data=folder", f"data.gt={clips}", "metrics=[pyiqa/musiq]")
    assert answer.code == 3 and "its weights come from the network" in answer.err, "there is nothing else to score"


def test_a_package_that_pyiqa_lacks_is_named(offline_pyiqa):
    with pytest.raises(UserError, match="pyiqa needs a module .*pkg_resources.*; pip install 'setuptools<81'"):
        build("pyiqa/clipiqa")
