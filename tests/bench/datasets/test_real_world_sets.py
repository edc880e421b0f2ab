"""The sets of the diffusion-VSR papers: every layout in which people have them, and what is said when one is broken."""

import json
import os
import shutil

import numpy as np
import pytest

from bench.commands.data import _build
from bench.datasets.spmcs import SPMCS
from frames.errors import OK, REGRESSED
from frames.images import read_image
from frames.video import write_video
from tests.bench.datasets.trees import Tree

LR, GT = (8, 12), (32, 48)
UDM10 = ["archpeople", "archwall", "auditorium", "band", "caffe", "camera", "clap", "lake", "photography", "polyflow"]
NUMBERED = [f"{index:03d}" for index in range(50)]
REALVSR_ENDS, MVSR4X_ENDS = ["016", "492"], ["003", "466"]


@pytest.fixture
def tree(tmp_path) -> Tree:
    return Tree(tmp_path / "set", tmp_path / "frames")


def opened(name, tree, *options):
    return _build(name, [f"data.root={tree.root}", *options], ())


LAYOUTS = [  # set, clips of it, frames, {layout: size}, first number, digits, options, origin of LR, clips of the set
    ("udm10", ["000", "001"], 32, {"GT/{clip}": GT, "LQ/{clip}": LR}, 0, 8, [], "given (LQ)", 10),
    ("udm10", UDM10, 32, {"{clip}/truth": GT, "{clip}/blur4": LR}, 0, 4, [], "given (blur4)", 10),
    ("udm10", UDM10[:2], 32, {"{clip}/truth": GT, "{clip}/blur4": LR}, 0, 4, ["degradation=bd"], "given", 10),
    ("udm10", UDM10, 32, {"GT/{clip}": GT, "BIx4/{clip}": LR}, 0, 8, [], "given (BIx4)", 10),
    ("udm10", UDM10[:2], 32, {"GT/{clip}": GT}, 0, 8, ["degradation=bd"], "bd-x4 from GT", 10),
    ("spmcs", ["car05_001", "veni3_011"], 31, {"GT/{clip}": GT, "LQ/{clip}": LR}, 0, 5, [], "given (LQ)", 30),
    ("spmcs", ["car05_001"], 31, {"{clip}/truth": GT, "{clip}/input4": LR}, 1000, 4, [], "given (input4)", 30),
    ("spmcs11", ["car05_001"], 31, {"{clip}/truth": GT, "{clip}/input4": LR}, 1000, 4, [], "given (input4)", 11),
    ("youhq40", ["000", "039"], 33, {"GT/{clip}": GT, "LQ/{clip}": LR}, 0, 5, [], "given (LQ)", 40),
    ("youhq40", ["001"], 32, {"{clip}": GT}, 0, 5, ["degradation=bi"], "bi-x4 from GT", 40),
    ("reds30", ["240", "269"], 100, {"GT/{clip}": GT, "LQ/{clip}": LR}, 0, 8, [], "given (LQ)", 30),
    ("reds30", ["240"], 100, {"train_sharp/{clip}": GT}, 0, 8, ["degradation=bi"], "bi-x4 from GT", 30),
    ("videolq", NUMBERED, 7, {"{clip}": LR}, 0, 8, [], "given", 50),
    ("videolq", ["000", "049"], 100, {"Input/{clip}": LR}, 0, 8, [], "given (Input)", 50),
    ("videolq", ["000"], 100, {"LQ/{clip}": LR}, 0, 8, [], "given (LQ)", 50),
    ("realvsr", REALVSR_ENDS, 50, {"GT/{clip}": GT, "LQ/{clip}": GT}, 0, 5, [], "given (LQ)", 50),
    ("realvsr", ["a", "b"], 50, {"GT_test/{clip}": GT, "LQ_test/{clip}": GT}, 0, 5, [], "given (LQ_test)", 50),
    ("realvsr", REALVSR_ENDS, 50, {"HR_test/{clip}": GT, "LR_test/{clip}": GT}, 0, 5, [], "given (LR_test)", 50),
    ("mvsr4x", MVSR4X_ENDS, 100, {"tele/{clip}": GT, "wide/{clip}": GT}, 0, 5, [], "given (wide)", 15),
]


