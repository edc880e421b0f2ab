"""Frames made elsewhere: whose they are, and that they are paired by their names."""

import json

import pytest

from bench.commands.frames import RunFrames
from bench.methods.precomputed import Precomputed
from bench.report.page.material import sr
from frames.images import read_image, write_png

COMMON = ("run", "method=precomputed", "data=folder", "metrics=[psnr]", "store=null")


@pytest.fixture
def loose(clips, tmp_path):
    """The frames of one clip, without a folder of its name."""
    for file in (clips / "pan").iterdir():
        write_png(tmp_path / "loose" / file.name, read_image(file))
    return tmp_path / "loose"


def test_loose_frames_are_those_of_the_only_clip(bench, clips, loose, tmp_path):
    answer = bench(*COMMON, f"data.gt={clips / 'pan'}", f"method.root={loose}", f"out={tmp_path / 'out'}")
    assert answer.code == 0, answer.err


def test_loose_frames_are_not_scored_against_several_clips(bench, clips, loose, tmp_path):
    answer = bench(*COMMON, f"data.gt={clips}", f"method.root={loose}", f"out={tmp_path / 'out'}")
    assert answer.code == 3 and "frames of one clip, but the data set has several" in answer.err
    assert "data.clips=[tilt]" in answer.err


def test_a_root_that_is_named_after_a_clip_belongs_to_it_alone(clips, loose):
    made = Precomputed(str(clips / "pan"), "theirs", 4)
    assert made.source("pan").frames == 3
    with pytest.raises(FileNotFoundError, match="no SR frames for clip tilt"):
        made.source("tilt")
    with pytest.raises(FileNotFoundError, match="no SR frames for clip pan"):
        Precomputed(str(loose / "00000000.png"), "theirs", 4).source("pan")


def test_saved_frames_of_a_clip_whose_name_is_written_otherwise_are_found(bench, clips, tmp_path):
    (clips / "pan").rename(clips / "my clip")
    made, common = tmp_path / "made", ("run", "data=folder", f"data.gt={clips}", "metrics=[psnr]", "store=null")
    assert bench(*common, "method=nearest", "save=frames", "timing=none", f"out={made}").code == 0
    frames = made / "frames" / "nearest" / "folder"
    assert (frames / "my%20clip").is_dir()
    answer = bench(*common, "method=precomputed", f"method.root={frames}", f"out={tmp_path / 'out'}")
    assert answer.code == 0, answer.err
    answer = bench("explain", "--pred", frames, "--gt", clips, "--metric", "psnr")
    assert answer.code == 0 and "my clip" in answer.out and not answer.err
    (frames / "my%20clip").rename(frames / "my clip")  # the plain name counts, too
    answer = bench(*common, "method=precomputed", f"method.root={frames}", f"out={tmp_path / 'again'}")
    assert answer.code == 0, answer.err


def test_frames_of_other_names_are_not_paired_in_order(bench, clips, loose, tmp_path):
    (loose / "00000001.png").rename(loose / "00000003.png")
    answer = bench(*COMMON, f"data.gt={clips / 'pan'}", f"method.root={loose}", f"out={tmp_path / 'out'}")
    assert answer.code == 3 and "SR and GT frames do not belong together" in answer.err


def test_frames_of_another_number_are_aligned_by_a_stated_policy_or_refused(bench, clips, loose, tmp_path):
    out = tmp_path / "out"
    words = (*COMMON, f"data.gt={clips / 'pan'}", f"method.root={loose}", f"out={out}")
    for extra in (3, 4):
        write_png(loose / f"{extra:08d}.png", read_image(loose / "00000002.png"))
    padded = bench(*words)
    assert padded.code == 3 and "5 SR frames" in padded.err and "method.align=start leaves out those" in padded.err
    assert bench(*words, "method.align=start").code == 0
    record = json.loads((out / "records.jsonl").read_text().splitlines()[-1])
    assert len(record["scores"]["psnr"]["values"]) == 3
    assert record["descriptor"]["frame_rule"] == "any; frames beyond the clip are left out (align=start)"
    material = RunFrames(out).material(record["data"], record["clip"])  # the page had no picture of them
    assert len(list(material.sources[sr(record["method"])]())) == 3, material.absent
    for index in (3, 4):
        (loose / f"{index:08d}.png").unlink()
    (loose / "00000001.png").rename(loose / "kept")
    gap = bench(*words)
    assert gap.code == 3 and "00000002.png would be paired with" in gap.err and "data.frames" not in gap.err
    (loose / "kept").rename(loose / "00000001.png")
    (loose / "00000002.png").unlink()
    dropped = bench(*words, "method.align=start")
    assert dropped.code == 3 and "data.frames=2 scores every method on the rest" in dropped.err
    assert bench(*words, "method.align=ends").code == 3
