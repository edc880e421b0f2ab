"""Degradations of whole clips for benchmarks: drawn from (seed, set, clip), at any size, the same each time."""

import subprocess
import sys

import numpy as np
import pytest

from frames.degradations import Bicubic
from frames.degradations.seeded import Seeded, compressed, once, realbasicvsr, realesrgan, seed_of

MAKERS = {"realbasicvsr": realbasicvsr, "realesrgan": realesrgan, "compressed": compressed, "once": once}


def build(name: str, **options) -> Seeded:
    return MAKERS[name](name=name, scale=4, **options)


@pytest.mark.parametrize("name", MAKERS)
def test_a_clip_is_the_same_on_every_call(name, pans):
    first, again = (build(name).of_set("set").clip(iter(pans[0]), "a") for _ in "ab")
    assert first.shape == (5, 16, 24, 3) and first.dtype == np.uint8 and np.array_equal(first, again)


@pytest.mark.parametrize("name", ["realbasicvsr", "realesrgan", "once"])
def test_seed_set_and_clip_each_change_it(name, pans):
    base = build(name).of_set("set").clip(pans[0], "a")
    others = (
        build(name, seed=1).of_set("set").clip(pans[0], "a"),
        build(name).of_set("other").clip(pans[0], "a"),
        build(name).of_set("set").clip(pans[0], "b"),
    )
    assert not any(np.array_equal(base, other) for other in others)


def test_another_process_makes_the_same_bytes(tmp_path, pans):
    np.save(tmp_path / "clip.npy", pans[0])
    code = (
        "import sys, numpy as np; from frames.degradations.seeded import realbasicvsr\n"
        "lr = realbasicvsr(name='r', scale=4, seed=3).of_set('s').clip(np.load(sys.argv[1]), 'c')\n"
        "sys.stdout.buffer.write(lr.tobytes())"
    )
    out = subprocess.run([sys.executable, "-c", code, str(tmp_path / "clip.npy")], capture_output=True, check=True)
    assert out.stdout == build("realbasicvsr", seed=3).of_set("s").clip(pans[0], "c").tobytes()


@pytest.mark.parametrize("name", MAKERS)
def test_odd_lr_sizes_are_extended_and_cut_back(name, pans):
    assert build(name).clip(pans[0][:2, :60, :84], "a").shape == (2, 15, 21, 3)


def test_compressed_does_nothing_but_reduce_and_compress(pans):
    near = compressed(name="compressed", scale=4, crf=0).clip(pans[0], "a").astype(int)
    grey = np.stack([Bicubic(4)(frame) for frame in pans[0]]).astype(int)
    assert np.abs((near - grey).mean(axis=-1)).mean() < 1.5  # lossless but for the chroma, which is halved


def test_signatures_tell_the_parameters_apart():
    assert build("realbasicvsr", seed=2).signature == "realbasicvsr-x4-v2-seed2"
    assert build("compressed").signature == "compressed-x4-crf28-25fps"
    assert build("compressed", crf=None, bitrate=300).signature == "compressed-x4-v2-300kbps-25fps"
    assert build("once", jpeg=None).signature == "once-x4-blur1.2-noise6-crf28-25fps-seed0"
    assert "libx264 core" in build("once").made_with


def test_seeds_are_the_same_on_every_machine():
    assert seed_of(0, "vid4", "city") == 1906596472728912763


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="degradation.seed"):
        build("once", seed=seed)


def test_compression_needs_a_rate():
    with pytest.raises(ValueError, match="crf=null and bitrate=null"):
        build("compressed", crf=None)


def test_changed_degradations_have_signatures_of_their_own():
    assert build("realesrgan", seed=3).signature == "realesrgan-x4-v3-seed3"
    assert build("realbasicvsr", seed=3).signature == "realbasicvsr-x4-v2-seed3"
