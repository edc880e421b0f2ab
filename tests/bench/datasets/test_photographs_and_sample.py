"""Photographs brought to one size, and the embedded sample."""

import numpy as np
import pytest

from bench.datasets.images import Images, cover
from bench.datasets.sample import PIECES, Sample
from frames.degradations import Bicubic
from frames.images import write_png
from frames.video import read_video


def photographs(root, **options) -> Images:
    options = {"degradation": Bicubic(4), "scale": 4, "size": (48, 32), **options}
    return Images(name="images4k", domain="vimeo", root=str(root), **options)


@pytest.mark.parametrize("size", [(32, 48), (33, 48), (64, 100), (150, 50), (32, 500), (99, 77)])
def test_any_large_enough_photograph_gets_the_size(tmp_path, frames_of, size):
    write_png(tmp_path / "a.png", frames_of(1, *size)[0])
    (clip,) = photographs(tmp_path).clips()
    assert (clip.name, clip.frames, clip.gt_size, clip.lr_size) == ("a", 1, (32, 48), (8, 12))
    (truth,), (low,) = clip.gt(), clip.lr()
    assert truth.shape == (32, 48, 3)
    assert np.array_equal(low, Bicubic(4)(truth))


def test_crop_is_central_and_the_aspect_ratio_kept():
    frame = np.zeros((64, 160, 3), np.uint8)
    frame[24:40, 72:88] = 255  # a square in the middle stays a square in the middle
    bright = cover(frame, (32, 48))[..., 0] > 127
    assert (np.flatnonzero(bright.any(1)).tolist(), np.flatnonzero(bright.any(0)).tolist()) == (
        list(range(12, 20)),
        list(range(20, 28)),
    )


def test_small_photograph_is_left_out_with_its_reason(tmp_path, frames_of):
    write_png(tmp_path / "large.png", frames_of(1, 40, 60)[0])
    write_png(tmp_path / "small.png", frames_of(1, 40, 47)[0])
    data = photographs(tmp_path)
    assert [clip.name for clip in data.clips()] == ["large"]
    assert data.expected == ["large", "small"]
    assert "small.png: 47x40 is smaller than 48x32" in data.left_out["small"]
    assert "smaller than 48x32" in next(data.problems())
    with pytest.raises(ValueError, match="none of 1 can be used; .*small.png: 47x40"):
        photographs(tmp_path, clips=["small"]).clips()


def test_native_size_is_cropped_to_the_scale(tmp_path, frames_of):
    write_png(tmp_path / "a.png", frames_of(1, 43, 61)[0])
    assert photographs(tmp_path, size=None).clips()[0].gt_size == (40, 60)


def test_missing_and_empty_folders_are_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="images4k is not at .*data.root=FOLDER"):
        photographs(tmp_path / "gone").clips()
    with pytest.raises(ValueError, match="there is no image in it"):
        photographs(tmp_path).clips()


def sample(**options) -> Sample:
    return Sample(name="sample", domain="vimeo", degradation=Bicubic(4), scale=4, **options)


def test_sample_is_small_varied_and_whole(asset):
    clips = sample().clips()
    assert [clip.name for clip in clips] == sample().expected == list(PIECES)
    assert 24 <= sum(clip.frames for clip in clips) <= 36
    for clip in clips:
        assert clip.gt_size[0] % 16 == clip.gt_size[1] % 16 == 0
        assert clip.gt_size[0] <= 256 and clip.gt_size[1] <= 448
        assert next(clip.gt()).shape == (*clip.gt_size, 3)
    assert [clip.frames for clip in sample(frames=2, clips=["city", "rocket"]).clips()] == [2, 1]


def test_sample_clips_move_and_have_no_cut(asset):
    for clip in sample().clips():
        frames = [frame.astype(float) for frame in clip.gt()]
        changes = [np.abs(a - b).mean() for a, b in zip(frames, frames[1:])]
        assert len(changes) == clip.frames - 1
        assert all(1 < change < 20 for change in changes), (clip.name, changes)  # a cut changes by 50 and more


def test_a_cut_of_the_city_video_lies_outside_its_window(asset):
    before, after = read_video(asset("sample/city.mpg"), 115, 117)
    assert np.abs(before.astype(float) - after).mean() > 40
    assert PIECES["city"].start + PIECES["city"].frames < 116


def test_every_piece_is_attributed():
    material = sample().describe().material
    assert [piece["clip"] for piece in material] == list(PIECES)
    assert all(all(piece.values()) for piece in material)
