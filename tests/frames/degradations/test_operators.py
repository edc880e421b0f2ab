"""Random operations: their parameters come from the ranges and as often as they are said to."""

import math
import tracemalloc
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest

from frames.degradations import codec, kernels, realbasicvsr, realesrgan
from frames.degradations.operators import Blur, Codec, Jpeg, Noise, Resize, walk


def test_values_walk_in_small_steps_inside_their_range():
    for seed in range(20):
        values = walk(np.random.default_rng(seed), (0.2, 3.0), 0.02, 40)
        assert (values >= 0.2).all() and (values <= 3.0).all() and np.abs(np.diff(values)).max() <= 0.02


def test_resizes_grow_shrink_and_keep_as_often_as_said_and_stay_even():
    clip, ways = np.zeros((1, 100, 140, 3), np.float32), Counter()
    for seed in range(400):
        height, width = Resize()(clip, np.random.default_rng(seed)).shape[1:3]
        assert height % 2 == 0 and width % 2 == 0 and 14 <= height <= 150
        ways["keep" if height == 100 and width == 140 else "up" if width > 140 else "down"] += 1
    assert 0.13 < ways["up"] / 400 < 0.27 and 0.62 < ways["down"] / 400 < 0.78 and 0.05 < ways["keep"] / 400 < 0.16


def test_blur_kinds_come_as_often_as_said(monkeypatch):
    kinds, angles, cutoffs = Counter(), [], defaultdict(list)
    flat = np.full((3, 3), 1 / 9, np.float32)

    def shaped(size, shape, sigma_x, sigma_y, angle, beta):
        assert 7 <= size <= 21 and size % 2 and 0.2 <= sigma_x <= 3 and 0.2 <= sigma_y <= 3
        kinds[shape, sigma_x == sigma_y] += 1
        angles.append(angle)
        return flat

    def sinc(size, cutoff):
        kinds["sinc"] += 1
        cutoffs[size < 13].append(cutoff)
        return flat

    monkeypatch.setattr(kernels, "shaped", shaped)
    monkeypatch.setattr(kernels, "sinc", sinc)
    for seed in range(600):
        Blur()(np.zeros((1, 8, 8, 3), np.float32), np.random.default_rng(seed))
    shares = [("gaussian", True), ("gaussian", False), ("generalised", True), ("plateau", True), "sinc"]
    for kind, expected in zip(shares, (0.405, 0.225, 0.108, 0.108, 0.1)):
        assert abs(kinds[kind] / 600 - expected) < 0.06, kind
    found = [angles, cutoffs[True], cutoffs[False]]
    ranges = [(-math.pi, math.pi), (math.pi / 3, math.pi), (math.pi / 5, math.pi)]
    for values, (low, high) in zip(found, ranges, strict=True):
        assert low <= min(values) < low + 0.1 * (high - low) and high - 0.15 * (high - low) < max(values) <= high


BETAS = {"generalised": (0.5, 4.0), "plateau": (1.0, 2.0)}


def betas(monkeypatch, shape, frames=1, **options):
    """Exponents of 1,000 clips' kernels, (1000, frames)."""
    found = []
    flat = np.full((3, 3), 1 / 9, np.float32)
    monkeypatch.setattr(kernels, "shaped", lambda *values: found.append(values[-1]) or flat)
    kinds = tuple(float(kind == f"{shape} iso") for kind in Blur.KINDS)
    for seed in range(1000):
        Blur(odds=kinds, **options)(np.zeros((frames, 8, 8, 3), np.float32), np.random.default_rng(seed))
    return np.reshape(found, (1000, frames))


@pytest.mark.parametrize("shape", BETAS)
def test_real_esrgan_draws_half_of_the_exponents_below_one_for_the_whole_clip(monkeypatch, shape):
    """BasicSR, random_bivariate_generalized_Gaussian and random_bivariate_plateau; no plateau has less than 1."""
    low, high = BETAS[shape]
    found = betas(monkeypatch, shape, frames=2, **realesrgan.STILL)
    assert np.array_equal(found[:, 0], found[:, 1])
    assert (found <= 1).mean() == pytest.approx(0.5, abs=0.05)
    assert found[found <= 1].mean() == pytest.approx((low + 1) / 2, abs=0.02)
    assert found[found > 1].mean() == pytest.approx((high + 1) / 2, rel=0.05)


@pytest.mark.parametrize("shape", BETAS)
def test_realbasicvsr_draws_exponents_between_one_and_a_value_of_the_range(monkeypatch, shape):
    """MMagic's RandomBlur gives [beta, beta] to the function above in each frame."""
    low, high = BETAS[shape]
    found = betas(monkeypatch, shape, frames=3)
    assert found.mean(axis=0) == pytest.approx(1 + ((low + high) / 2 - 1) / 2, rel=0.05)
    assert (found < 1).mean() == pytest.approx((1 - low) / (high - low), abs=0.03)
    assert np.abs(np.diff(found)).max() > 0.8 * (high - 1)  # each frame has its own


