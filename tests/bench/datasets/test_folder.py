"""A folder of one's own: frames or videos, with or without ground truth."""

import os
import shutil

import numpy as np
import pytest

from bench.datasets.folder import Folder
from bench.datasets.images import Images
from bench.datasets.vid4 import Vid4
from frames.degradations import Bicubic
from frames.images import write_png
from frames.video import write_video


def folder(root=None, gt=None, **options) -> Folder:
    options = {"degradation": Bicubic(4), "scale": 4, **options}
    root, gt = (None if path is None else str(path) for path in (root, gt))
    return Folder(name="folder", domain="vimeo", root=root, gt=gt, **options)


def test_frames_without_truth_are_one_clip_in_natural_order(tmp_path, frames_of):
    frames = frames_of(11)
    for index, frame in enumerate(frames):
        write_png(tmp_path / "mine" / f"frame{index}.png", frame)
    (clip,) = folder(tmp_path / "mine").clips()
    assert (clip.name, clip.frames, clip.fps, clip.has_gt, clip.lr_origin) == ("mine", 11, 24.0, False, "given")
    assert all(np.array_equal(a, b) for a, b in zip(clip.lr(), frames, strict=True))
    with pytest.raises(ValueError, match="clip mine: there is no ground truth"):
        clip.gt()


def test_some_frames_of_gt_are_those_of_all(tmp_path, frames_of, write_clip):
    frames = frames_of(5)
    write_clip(tmp_path / "images" / "a", frames)
    write_video(tmp_path / "videos" / "a.mkv", frames, 24)
    for clip in (*folder(gt=tmp_path / "images").clips(), *folder(gt=tmp_path / "videos").clips()):
        every = list(clip.gt())
        for some in (range(5), range(1, 3), range(4, 5)):
            assert all(np.array_equal(a, every[i]) for a, i in zip(clip.gt(some), some, strict=True))
    (clip,) = folder(gt=tmp_path / "images").clips()
    (tmp_path / "images" / "a" / "00000000.png").write_bytes(b"")
    assert len(list(clip.gt(range(1, 5)))) == 4, "no others are read"


def test_truth_alone_makes_lr(tmp_path, frames_of, write_clip, bicubic):
    frames = frames_of(3)
    write_clip(tmp_path / "a", frames)
    write_clip(tmp_path / "b", frames[:2])
    first, second = folder(gt=tmp_path).clips()
    assert (first.name, first.frames, second.name, second.frames) == ("a", 3, "b", 2)
    assert first.lr_origin == "bi-x4 from GT"
    assert np.array_equal(next(first.lr()), bicubic(frames[0]))


def test_videos_are_clips_with_their_own_rate(tmp_path, frames_of):
    frames = frames_of(5)
    write_video(tmp_path / "x.mp4", frames, 30, lossless=True)
    write_video(tmp_path / "y.mkv", frames[:3], 25, lossless=True)
    clips = folder(tmp_path, frames=4).clips()
    assert [(clip.name, clip.frames, clip.fps) for clip in clips] == [("x", 4, 30.0), ("y", 3, 25.0)]
    assert all(np.array_equal(a, b) for a, b in zip(clips[0].lr(), frames[:4], strict=True))
    assert folder(tmp_path / "x.mp4", fps=12).clips()[0].fps == 12.0


def test_video_and_frames_pair_whatever_their_names(tmp_path, frames_of, write_clip, bicubic):
    frames = frames_of(4)
    write_clip(tmp_path / "truth", frames)
    write_video(tmp_path / "low.mp4", map(bicubic, frames), 24, lossless=True)
    (clip,) = folder(tmp_path / "low.mp4", tmp_path / "truth").clips()
    assert (clip.name, clip.lr_size, clip.gt_size) == ("truth", (6, 8), (24, 32))
    write_clip(tmp_path / "truth", frames[:1], first=4)
    with pytest.raises(ValueError, match="low.mp4 has 4, .*truth has 5"):
        folder(tmp_path / "low.mp4", tmp_path / "truth").clips()


def test_single_photograph(tmp_path, frames_of):
    write_png(tmp_path / "photo.png", frames_of(1)[0])
    (clip,) = folder(gt=tmp_path / "photo.png").clips()
    assert (clip.name, clip.frames) == ("photo", 1)


