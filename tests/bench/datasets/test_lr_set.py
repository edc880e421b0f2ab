"""LR sets: written once, continued after a break, verified by digest, and the frames that a run would make."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from bench.datasets import lr_set, sources
from bench.datasets.folder import Folder
from bench.store.keys import frames_digest
from frames.degradations import Bicubic
from frames.degradations.seeded import once
from frames.errors import UserError
from frames.images import read_image, write_png

RECIPE = lr_set.Manifest(data="folder", scale=4, origin="once", degradation={"seed": 0}, made_with="x264")


@pytest.fixture
def clips(tmp_path, frames_of, write_clip):
    for name in ("a", "b"):
        write_clip(tmp_path / "gt" / name, frames_of(3, 64, 64))
    degradation = once(name="once", scale=4).of_set("folder")
    options = {"root": None, "gt": str(tmp_path / "gt"), "scale": 4, "degradation": degradation}
    return Folder(name="folder", domain="", **options).clips()


def write(clips, folder, recipe=RECIPE):
    return list(lr_set.write(recipe, clips, folder))


def given(folder) -> Folder:
    return Folder(name="folder", domain="", root=str(folder), gt=None, scale=4, degradation=None)


def test_the_written_frames_are_those_that_a_run_makes(tmp_path, clips):
    assert write(clips, tmp_path / "lr") == [("a", True), ("b", True)]
    for made, read in zip(clips, given(tmp_path / "lr").clips(), strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(made.lr(), read.lr(), strict=True))
    manifest = lr_set.read_manifest(tmp_path / "lr")
    assert manifest.recipe == RECIPE and manifest.clips["a"].size == (16, 16) and manifest.clips["a"].frames == 3
    assert list(given(tmp_path / "lr").problems()) == []


@pytest.mark.parametrize("degradation", [once(name="once", scale=4).of_set("folder"), Bicubic(scale=4)])
def test_gt_is_read_once_for_its_digest_and_its_lr_frames(tmp_path, frames_of, write_clip, monkeypatch, degradation):
    write_clip(tmp_path / "gt" / "a", frames_of(3, 66, 64))  # cropped to 64x64
    clips = Folder(name="folder", domain="", root=None, gt=str(tmp_path / "gt"), scale=4, degradation=degradation)
    (clip,) = clips.clips()
    expected, read = frames_digest(clip.gt()), []
    monkeypatch.setattr(sources, "read_image", lambda path: read.append(path.name) or read_image(path))
    assert write([clip], tmp_path / "lr") == [("a", True)]
    assert read == ["00000000.png", "00000001.png", "00000002.png"]
    assert lr_set.read_manifest(tmp_path / "lr").clips["a"].gt_sha256 == expected


def test_a_break_costs_the_clip_at_hand(tmp_path, clips):
    folder = tmp_path / "lr"
    writing = lr_set.write(RECIPE, clips, folder)
    next(writing)
    writing.close()
    (folder / ".b.part").mkdir()  # what a kill leaves
    assert write(clips, folder) == [("a", False), ("b", True)]
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "manifest.json"]
    first = (folder / "manifest.json").read_bytes()
    assert write(clips, folder) == [("a", False), ("b", False)]
    assert (folder / "manifest.json").read_bytes() == first


def test_a_break_in_the_first_clip_leaves_a_folder_to_go_on_with(tmp_path, clips):
    broken = tmp_path / "gt" / "a" / "00000002.png"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:-30])
    with pytest.raises(ValueError, match="00000002.png: the file is truncated"):
        write(clips, tmp_path / "lr")
    (tmp_path / "lr" / ".a.part").mkdir(parents=True, exist_ok=True)  # what a kill leaves
    broken.write_bytes(whole)
    other = replace(RECIPE, origin="once-seed1")  # no clip is of the first recipe yet
    assert write(clips, tmp_path / "lr", other) == [("a", True), ("b", True)]


def test_changed_and_missing_frames_are_found_and_written_again(tmp_path, clips):
    folder = tmp_path / "lr"
    write(clips, folder)
    write_png(folder / "a" / "00000001.png", np.zeros((16, 16, 3), np.uint8))
    assert any("another digest" in problem for problem in given(folder).problems())
    for frame in (folder / "b").iterdir():
        frame.unlink()
    (folder / "b").rmdir()
    assert f"{folder}/b: missing; its manifest has it" in list(lr_set.problems(folder))
    assert write(clips, folder) == [("a", True), ("b", True)]


def test_clips_of_other_gt_frames_are_written_again(tmp_path, clips, frames_of, write_clip):
    folder = tmp_path / "lr"
    write(clips, folder)
    write_clip(tmp_path / "gt" / "b", frames_of(4, 64, 64)[1:])
    assert write(clips, folder) == [("a", False), ("b", True)]
    assert all(np.array_equal(x, y) for x, y in zip(clips[1].lr(), given(folder).clips()[1].lr(), strict=True))


def test_another_recipe_or_other_files_are_not_overwritten(tmp_path, clips):
    write(clips, tmp_path / "lr")
    with pytest.raises(UserError, match="an LR set with made_with x264, not x265; choose another folder"):
        write(clips, tmp_path / "lr", replace(RECIPE, made_with="x265"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("")
    with pytest.raises(UserError, match="something else"):
        write(clips, tmp_path / "other")


@pytest.mark.parametrize("name", [".a.part", "a"])
def test_nothing_is_written_through_a_link_of_a_foreign_set(tmp_path, clips, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "lr").mkdir()
    (tmp_path / "lr" / "manifest.json").write_text(json.dumps({"format": lr_set.FORMAT, **asdict(RECIPE)}))
    (tmp_path / "lr" / name).symlink_to(tmp_path / "mine")
    with pytest.raises(UserError, match=f"/lr/{name}: a link to .*, and nothing is written through it"):
        write(clips, tmp_path / "lr")
    assert not list((tmp_path / "mine").iterdir())


@pytest.mark.parametrize("content", ["{", '{"format": "lr-set-1", "clips": 3}'])
def test_a_damaged_manifest_is_one_clear_error(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UserError, match="write the LR set again"):
        lr_set.read_manifest(tmp_path)


@pytest.mark.parametrize("name", ["../../etc", "..", "/etc", "a/b"])
def test_a_clip_of_a_foreign_manifest_lies_in_its_folder(tmp_path, name):
    clip = {"frames": 1, "size": [4, 4], "sha256": "0" * 64}
    recipe = {"data": "d", "scale": 4, "origin": "o", "degradation": {}, "made_with": "", "clips": {name: clip}}
    (tmp_path / "manifest.json").write_text(json.dumps({"format": "lr-set-1", **recipe}))
    with pytest.raises(UserError, match="is no name of a folder in it"):
        lr_set.read_manifest(tmp_path)


def test_a_manifest_of_another_program_is_not_looked_at(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "app"}))
    assert lr_set.read_manifest(tmp_path) is None and list(lr_set.problems(tmp_path)) == []


def test_a_manifest_of_a_later_format_is_not_taken_for_another_program_s(tmp_path):
    """Its digests would go unchecked in silence."""
    (tmp_path / "manifest.json").write_text(json.dumps({"format": "lr-set-2", "clips": {}}))
    with pytest.raises(UserError, match="manifest.json: an LR set of the format lr-set-2, and lr-set-1 is read"):
        list(lr_set.problems(tmp_path))
