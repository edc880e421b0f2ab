"""First-order degradation with fixed parameters: each part does what it says, and none is done unasked."""

import numpy as np
import pytest

from frames.degradations import Bicubic
from frames.degradations.once import Once
from frames.degradations.seeded import once


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_without_any_part_it_is_bicubic_reduction(pans):
    expected = np.stack([Bicubic(4)(frame) for frame in pans[0]])
    assert np.array_equal(Once()(pans[0], rng()), expected)
    assert np.array_equal(Once(scale=1)(pans[0], rng()), pans[0])


def test_noise_has_its_deviation_and_is_new_in_each_frame():
    grey = np.full((2, 256, 256, 3), 128, np.uint8)
    lr = Once(noise=6)(grey, rng()).astype(float)
    assert lr.std() == pytest.approx(6, rel=0.05) and lr.mean() == pytest.approx(128, abs=0.2)
    assert abs(np.corrcoef(lr[0].ravel(), lr[1].ravel())[0, 1]) < 0.05


def test_blur_lowers_detail_and_keeps_brightness(pans):
    sharp, soft = (Once(blur=blur)(pans[0], rng()).astype(float) for blur in (0, 3))
    assert np.abs(np.diff(soft, axis=2)).mean() < 0.8 * np.abs(np.diff(sharp, axis=2)).mean()
    assert soft.mean() == pytest.approx(sharp.mean(), abs=1)


@pytest.mark.parametrize("better, worse", [({"crf": 18}, {"crf": 40}), ({"bitrate": 2000}, {"bitrate": 50})])
def test_compression_of_less_quality_is_further_from_bicubic(pans, better, worse):
    coded = [Once(scale=1, **options)(pans[0], rng()).astype(float) for options in (better, worse)]
    errors = [np.abs((lr - pans[0]).mean(axis=-1)).mean() for lr in coded]  # of grey: chroma is halved at any quality
    assert errors[0] < 0.9 * errors[1]


@pytest.mark.parametrize(
    "options",
    [
        {"crf": 60},
        {"crf": 20, "bitrate": 100},
        {"jpeg": 0},
        {"blur": -1},
        {"noise": 400},
        {"bitrate": 0.5},
        {"crf": "abc"},
        {"jpeg": True},
        {"jpeg": 60.5},
        {"bitrate": 100, "fps": 0},
        {"bitrate": 100, "fps": None},
    ],
)
def test_impossible_parameters_are_refused(options):
    with pytest.raises(ValueError, match="crf|jpeg|blur|bitrate|fps"):
        Once(**options)


def test_what_is_null_is_left_out_and_not_told(pans):
    degrade = once(name="once", scale=4, blur=None, noise=None, jpeg=None, crf=None)
    assert np.array_equal(degrade.clip(pans[0], "clip"), Once()(pans[0], np.random.default_rng(0)))
    assert "crf" not in degrade.signature and "crf28" in once(name="once", scale=4).signature
