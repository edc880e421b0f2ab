"""`compare-frames`: a strip and videos of a real run."""

import shutil
from dataclasses import replace

import av
import numpy as np
import pytest

from bench.store.records import FILE, RecordFile, load
from frames.images import read_image
from frames.video import read_video
from tests.bench.made_up import refused


def test_a_strip_shows_the_crops_of_every_version_pixel_by_pixel(made, bench, tmp_path):
    out = tmp_path / "strip.png"
    answer = bench("compare-frames", made.run, "--clip", "pan", "--frame", 2, "--crop", "8,16,48,32", "--out", out)
    assert answer.code == 0, answer.err
    picture = read_image(out)
    truth = read_image(made.gt / "pan" / "00000002.png")[16:48, 8:56].repeat(5, axis=0).repeat(5, axis=1)
    rows = [y for y in range(picture.shape[0] - 159) if (picture[y, :, :] == truth[0, 0]).all(axis=1).any()]
    found = [
        (x, y)
        for y in rows
        for x in np.flatnonzero((picture[y] == truth[0, 0]).all(axis=1))
        if picture[y : y + 160, x : x + 240].shape == truth.shape and (picture[y : y + 160, x : x + 240] == truth).all()
    ]
    assert len(found) == 1


def test_the_same_strip_twice_is_the_same_bytes_and_lands_in_the_run(made, bench, tmp_path):
    for name in ("one.png", "two.png"):
        assert bench("compare-frames", made.run, "--clip", "pan", "--out", tmp_path / name).code == 0
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    answer = bench("compare-frames", made.run, "--clip", "still", "--methods", "nearest,gt")
    assert answer.out.strip() == str(made.run / "compare-folder-still-0000.png")


def test_frames_are_shown_after_another_method_could_not_open_the_clip(made, bench, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(made.run, run)
    records = load(run).records
    (run / FILE).unlink()
    for record in (refused(replace(records[0], method="early")), *records):
        RecordFile(run / FILE).append(record)
    out = tmp_path / "strip.png"
    answer = bench("compare-frames", run, "--clip", records[0].clip, "--store", made.store, "--out", out)
    assert answer.code == 0 and out.is_file(), answer.err


@pytest.mark.parametrize("kind, versions", [("split", "bicubic,nearest"), ("stack", "lr,bicubic,gt")])
def test_a_video_has_every_frame_and_is_tagged(made, bench, tmp_path, kind, versions):
    out = tmp_path / "film.mp4"
    arguments = ("--clip", "pan", "--methods", versions, "--video", kind, "--out", out)
    assert bench("compare-frames", made.run, *arguments).code == 0
    frames = list(read_video(out))
    assert len(frames) == 5 and frames[0].shape[0] % 2 == frames[0].shape[1] % 2 == 0
    assert frames[0].shape[:2] == ((448, 672) if kind == "split" else (898, 1346))
    with av.open(str(out)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.colorspace, context.color_range) == ("h264", 1, 1)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--clip", "pam"], "did you mean 'pan'?"),
        (["--clip", "pan", "--data", "foldr"], "did you mean 'folder'?"),
        (["--clip", "pan", "--methods", "bicubc"], "did you mean 'bicubic'?"),
        (["--clip", "pan", "--methods", ","], "--methods ,: names none; write some of lr, bicubic"),
        (["--clip", "pan", "--frame", "5"], "has the frames 0 to 4"),
        (["--clip", "pan", "--crop", "0,0,97,10"], "the frames are 96x64"),
        (["--clip", "pan", "--crop", "all"], "write X,Y,WIDTH,HEIGHT"),
        (["--clip", "pan", "--out", "x.gif"], "ends in .png"),
        (["--clip", "pan", "--store", "nowhere", "--methods", "bicubic"], "neither in the store"),
        (["--clip", "pan", "--store", "nowhere"], "no method's frames can be shown"),
    ],
)
def test_mistakes_are_one_clear_line(made, bench, arguments, words):
    answer = bench("compare-frames", made.run, *arguments)
    assert answer.code == 3 and words in answer.err and len(answer.err.splitlines()) == 1