def test_clips_of_both_sides_go_together_by_name(tmp_path, frames_of, write_clip):
    for name in ("a", "b"):
        write_clip(tmp_path / "lr" / name, frames_of(2, 6, 8))
        write_clip(tmp_path / "gt" / name, frames_of(2))
    write_clip(tmp_path / "gt" / "c", frames_of(2))
    with pytest.raises(ValueError, match="clip c is in .*gt but not in .*lr"):
        folder(tmp_path / "lr", tmp_path / "gt").clips()
    write_clip(tmp_path / "lr" / "c", frames_of(3, 6, 8))
    refused = folder(tmp_path / "lr", tmp_path / "gt").clips()[2]
    with pytest.raises(ValueError, match="lr/c has 3, .*gt/c has 2"):
        next(refused.lr())
    assert len(folder(tmp_path / "lr", tmp_path / "gt", clips=["a", "b"]).clips()) == 2


def test_mistakes_are_one_line(tmp_path, frames_of, write_clip):
    (tmp_path / "empty").mkdir()
    write_clip(tmp_path / "mixed", frames_of(1))
    write_clip(tmp_path / "mixed" / "inner", frames_of(1))
    for data, message in [
        (folder(), "data=folder needs data.root"),
        (folder(tmp_path / "gone"), "gone: not there; data.root is a video"),
        (folder(gt=tmp_path / "empty"), "empty: there are no frames and no videos"),
        (folder(tmp_path / "mixed"), "mixed: frames, folders of frames and videos side by side"),
        (folder(tmp_path / "mixed" / "inner", frames=0), "data.frames=0"),
        (folder(tmp_path / "mixed" / "inner", clips=["iner"]), "no clip 'iner'; did you mean 'inner'"),
    ]:
        with pytest.raises((ValueError, FileNotFoundError), match=message) as caught:
            data.clips()
        assert "\n" not in str(caught.value)


