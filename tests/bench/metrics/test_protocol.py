"""Protocols: their keys, the frames they choose, and that pyiqa's definitions give pyiqa's numbers."""

import pytest
from omegaconf import OmegaConf

from bench.groups import members
from bench.metrics.protocol import RGB, parse, thinned
from bench.metrics.registry import build
from bench.store import records
from frames.color import planes
from frames.errors import UserError
from frames.images import read_image

PYIQA = {  # printed by pyiqa 0.1.16 on these TID2013 pairs: psnr, psnry, ssim, and ssim with test_y_channel=False
    "I03": (21.113628387451172, 22.2702693939209, 0.699736751425592, 0.6739796139674972),
    "I04": (20.98719024658203, 55.99952697753906, 0.9977550487343217, 0.9325185514626437),
    "I06": (27.01384735107422, 56.536746978759766, 0.998908233045765, 0.9896346446961952),
    "I08": (23.300247192382812, 23.742990493774414, 0.9670930227236356, 0.967606050540283),
    "I19": (21.618642807006836, 23.01483154296875, 0.6521559217783554, 0.6311068505084693),
}


def preset(name, scale=4):
    return parse(OmegaConf.to_container(OmegaConf.load(members("protocol")[name])), scale)


@pytest.mark.parametrize("name", PYIQA)
def test_pyiqas_definitions_give_pyiqas_numbers(tid, name):
    protocols = (
        ("psnr", preset("pyiqa-default")),
        ("psnr", preset("pyiqa-y")),
        ("ssim", preset("pyiqa-default")),
        ("ssim", parse({"definition": "pyiqa"})),
    )
    for (metric, protocol), expected in zip(protocols, PYIQA[name]):
        tolerance = 1e-5 if metric == "psnr" else 1e-6  # pyiqa's PSNR is in single precision
        assert build(metric, protocol).score(*tid[name]) == pytest.approx(expected, abs=tolerance)


def test_pyiqas_psnr_of_equal_frames_is_80_db(tid):
    _, gt = tid["I03"]
    assert build("psnr", preset("dove")).score(gt, gt) == pytest.approx(80)


@pytest.mark.parametrize("name", members("protocol"))
def test_every_preset_is_read_and_tells_what_it_is_and_where_it_is_from(name):
    assert preset(name).name == name
    first, second = members("protocol")[name].read_text().splitlines()[:2]
    assert first.startswith("# ") and (second.startswith("# Source: ") or name == "rgb")


def test_signatures_tell_colour_crop_rounding_definition_and_frames():
    known = [build("psnr", preset(name)).signature for name in members("protocol")]
    assert len(set(known)) == 10  # rgb = reds4, vid4 = udm10, dove = pyiqa-default
    assert build("ssim", preset("vid4-duf")).signature == (
        "ssim|y-bt601-studio|gauss11-1.5-valid|uint8|crop8|frames2..-3|mean-frames,clips|v1"
    )
    assert build("psnr", preset("matlab-y", scale=3)).signature == (
        "psnr|y-bt601-studio-rounded|uint8|crop3|mean-frames,clips|v1"
    )
    assert preset("vimeo").signed("dists|vgg16|mean-frames,clips|v1") == "dists|vgg16|frames3|mean-frames,clips|v1"
    assert RGB.signed("dists|vgg16|mean-frames,clips|v1") == "dists|vgg16|mean-frames,clips|v1"


def test_frames_are_chosen_by_index_or_dropped_at_the_ends():
    assert RGB.indices(3) == [0, 1, 2]
    assert preset("vid4-duf").indices(6) == [2, 3]
    assert preset("vimeo").indices(7) == [3]
    assert parse({"frames": [4, 0]}).indices(5) == [0, 4]


def test_every_nth_of_the_protocols_frames_counted_from_its_first():
    assert thinned(RGB, 4).indices(9) == [0, 4, 8]
    assert thinned(preset("vid4-duf"), 3).indices(9) == [2, 5]
    assert thinned(RGB, 4).signed("dists|vgg16|mean-frames,clips|v1") == "dists|vgg16|every4|mean-frames,clips|v1"
    duf = build("psnr", thinned(preset("vid4-duf"), 3))
    assert "|crop8|frames2..-3 every3|mean-frames" in duf.signature
    assert thinned(RGB, 1) is RGB and thinned(RGB, 4).name == "rgb every4"
    with pytest.raises(UserError, match="score_every=2: protocol vimeo names the frames that it scores"):
        thinned(preset("vimeo"), 2)


def test_a_clip_too_short_for_the_protocol_is_an_error():
    for name, frames in (("vid4-duf", 4), ("vimeo", 3)):
        with pytest.raises(ValueError, match=f"protocol {name} scores frames.* has only {frames} frames"):
            preset(name).indices(frames)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"colour": "y"}, "unknown key 'colour'; did you mean 'color'"),
        ({"color": "yuv"}, "unknown color 'yuv'"),
        ({"color": {"psnr": "y", "lpips": "y"}}, "unknown key 'color.lpips'"),
        ({"crop": -1}, "crop=-1"),
        ({"frames": "some"}, "frames=some"),
        ({"frames": {"drop": 2}}, "unknown key 'frames.drop'"),
        ({"frames": [-1]}, "frames="),
        ({"rounding": "int"}, "unknown rounding 'int'"),
        ({"definition": "skimage"}, "unknown definition"),
    ],
)
def test_a_wrong_key_or_value_is_one_line(options, words):
    with pytest.raises(UserError, match=words.replace("[", r"\[")):
        parse({"name": "mine", **options})


def test_rounded_luma_has_whole_levels(tid):
    sr, _ = tid["I03"]
    for color in ("y", "y-full"):
        (rounded,), (exact,) = (planes(sr, color, rounding) for rounding in ("uint8", "none"))
        assert (rounded == rounded.round()).all() and abs(rounded - exact).max() <= 0.501


def test_a_run_scores_only_the_protocols_frames_and_tells_which(bench, clips, tmp_path):
    answer = bench(
        "run",
        "method=nearest",
        "data=folder",
        f"data.gt={clips}",
        "data.clips=[pan]",
        "metrics=[psnr]",
        "timing=once",
        "save=frames",
        f"out={tmp_path}",
        "protocol.frames=[1]",
    )
    assert answer.code == 0, answer.err
    scores = records.load(tmp_path).records[0].scores["psnr"]
    sr = next(tmp_path.rglob("frames/**/pan/00000001.png"))
    expected = build("psnr").score(read_image(sr), read_image(clips / "pan" / "00000001.png"))
    assert (scores.indices, scores.values) == ([1], [pytest.approx(expected)])
    assert "|frames1|" in scores.signature
