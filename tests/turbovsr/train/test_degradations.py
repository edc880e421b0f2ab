"""Degradations: seeded, of the right size and range, with the parameters they are said to have."""

import math
from collections import Counter

import cv2
import numpy as np
import pytest
import torch
from skimage import data

from turbovsr.train.composition import compose_plain, members
from turbovsr.train.config import checked, degradation
from turbovsr.train.degradations import codec, kernels
from turbovsr.train.degradations.basic import BlurDown
from turbovsr.train.degradations.operators import Blur, Codec, Jpeg, Noise, Resize, walk
from turbovsr.train.degradations.realbasicvsr import RealBasicVSR, SecondStage


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return data.astronaut()


@pytest.fixture(scope="module")
def gt(photo) -> torch.Tensor:
    """A pan over a photograph and another one, (2, 3, 5, 64, 96)."""
    clips = [np.stack([photo[y + t : y + t + 64, 150 : 150 + 96] for t in range(5)]) for y in (40, 220)]
    return torch.from_numpy(np.stack(clips)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


@pytest.mark.parametrize("name", members("degradation"))
@pytest.mark.parametrize("frames", [1, 5])
def test_every_configured_degradation_is_seeded_and_gives_8_bit_frames_of_a_quarter_of_the_size(name, frames, gt):
    degrade = degradation(compose_plain([f"degradation={name}"])["degradation"])
    clip = gt[:, :, :frames]
    lr = degrade(clip, np.random.default_rng(1))
    assert lr.shape == (2, 3, frames, 16, 24) and lr.dtype == torch.float32
    levels = (lr + 1) * 127.5
    assert levels.min() >= 0 and levels.max() <= 255.001 and (levels - levels.round()).abs().max() < 1e-3
    assert torch.equal(lr, degrade(clip, np.random.default_rng(1)))
    if name in ("random_blur", "realbasicvsr"):
        assert not torch.equal(lr, degrade(clip, np.random.default_rng(2)))


def test_the_second_order_degradation_repeats_itself_over_many_seeds(gt):
    degrade = RealBasicVSR()
    for seed in range(12):
        first, again = (degrade(gt[:1], np.random.default_rng(seed)) for _ in range(2))
        assert torch.equal(first, again)
        assert (first.mean() - gt[:1].mean()).abs() < 0.15  # brightness stays


def test_blur_down_equals_a_filtering_in_double_precision(gt, photo):
    lr = BlurDown()(gt, np.random.default_rng(0))
    kernel = cv2.getGaussianKernel(13, 1.6, cv2.CV_64F)
    frame = photo[40:104, 150:246]
    blurred = cv2.sepFilter2D(frame, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)[::4, ::4]
    ours = ((lr[0, :, 0] + 1) * 127.5).permute(1, 2, 0).numpy()
    assert np.abs(ours - blurred).max() < 0.51


def test_kernels_keep_brightness_and_the_sinc_rings():
    for shape in ("gaussian", "generalised", "plateau"):
        kernel = kernels.shaped(21, shape, 2.5, 0.8, 0.6, 1.3)
        assert kernel.sum() == pytest.approx(1, abs=1e-5) and kernel.min() >= 0
        assert np.allclose(kernel, kernel[::-1, ::-1], atol=1e-7)
    wide = kernels.shaped(21, "gaussian", 3.0, 0.5, 0.0, 1.0)
    assert wide[10].sum() > 2 * wide[:, 10].sum()  # wide across, narrow down
    assert kernels.sinc(21, math.pi / 3).min() < 0 and kernels.sinc(21, math.pi / 3).sum() == pytest.approx(1, abs=1e-5)


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
    kinds = Counter()
    flat = np.full((3, 3), 1 / 9, np.float32)

    def shaped(size, shape, sigma_x, sigma_y, angle, beta):
        assert 7 <= size <= 21 and size % 2 and 0.2 <= sigma_x <= 3 and 0.2 <= sigma_y <= 3
        kinds[shape, sigma_x == sigma_y] += 1
        return flat

    monkeypatch.setattr(kernels, "shaped", shaped)
    monkeypatch.setattr(kernels, "sinc", lambda size, cutoff: kinds.update(["sinc"]) or flat)
    for seed in range(600):
        Blur()(np.zeros((1, 8, 8, 3), np.float32), np.random.default_rng(seed))
    shares = [("gaussian", True), ("gaussian", False), ("generalised", True), ("plateau", True), "sinc"]
    for kind, expected in zip(shares, (0.405, 0.225, 0.108, 0.108, 0.1)):
        assert abs(kinds[kind] / 600 - expected) < 0.06, kind


def test_noise_has_the_strength_that_was_asked_for():
    clip = np.full((2, 64, 64, 3), 120, np.float32)
    grey = Noise(gaussian_share=1, grey_share=1, sigma=(10, 10))(clip, np.random.default_rng(0)) - clip
    assert grey.std() == pytest.approx(10, rel=0.05) and np.abs(np.diff(grey, axis=-1)).max() < 1e-3
    colour = Noise(gaussian_share=1, grey_share=0, sigma=(10, 10))(clip, np.random.default_rng(0)) - clip
    assert colour.std() == pytest.approx(10, rel=0.05) and np.abs(np.diff(colour, axis=-1)).max() > 10
    poisson = Noise(gaussian_share=0, grey_share=0, poisson_scale=(2, 2))(clip, np.random.default_rng(0)) - clip
    assert poisson.std() == pytest.approx(2 * math.sqrt(120), rel=0.05)  # a flat frame has one level


def test_jpeg_and_codecs_keep_colours_and_frames_in_order():
    clip = np.empty((9, 34, 50, 3), np.uint8)  # not multiples of a macroblock
    for t in range(9):
        clip[t] = (40 + 20 * t, 200 - 20 * t, 90)
    assert np.abs(codec.jpeg(clip[0], 95).astype(int) - clip[0]).max() < 6
    for encoder in codec.DECODERS:
        out = codec.video(clip, encoder, 100_000).astype(int)
        assert np.abs(out - clip).mean() < 4, encoder
    with pytest.raises(ValueError, match="even"):
        codec.video(clip[:, :33], "mpeg4", 1000)


def test_a_lower_rate_is_a_worse_picture(photo):
    clip = np.stack([photo[100 + t : 228 + t, 100:228] for t in range(5)])
    for encoder in ("libx264", "mpeg4"):
        worse, better = (
            np.abs((codec.video(clip, encoder, bits).astype(int) - clip).mean(axis=-1)).mean()
            for bits in (2_000, 100_000)
        )
        assert worse > 1.1 * better, encoder  # of grey: what halving the chroma loses is the same at any rate


def test_x264_gives_the_same_bits_at_sizes_that_once_did_not(photo):
    for height, width in ((202, 300), (40, 58)):
        clip = np.stack([photo[t : height + t, 100 : 100 + width] for t in range(9)])
        assert all(
            np.array_equal(codec.video(clip, "libx264", 20_000), codec.video(clip, "libx264", 20_000)) for _ in "ab"
        )


def test_the_last_two_operations_come_in_either_order(monkeypatch):
    seen = []
    monkeypatch.setattr(Codec, "__call__", lambda self, clip, rng: seen.append(clip.shape[1:3]) or clip)
    for seed in range(40):
        SecondStage()(np.full((1, 80, 80, 3), 99, np.float32), np.random.default_rng(seed), (20, 20))
    before = sum(size != (20, 20) for size in seen)
    assert 8 <= before <= 32


@pytest.mark.parametrize(
    "words, message",
    [
        (["degradation.first.jpeg.quality=[0,95]"], "jpeg.quality"),
        (["degradation.second.resize.odds=[0.5,0.5,0.5]"], "add up to 1"),
        (["degradation.first.codec.encoders=[libx265]"], "libx264"),
        (["degradation.first.blur.sgima=[1,2]"], "did you mean 'sigma'"),
        (["degradation.first.noise.sigma=3"], "wants a list"),
    ],
)
def test_wrong_parameters_are_one_clear_error(words, message):
    plain = compose_plain(["recipe=trial", "data=x", "out=y", "degradation=realbasicvsr", *words])
    with pytest.raises(Exception, match=message) as caught:
        checked(plain)
    assert "\n" not in str(caught.value)


def test_jpeg_quality_stays_in_its_range(monkeypatch):
    asked = []
    monkeypatch.setattr(codec, "jpeg", lambda frame, quality: asked.append(quality) or frame)
    for seed in range(20):
        Jpeg()(np.zeros((9, 16, 16, 3), np.float32), np.random.default_rng(seed))
    assert min(asked) >= 30 and max(asked) <= 95 and max(asked) - min(asked) > 40