def test_problems_of_frames_and_videos(tmp_path, frames_of, write_clip):
    write_clip(tmp_path / "lr" / "a", frames_of(4, 6, 8))
    write_video(tmp_path / "a.mp4", frames_of(4), 24)
    assert list(folder(tmp_path / "lr", tmp_path / "a.mp4").problems()) == []
    (tmp_path / "lr" / "a" / "00000001.png").unlink()
    problems = list(folder(tmp_path / "lr", tmp_path / "a.mp4").problems())
    assert problems == [
        f"a: {tmp_path}/lr/a has 3 frames, {tmp_path}/a.mp4 has 4",
        f"{tmp_path}/lr/a: frame 1 is missing",
    ]
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(data[: len(data) // 2])
    assert any("a.mp4: not a readable video" in p for p in folder(gt=tmp_path / "a.mp4").problems())


@pytest.mark.parametrize("harm", ["header", "size", "folder", "pipe", "video"])
def test_what_is_wrong_with_one_clip_costs_that_clip(tmp_path, frames_of, write_clip, harm):
    for name in ("a", "b", "c"):
        write_clip(tmp_path / name, frames_of(3))
    bad = tmp_path / "b" / "00000001.png"
    if harm == "header":
        bad.write_bytes(b"not a picture")
    elif harm == "size":
        write_png(bad, frames_of(1, 25, 32)[0])
    elif harm == "folder":
        (tmp_path / "b" / "crops.png").mkdir()
    elif harm == "pipe":
        bad.unlink()
        os.mkfifo(bad)
    else:
        for name in ("a", "b", "c"):
            shutil.rmtree(tmp_path / name)
            write_video(tmp_path / f"{name}.mkv", frames_of(5), 25)
        bad = tmp_path / "b.mkv"
        bad.write_bytes(bad.read_bytes()[: bad.stat().st_size * 2 // 3])
    clips = folder(gt=tmp_path).clips()
    assert [clip.name for clip in clips] == ["a", "b", "c"]
    assert [bool(clip.refusal) for clip in clips] == [False, True, False]
    assert (clips[1].frames, clips[1].lr_size, clips[1].has_gt) == (0, (0, 0), False)
    with pytest.raises(ValueError, match="/b"):
        next(clips[1].lr())
    assert len(list(clips[0].lr())) == len(list(clips[2].lr())) > 2
    with pytest.raises(ValueError, match="/b"):
        folder(gt=tmp_path, clips=["b"]).clips()


def test_problems_of_every_kind_are_found(tmp_path, frames_of, write_clip):
    frames = frames_of(4)
    for name in ("folder", "link", "order", "pipe", "scale", "good"):
        write_clip(tmp_path / "gt" / name, frames)
        write_clip(tmp_path / "lr" / name, frames_of(4, 6, 8))
    (tmp_path / "gt" / "folder" / "crops.png").mkdir()
    (tmp_path / "gt" / "link" / "00000004.png").symlink_to("nowhere.png")
    for old, new in ((3, 5), (2, 4)):  # the same gap of numbers on one side alone
        folder_ = tmp_path / "lr" / "order"
        (folder_ / f"0000000{old}.png").rename(folder_ / f"0000000{new}.png")
    os.mkfifo(tmp_path / "gt" / "pipe" / "00000004.png")
    write_clip(tmp_path / "lr" / "scale", frames_of(4, 8, 10))
    problems = list(folder(tmp_path / "lr", tmp_path / "gt").problems())
    for part in (
        "gt/folder/crops.png: a folder, not a regular file",
        "gt/link/00000004.png: a link to nowhere.png, where there is no such image",
        "gt/pipe/00000004.png: a named pipe",
        "lr/order: frames 2 to 3 are missing",
        "lr/scale is 10x8, " + str(tmp_path / "gt" / "scale") + " is 32x24",
    ):
        assert any(part in problem for problem in problems), (part, problems)
    assert not any("good" in problem or "\n" in problem for problem in problems)
    with pytest.raises(ValueError, match="no clip 'nope'"):
        list(folder(tmp_path / "lr", tmp_path / "gt", clips=["nope"]).problems())
    assert list(folder(tmp_path / "lr", tmp_path / "gt", clips=["good"]).problems()) == []


def test_a_truncated_single_image_and_a_truncated_video_are_problems(tmp_path, frames_of):
    write_png(tmp_path / "photo.png", frames_of(1)[0])
    (tmp_path / "photo.png").write_bytes((tmp_path / "photo.png").read_bytes()[:-20])
    assert "photo.png: the file is truncated" in next(folder(gt=tmp_path / "photo.png").problems())
    write_video(tmp_path / "clip.mkv", frames_of(5), 25)
    (tmp_path / "clip.mkv").write_bytes((tmp_path / "clip.mkv").read_bytes()[:-60])
    assert "clip.mkv: " in next(folder(gt=tmp_path / "clip.mkv").problems())


@pytest.mark.parametrize("side", ["root", "gt"])
@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_path_is_not_the_current_folder(tmp_path, frames_of, write_clip, monkeypatch, side, empty):
    write_clip(tmp_path, frames_of(2))
    monkeypatch.chdir(tmp_path)
    data = Folder(
        name="folder", domain="vimeo", degradation=Bicubic(4), scale=4, **{"root": None, "gt": None, side: empty}
    )
    for ask in (data.clips, lambda: list(data.problems()), lambda: data.expected):
        with pytest.raises(ValueError, match=f"data.{side}= is empty; give a path"):
            ask()


@pytest.mark.parametrize("given", [-1, 1.5, True, [1], {"a": 1}])
def test_a_path_is_text(given):
    common = {"domain": "vimeo", "degradation": Bicubic(4), "scale": 4}
    for data in (
        Folder(name="folder", root=None, gt=given, **common),
        Folder(name="folder", root=given, gt=None, **common),
        Images(name="images4k", root=given, size=None, **common),
        Vid4(name="vid4", root=given, **common),
    ):
        with pytest.raises(ValueError, match=r"data.(root|gt)=.*: give a path"):
            data.clips()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("frames", 1.5),
        ("frames", "x"),
        ("frames", True),
        ("frames", -1),
        ("clips", 5),
        ("fps", 0),
        ("fps", "x"),
        ("fps", float("nan")),
    ],
)
def test_options_that_cannot_be_are_named(tmp_path, frames_of, write_clip, option, value):
    write_clip(tmp_path / "a", frames_of(2))
    with pytest.raises(ValueError, match=f"data.{option}={value}"):
        folder(gt=tmp_path / "a", **{option: value}).clips()


def test_a_folder_of_frames_may_be_called_like_a_video(tmp_path, frames_of, write_clip):
    write_clip(tmp_path / "lr" / "walk.mp4", frames_of(2))
    for root in (tmp_path / "lr", tmp_path / "lr" / "walk.mp4"):
        (clip,) = folder(root).clips()
        assert (clip.name, clip.frames, len(list(clip.lr()))) == ("walk.mp4", 2, 2)