def test_noise_has_the_strength_that_was_asked_for():
    clip = np.full((2, 64, 64, 3), 120, np.float32)
    grey = Noise(gaussian_share=1, grey_share=1, sigma=(10, 10))(clip, np.random.default_rng(0)) - clip
    assert grey.std() == pytest.approx(10, rel=0.05) and np.abs(np.diff(grey, axis=-1)).max() < 1e-3
    colour = Noise(gaussian_share=1, grey_share=0, sigma=(10, 10))(clip, np.random.default_rng(0)) - clip
    assert colour.std() == pytest.approx(10, rel=0.05) and np.abs(np.diff(colour, axis=-1)).max() > 10
    poisson = Noise(gaussian_share=0, grey_share=0, poisson_scale=(2, 2))(clip, np.random.default_rng(0)) - clip
    assert poisson.std() == pytest.approx(2 * math.sqrt(255 * 120), rel=0.05)  # a flat frame has one level


def test_photons_are_counted_in_the_unit_of_the_public_code():
    """BasicSR and MMEditing: poisson(x * n) / n of x in 0..1, so the noise has 255 * sqrt(x / n) grey levels."""
    levels = np.arange(256, dtype=np.float32).repeat(3 * 256).reshape(1, 256, 256, 3)
    expected = 255 * np.sqrt(np.arange(256) / 255 / 256)
    for degrade in (realbasicvsr.FirstStage().noise, realesrgan.RealESRGAN().first_noise):
        alone = replace(degrade, gaussian_share=0, grey_share=0, poisson_scale=(1, 1))
        noise = alone(levels, np.random.default_rng(0)) - levels
        assert noise[0, 64:].std(axis=(1, 2)) == pytest.approx(expected[64:], rel=0.15)


@pytest.mark.parametrize(
    "operation",
    [Blur(), Resize(odds=(0, 1, 0)), Noise(gaussian_share=1), Noise(gaussian_share=0), Jpeg()],
    ids=["blur", "resize", "gaussian", "poisson", "jpeg"],
)
def test_an_operation_holds_its_result_once_as_float32(operation):
    clip = np.full((40, 64, 64, 3), 99, np.float32)
    operation(clip[:1], np.random.default_rng(1))  # loads what it needs
    tracemalloc.start()
    try:
        result = operation(clip, np.random.default_rng(1))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.dtype == np.float32 and len(result) == 40 and peak < 1.3 * result.nbytes


def test_jpeg_quality_stays_in_its_range(monkeypatch):
    asked = []
    monkeypatch.setattr(codec, "jpeg", lambda frame, quality: asked.append(quality) or frame)
    for seed in range(20):
        Jpeg()(np.zeros((9, 16, 16, 3), np.float32), np.random.default_rng(seed))
    assert min(asked) >= 30 and max(asked) <= 95 and max(asked) - min(asked) > 40


@pytest.mark.parametrize(
    "operation, options",
    [
        (Blur, {"probability": 2.0}),
        (Blur, {"sizes": (4,)}),
        (Blur, {"sizes": ()}),
        (Blur, {"odds": (1.0,)}),
        (Blur, {"sigma": (math.nan, 1.0)}),
        (Blur, {"plateau_beta": (1.5, 2.0), "beta_each_frame": False}),
        (Resize, {"scale": (0.5, math.inf)}),
        (Noise, {"gaussian_share": -1.0}),
        (Jpeg, {"quality": (0, 95)}),
        (Codec, {"encoders": ("libx265",)}),
    ],
)
def test_impossible_parameters_are_refused_by_name(operation, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        operation(**options)


FIRST = ["blur", "resize", "noise", "jpeg"]


@pytest.mark.parametrize(
    ("module", "degrade", "begin", "last"),
    [
        (realbasicvsr, realbasicvsr.RealBasicVSR(), [*FIRST, "codec", *FIRST], "codec"),
        (realesrgan, realesrgan.RealESRGAN(), [*FIRST, *FIRST[:3]], "jpeg"),
    ],
)
def test_operations_come_in_the_order_of_the_papers(monkeypatch, module, degrade, begin, last):
    """Then, in either order: the last one, and the resize to the LR size, with a sinc filter in 8 of 10 clips."""
    seen = []
    for kind in (Blur, Noise, Jpeg, Codec):
        name = kind.__name__.lower()
        monkeypatch.setattr(kind, "__call__", lambda self, clip, rng, name=name: seen.append(name) or clip)
    monkeypatch.setattr(Resize, "to_size", lambda self, clip, size, rng: seen.append("resize") or clip)
    monkeypatch.setattr(module, "sinc_filter", lambda clip, *_: seen.append("sinc") or clip)
    ends = Counter()
    for seed in range(200):
        seen.clear()
        degrade(np.zeros((1, 16, 16, 3), np.uint8), np.random.default_rng(seed))
        assert seen[: len(begin)] == begin
        ends[tuple(seen[len(begin) :])] += 1
    resizes = [("resize", "sinc"), ("resize",)]
    expected = {order: share for end, share in zip(resizes, (0.4, 0.1)) for order in ((last, *end), (*end, last))}
    assert ends.keys() == expected.keys()
    assert all(abs(ends[order] / 200 - share) < 0.1 for order, share in expected.items())