@pytest.mark.parametrize(("name", "clips", "frames", "sides", "first", "digits", "options", "origin", "whole"), LAYOUTS)
def test_layouts(tree, name, clips, frames, sides, first, digits, options, origin, whole):
    for layout, size in sides.items():
        tree.add(layout, clips, frames, size, first, digits)
    data = opened(name, tree, *options)
    found = data.clips()
    assert [clip.name for clip in found] == sorted(clips) and len(data.expected) == whole
    scale = 1 if name in ("realvsr", "mvsr4x") else 4
    has_gt = name != "videolq"
    for clip in found:
        assert (clip.frames, clip.lr_origin, clip.scale, clip.refusal) == (frames, origin, scale, "")
        assert clip.gt_size == (GT if has_gt else None)
        assert clip.lr_size == (GT if scale == 1 else LR)
    assert next(found[0].lr()).shape == (*found[0].lr_size, 3)


def test_videos_of_the_pack_hold_the_same_frames(tree, tmp_path):
    tree.add("GT/{clip}", ["000"], 32, GT)
    tree.add("LQ/{clip}", ["000"], 32, LR)
    frames = {side: list(_images(tree.root / side / "000")) for side in ("GT", "LQ")}
    for side, images in frames.items():
        shutil.rmtree(tree.root / side)
        write_video(tree.root / f"{side}-Video" / "000.mkv", iter(images), 25, lossless=True)
    data = opened("udm10", tree)
    (clip,) = data.clips()
    assert (clip.frames, clip.lr_origin, clip.gt_size) == (32, "given (LQ-Video)", GT)
    assert all(np.array_equal(a, b) for a, b in zip(clip.gt(), frames["GT"], strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(clip.lr(), frames["LQ"], strict=True))
    assert [line for line in data.problems() if "is missing" not in line] == []


def _images(folder):
    return (read_image(path) for path in sorted(folder.iterdir()))


def test_reds30_is_the_validation_part_numbered_on(tree):
    tree.add("val_sharp/{clip}", ["000", "029"], 100, GT)
    tree.add("val_sharp_bicubic/X4/{clip}", ["000", "029"], 100, LR)
    found = opened("reds30", tree, "degradation=bi").clips()
    assert [(clip.name, clip.lr_origin) for clip in found] == [("240", "given"), ("269", "given")]


def test_two_kinds_of_lr_frames_are_not_chosen_in_silence(tree):
    for layout, size in {"GT/{clip}": GT, "BIx4/{clip}": LR, "BDx4/{clip}": LR}.items():
        tree.add(layout, UDM10, 32, size)
    with pytest.raises(ValueError, match="several kinds: choose degradation=bd or degradation=bi"):
        opened("udm10", tree).clips()
    assert opened("udm10", tree, "degradation=bd").clips()[0].lr_origin == "given"


def test_gt_alone_names_the_way_to_lr_frames(tree):
    tree.add("{clip}", ["000"], 32, GT)
    with pytest.raises(FileNotFoundError, match="no LR frames of clip 000 .*degradation=bi or another makes them"):
        opened("youhq40", tree).clips()


@pytest.mark.parametrize(("name", "layout"), [("udm10", "GT/{clip}"), ("videolq", "{clip}")])
def test_missing_frames_are_named(tree, name, layout):
    clips = UDM10[:2] if name == "udm10" else NUMBERED[:2]
    tree.add(layout, clips, 32, GT)
    if name == "udm10":
        tree.add("LQ/{clip}", clips, 32, LR)
    (tree.root / layout.format(clip=clips[0]) / "00000007.png").unlink()
    refused, whole = opened(name, tree).clips()
    assert "frame 7 is missing" in refused.refusal and whole.refusal == ""
    assert any(line.endswith(f"{clips[0]}: frame 7 is missing") for line in opened(name, tree).problems())


def test_verify_names_clips_that_lack_and_clips_too_many(tree, bench):
    tree.add("{clip}", NUMBERED[:-1], 2, LR)
    answer = bench("data", "verify", "videolq", f"data.root={tree.root}")
    assert answer.code == REGRESSED and f"{tree.root}: clip 049 is missing" in answer.out
    tree.add("{clip}", ["049"], 2, LR)
    assert bench("data", "verify", "videolq", f"data.root={tree.root}").code == OK
    shutil.rmtree(tree.root)
    tree.add("GT/{clip}", [f"{index}" for index in range(41)], 2, GT)
    answer = bench("data", "verify", "youhq40", f"data.root={tree.root}")
    assert "41 clips where 40 belong" in answer.out


def test_verify_names_lr_frames_that_do_not_fit_gt(tree):
    tree.add("GT/{clip}", ["a", "b"], 5, GT)
    tree.add("LQ/{clip}", ["a"], 5, LR)
    tree.add("LQ/{clip}", ["b"], 4, LR)
    data = opened("youhq40", tree, "data.clips=[a,b]")
    assert [clip.refusal for clip in data.clips()] == ["", *data.problems()]
    assert "LQ/b has 4, " in next(data.problems())


def test_the_eleven_of_spmcs_and_a_clip_that_is_none(tree):
    tree.add("{clip}/truth", ["car05_001", "else_001"], 31, GT)
    tree.add("{clip}/input4", ["car05_001", "else_001"], 31, LR)
    assert [clip.name for clip in opened("spmcs11", tree).clips()] == ["car05_001"]
    assert len(opened("spmcs", tree).clips()) == 2
    data = SPMCS(name="s", domain="vimeo", root=str(tree.root), scale=4, degradation=None, clips="car05_00l")
    with pytest.raises(ValueError, match="no clip 'car05_00l'; did you mean 'car05_001'"):
        data.clips()


def test_one_command_over_sets_of_several_scales(tree, tmp_path, bench, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    sizes = {"UDM10": (GT, LR), "SPMCS": (GT, LR), "YouHQ40": (GT, LR), "RealVSR": (GT, GT), "VideoLQ": (None, LR)}
    frames = {"UDM10": 32, "SPMCS": 31, "RealVSR": 50}
    for name, (gt, lr) in sizes.items():
        one = Tree(tmp_path / name, tmp_path / "frames")
        for side, size in (("GT", gt), ("LQ", lr)):
            if size:
                one.add(f"{side}/{{clip}}", ["000", "001"], frames.get(name, 3), size)
    os.unlink(tmp_path / "VideoLQ" / "LQ" / "001" / "00000001.png")
    out = tmp_path / "run"
    answer = bench(
        *("run", "data=udm10,spmcs,youhq40,videolq,realvsr", "data.frames=2", "metrics=[psnr]", "timing=once"),
        f"out={out}",
    )
    assert answer.code == 3 and "frame 1 is missing" in answer.err
    records = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    assert {(r["data"], r["expected_clips"]) for r in records} == {
        *(("udm10", 10), ("spmcs", 30), ("youhq40", 40), ("videolq", 50), ("realvsr", 50))
    }
    assert {(r["data"], r["protocol"], r["scale"]) for r in records} == {
        (name, "dove", 1 if name == "realvsr" else 4) for name in ("udm10", "spmcs", "youhq40", "videolq", "realvsr")
    }
    assert sum(r["status"] == "failed" for r in records) == 1


def test_a_clip_folder_may_be_called_like_a_video(tree):
    tree.add("GT/{clip}", ["000.mp4"], 32, GT)
    tree.add("LQ/{clip}", ["000.mp4"], 32, LR)
    (clip,) = opened("udm10", tree).clips()
    assert (clip.name, clip.frames, clip.lr_origin) == ("000.mp4", 32, "given (LQ)")


def test_an_empty_folder_of_a_clip_without_an_official_name_is_named(tree):
    tree.add("GT/{clip}", ["000"], 32, GT)
    (tree.root / "GT" / "foo").mkdir()
    with pytest.raises(ValueError, match="foo: there is no image in it"):
        opened("udm10", tree, "degradation=bi", "data.frames=2", "data.clips=[foo]").clips()
