"""REDS4 and Vid4: layouts, LR given or made, and what is said when something is wrong."""

import numpy as np
import pytest

from bench.datasets.reds4 import REDS4
from bench.datasets.vid4 import Vid4
from frames.degradations import Bicubic, BlurDown


def reds4(root, **options) -> REDS4:
    options = {"degradation": Bicubic(4), "scale": 4, **options}
    return REDS4(name="reds4", domain="reds", root=str(root), **options)


def vid4(root, **options) -> Vid4:
    options = {"degradation": Bicubic(4), "scale": 4, **options}
    return Vid4(name="vid4", domain="vimeo", root=str(root), **options)


@pytest.mark.parametrize(
    ("gt", "lr"), [("GT", "sharp_bicubic"), ("train_sharp", "train_sharp_bicubic/X4"), ("GT", "sharp_bicubic/X4")]
)
def test_reds4_layouts_with_lr(tmp_path, frames_of, write_clip, gt, lr):
    truth, low = frames_of(100, 8, 12), [np.full((2, 3, 3), t, np.uint8) for t in range(100)]
    write_clip(tmp_path / gt / "011", truth)
    write_clip(tmp_path / lr / "011", low)
    data = reds4(tmp_path)
    (clip,) = data.clips()
    assert data.expected == ["000", "011", "015", "020"]
    assert (clip.name, clip.frames, clip.lr_origin) == ("011", 100, "given")
    assert (clip.lr_size, clip.gt_size) == ((2, 3), (8, 12))
    assert all(np.array_equal(a, b) for a, b in zip(clip.lr(), low, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(clip.gt(), truth, strict=True))


@pytest.mark.parametrize("layout", ["GT/city", "city"])
@pytest.mark.parametrize("degradation", [Bicubic(4), BlurDown(4)])
def test_vid4_makes_lr_where_none_is_given(tmp_path, frames_of, write_clip, layout, degradation):
    truth = frames_of(34)
    write_clip(tmp_path / layout, truth, first=1)
    (clip,) = vid4(tmp_path, degradation=degradation).clips()
    assert clip.lr_origin == f"{degradation.signature} from GT"
    assert np.array_equal(list(clip.lr())[33], degradation(truth[33]))


def test_lr_of_another_degradation_is_not_taken(tmp_path, frames_of, write_clip):
    write_clip(tmp_path / "GT" / "city", frames_of(34))
    write_clip(tmp_path / "BIx4" / "city", frames_of(34, 6, 8))
    origins = {
        name: vid4(tmp_path, **options).clips()[0].lr_origin
        for name, options in {
            "bi": {},
            "bd": {"degradation": BlurDown(4)},
            "x2": {"degradation": Bicubic(2), "scale": 2},
            "made": {"lr": "made"},
        }.items()
    }
    assert origins == {"bi": "given", "bd": "bd-x4 from GT", "x2": "bi-x2 from GT", "made": "bi-x4 from GT"}
    with pytest.raises(FileNotFoundError, match="no bd-x4 LR frames of clip city .*BDx4/city"):
        vid4(tmp_path, degradation=BlurDown(4), lr="given").clips()


def test_given_bd_frames_are_not_taken_for_another_blur(tmp_path, frames_of, write_clip):
    write_clip(tmp_path / "GT" / "city", frames_of(34))
    write_clip(tmp_path / "BDx4" / "city", frames_of(34, 6, 8))
    assert vid4(tmp_path, degradation=BlurDown(4)).clips()[0].lr_origin == "given"
    (clip,) = vid4(tmp_path, degradation=BlurDown(4, sigma=3.0)).clips()
    assert clip.lr_origin == "bd-x4-sigma3.0-size13 from GT"
    with pytest.raises(FileNotFoundError, match="no bd-x4-sigma3.0-size13 LR frames of clip city"):
        vid4(tmp_path, degradation=BlurDown(4, sigma=3.0), lr="given").clips()


def test_gt_is_cropped_to_a_multiple_of_the_scale(tmp_path, frames_of, write_clip):
    truth = frames_of(34, 27, 33)
    write_clip(tmp_path / "GT" / "city", truth)
    (clip,) = vid4(tmp_path).clips()
    assert (clip.gt_size, clip.lr_size) == ((24, 32), (6, 8))
    assert np.array_equal(next(clip.gt()), truth[0][:24, :32])


def test_first_frames_and_chosen_clips(tmp_path, frames_of, write_clip):
    for clip, count in (("city", 34), ("walk", 47)):
        write_clip(tmp_path / "GT" / clip, frames_of(count, 8, 8))
    data = vid4(tmp_path, frames=40, clips=["walk", "city"])
    assert [(clip.name, clip.frames) for clip in data.clips()] == [("city", 34), ("walk", 40)]
    assert len(list(data.clips()[1].lr())) == 40


def test_nothing_is_decoded_before_it_is_asked_for(tmp_path, frames_of, write_clip, monkeypatch):
    write_clip(tmp_path / "GT" / "city", frames_of(34))
    read = []
    monkeypatch.setattr(
        "bench.datasets.sources.read_image", lambda path: read.append(path.name) or np.zeros((24, 32, 3), np.uint8)
    )
    (clip,) = vid4(tmp_path).clips()
    assert read == []
    next(clip.lr())
    assert read == ["00000000.png"]


def test_wrong_root_names_layouts_and_the_way_to_get_it(tmp_path):
    for data in (reds4(tmp_path / "nowhere"), vid4(tmp_path)):
        message = "looked for GT/<clip>.*get .*licence: .*data.root=FOLDER"
        with pytest.raises(FileNotFoundError, match=message) as caught:
            data.clips()
        assert "\n" not in str(caught.value)
        assert data.describe().licence in str(caught.value)


def test_empty_clip_folder(tmp_path):
    (tmp_path / "GT" / "city").mkdir(parents=True)
    with pytest.raises(ValueError, match="GT/city: there is no image in it"):
        vid4(tmp_path).clips()


def test_unknown_clip_and_mode_get_a_suggestion(tmp_path):
    with pytest.raises(ValueError, match="no clip 'calender'; did you mean 'calendar'"):
        vid4(tmp_path, clips=["calender"]).clips()
    with pytest.raises(ValueError, match="data.lr=make: unknown; did you mean 'made'"):
        vid4(tmp_path, lr="make").clips()


def test_too_few_frames_are_refused_unless_fewer_are_asked_for(tmp_path, frames_of, write_clip):
    write_clip(tmp_path / "GT" / "city", frames_of(12))
    with pytest.raises(ValueError, match="GT/city: 12 frames, clip city of Vid4 has 34"):
        vid4(tmp_path).clips()
    assert vid4(tmp_path, frames=12).clips()[0].frames == 12


def test_the_first_frames_are_those_without_a_gap(tmp_path, frames_of, write_clip):
    write_clip(tmp_path / "GT" / "city", frames_of(12))
    (tmp_path / "GT" / "city" / "00000003.png").unlink()
    with pytest.raises(ValueError, match="GT/city: frame 3 is missing among the first 10; complete clip city of Vid4"):
        vid4(tmp_path, frames=10).clips()
    assert vid4(tmp_path, frames=3).clips()[0].frames == 3


def test_a_clip_without_given_lr_frames_costs_itself_alone(tmp_path, frames_of, write_clip):
    for clip in ("city", "walk"):
        write_clip(tmp_path / "GT" / clip, frames_of(34))
    write_clip(tmp_path / "BIx4" / "city", frames_of(34, 6, 8))
    city, walk = vid4(tmp_path, lr="given", frames=34).clips()
    assert not city.refusal and "no bi-x4 LR frames of clip walk (looked for BIx4/walk" in walk.refusal


def test_lr_and_gt_that_do_not_fit(tmp_path, frames_of, write_clip):
    write_clip(tmp_path / "GT" / "city", frames_of(34))
    low = frames_of(34, 6, 8)
    write_clip(tmp_path / "BIx4" / "city", low[:-1])
    with pytest.raises(ValueError, match="LR and GT differ in frames: .*BIx4/city has 33, .*GT/city has 34"):
        vid4(tmp_path).clips()
    write_clip(tmp_path / "BIx4" / "city", [np.zeros((6, 9, 3), np.uint8)] * 34)
    with pytest.raises(ValueError, match="do not fit at scale 4: .*BIx4/city is 9x6, .*GT/city is 32x24"):
        vid4(tmp_path).clips()


def test_a_gap_on_one_side_is_not_paired_away(tmp_path, frames_of, write_clip):
    write_clip(tmp_path / "GT" / "city", frames_of(35))
    write_clip(tmp_path / "BIx4" / "city", frames_of(35, 6, 8))
    (tmp_path / "GT" / "city" / "00000034.png").unlink()
    (tmp_path / "BIx4" / "city" / "00000010.png").unlink()
    with pytest.raises(ValueError, match="00000011.png would be paired with .*00000010.png"):
        vid4(tmp_path).clips()


def test_two_sizes_in_a_clip(tmp_path, frames_of, write_clip):
    write_clip(tmp_path / "GT" / "city", frames_of(33) + frames_of(1, 24, 36))
    with pytest.raises(ValueError, match="00000033.png: 36x24, but 00000000.png beside it is 32x24"):
        vid4(tmp_path).clips()


def test_truncated_frame_is_named_when_it_is_read(tmp_path, frames_of, write_clip):
    write_clip(tmp_path / "GT" / "city", frames_of(34))
    broken = tmp_path / "GT" / "city" / "00000002.png"
    broken.write_bytes(broken.read_bytes()[:-30])
    (clip,) = vid4(tmp_path).clips()
    with pytest.raises(ValueError, match="00000002.png: the file is truncated"):
        list(clip.lr())


def test_problems_finds_each_kind(tmp_path, frames_of, write_clip):
    folder = tmp_path / "GT" / "city"
    write_clip(folder, frames_of(34))
    write_clip(tmp_path / "BIx4" / "city", frames_of(34, 6, 8))
    data = vid4(tmp_path, clips=["city", "walk"])
    assert list(data.problems()) == [f"{tmp_path}: clip walk is missing"]
    for number in (3, 20, 21, 22):
        (folder / f"{number:08d}.png").unlink()
    (folder / "00000099.png").write_bytes((folder / "00000000.png").read_bytes())
    (folder / "00000004.png").write_bytes((folder / "00000004.png").read_bytes()[:-30])
    (folder / "notes.txt").write_text("hello")
    write_clip(folder, frames_of(1, 24, 36), first=5)
    write_clip(tmp_path / "BIx4" / "city", frames_of(1, 6, 9), first=7)
    problems = sorted(problem.removeprefix(str(tmp_path)) for problem in data.problems())
    assert problems == sorted(
        [
            ": clip walk is missing",
            "/BIx4/city/00000007.png: 9x6 where 8x6 is expected",
            "/GT/city/00000004.png: the file is truncated (no IEND chunk); "
            "replace the file or take it out of the folder",
            "/GT/city/00000005.png: 36x24 where 32x24 is expected",
            "/GT/city/00000099.png: extra: beyond the clip",
            "/GT/city/notes.txt: extra: not a frame",
            "/GT/city: frame 3 is missing",
            "/GT/city: frames 20 to 22 are missing",
        ]
    )
