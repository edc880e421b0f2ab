"""`data.lr=PATH`: one's own LR frames for a set, by clip, with or without a manifest."""

import numpy as np
import pytest

from bench.datasets import lr_set
from bench.datasets.folder import Folder
from bench.datasets.vid4 import Vid4
from bench.datasets.videolq import VideoLQ
from frames.degradations import Bicubic, Given
from frames.degradations.seeded import once
from frames.errors import UserError
from frames.images import write_png


@pytest.fixture
def root(tmp_path, frames_of, write_clip):
    """Vid4 with two clips, and beside it LR frames of one's own under `lr`, which no layout of the set has."""
    for clip, count in (("city", 34), ("walk", 47)):
        write_clip(tmp_path / "Vid4" / "GT" / clip, frames_of(count))
        write_clip(tmp_path / "lr" / clip, frames_of(count, 6, 8), first=1)
    return tmp_path


def vid4(root, lr="lr", **options) -> Vid4:
    options = {"degradation": Bicubic(4), "clips": ["city", "walk"], **options}
    return Vid4(name="vid4", domain="vimeo", root=str(root / "Vid4"), scale=4, lr=str(root / lr), **options)


def test_frames_of_each_clip_are_read_and_the_record_says_so(root, frames_of):
    city, walk = vid4(root).clips()
    assert (city.lr_origin, city.lr_made_with, city.lr_size) == ("given (data.lr)", "", (6, 8))
    assert (city.frames, walk.frames) == (34, 47)
    assert all(np.array_equal(a, b) for a, b in zip(walk.lr(), frames_of(47, 6, 8), strict=True))
    assert list(vid4(root).problems()) == []


def test_the_first_frames_suffice_where_the_first_frames_are_wanted(root, frames_of, write_clip):
    write_clip(root / "few" / "city", frames_of(3, 6, 8))
    assert vid4(root, "few", clips=["city"], frames=3).clips()[0].frames == 3
    with pytest.raises(ValueError, match="differ in frames: .*few/city has 3, .*GT/city has 34"):
        vid4(root, "few", clips=["city"]).clips()


def test_a_single_clip_may_have_any_name(root):
    (root / "lr" / "city").rename(root / "mine")
    assert vid4(root, "mine", clips=["city"]).clips()[0].frames == 34


def test_a_folder_with_another_clip_alone_is_not_taken_for_the_wanted_one(root, frames_of, write_clip):
    write_clip(root / "other" / "walk", frames_of(34, 6, 8))
    with pytest.raises(ValueError, match=r"other: no LR frames of clip city; .* \(there: walk\)"):
        vid4(root, "other", clips=["city"]).clips()


def test_a_clip_that_is_not_there_costs_itself_alone(root):
    (root / "lr" / "walk").rename(root / "lr" / "wlak")
    city, walk = vid4(root).clips()
    assert not city.refusal and walk.refusal == (
        f"{root}/lr: no LR frames of clip walk; data.lr holds a folder of frames or a video called like each clip "
        "(there: city, wlak), and data.clips=[city] takes some clips alone"
    )
    assert walk.refusal in list(vid4(root).problems())


def test_frames_of_another_size_are_refused(root, frames_of, write_clip):
    write_clip(root / "lr" / "city", frames_of(34, 6, 9), first=1)
    city, _ = vid4(root).clips()
    assert "do not fit at scale 4" in city.refusal and "lr/city is 9x6" in city.refusal


def test_a_path_that_is_not_there_and_a_mode_misspelt(root):
    with pytest.raises(FileNotFoundError, match="nowhere: not there; data.lr is a video, a folder"):
        vid4(root, "nowhere").clips()
    with pytest.raises(ValueError, match="data.lr=gven: unknown; did you mean 'given'"):
        Vid4(name="v", domain="", root=str(root / "Vid4"), scale=4, degradation=Bicubic(4), lr="gven").clips()


@pytest.mark.parametrize("lr, message", [("lr", "its LR frames are data.root"), ("made", "to make LR frames from")])
def test_a_set_without_gt_has_its_lr_under_the_root(root, frames_of, write_clip, lr, message):
    write_clip(root / "VideoLQ" / "000", frames_of(2))
    lr = lr if lr == "made" else str(root / lr)
    data = VideoLQ(name="v", domain="", root=str(root / "VideoLQ"), scale=4, degradation=Given(4), lr=lr, frames=2)
    with pytest.raises(ValueError, match=f"has no ground truth[ ;].*{message}"):
        data.clips()


@pytest.fixture
def shared(tmp_path, frames_of, write_clip):
    """An LR set with a manifest, as `data degrade` writes it, of GT as large as codecs need."""
    write_clip(tmp_path / "Vid4" / "GT" / "city", frames_of(34, 64, 64))
    made = Folder(
        name="folder",
        domain="",
        root=None,
        gt=str(tmp_path / "Vid4" / "GT"),
        scale=4,
        degradation=once(name="once", scale=4).of_set("vid4"),
        frames=2,
    ).clips()
    origin = made[0].lr_origin.removesuffix(" from GT")
    recipe = lr_set.Manifest(data="vid4", scale=4, origin=origin, degradation={}, made_with="libx264 core 1")
    list(lr_set.write(recipe, made, tmp_path / "lr"))
    return tmp_path, origin


def test_a_manifest_tells_recipe_and_versions(shared):
    root, origin = shared
    (clip,) = vid4(root, clips=["city"], frames=2, degradation=Given(4)).clips()
    assert (clip.lr_origin, clip.lr_made_with) == (f"given ({origin})", "libx264 core 1")
    assert vid4(root, clips=["city"], frames=2, degradation=once(name="once", scale=4)).clips()[0].frames == 2


def test_a_manifest_of_another_recipe_is_refused(shared):
    root, origin = shared
    with pytest.raises(ValueError, match=f"were made by {origin}, the configuration has bi-x4; write degradation=once"):
        vid4(root, clips=["city"], frames=2).clips()


def test_verify_compares_with_the_manifest(shared):
    root, _ = shared
    write_png(root / "lr" / "city" / "00000001.png", np.zeros((16, 16, 3), np.uint8))
    found = list(vid4(root, clips=["city"], frames=2, degradation=Given(4)).problems())
    assert len(found) == 1 and "its manifest has another digest" in found[0]
    (root / "lr" / "manifest.json").write_text("{")
    with pytest.raises(UserError, match="write the LR set again"):
        vid4(root, clips=["city"], frames=2).clips()
