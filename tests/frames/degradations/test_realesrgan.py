"""Real-ESRGAN's second-order degradation on clips."""

import numpy as np
import pytest

from frames.degradations.operators import Blur, Jpeg, Noise
from frames.degradations.realesrgan import STILL, STILL_NOISE, RealESRGAN


def test_it_repeats_itself_and_keeps_brightness(pans):
    degrade, clip = RealESRGAN(), pans[0]
    for seed in range(8):
        first, again = (degrade(clip, np.random.default_rng(seed)) for _ in range(2))
        assert first.shape == (5, 16, 24, 3) and first.dtype == np.uint8
        assert np.array_equal(first, again)
        assert abs(first.mean() - clip.mean()) < 0.15 * 127.5


def test_odd_sizes_are_taken():
    assert RealESRGAN()(np.zeros((1, 36, 60, 3), np.uint8), np.random.default_rng(0)).shape == (1, 9, 15, 3)


def test_parameters_stay_the_same_over_a_clip():
    still = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32).repeat(3, axis=0)
    for seed in range(6):
        blurred = Blur(**STILL)(still, np.random.default_rng(seed))
        assert np.array_equal(blurred[0], blurred[2])
    coded = Jpeg(quality_step=0)(still, np.random.default_rng(0))
    assert np.array_equal(coded[0], coded[2])
    noise = Noise(gaussian_share=1, **STILL_NOISE)(np.zeros((9, 64, 64, 3), np.float32), np.random.default_rng(1))
    assert noise.std(axis=(1, 2, 3)) == pytest.approx(noise.std(), rel=0.05)


def test_the_second_resize_is_relative_to_the_lr_size():
    """As in the public code: from 0.3 to 1.2 of it, whatever the first resize made."""
    heights = []

    def seen(clip, rng):
        heights.append(clip.shape[1])
        return clip

    gt = np.zeros((1, 512, 512, 3), np.uint8)
    for seed in range(30):
        RealESRGAN(second_noise=seen)(gt, np.random.default_rng(seed))
    assert min(heights) >= 38 and max(heights) <= 154 and heights.count(128) > 5


def test_a_scale_below_one_is_refused():
    with pytest.raises(ValueError, match="scale"):
        RealESRGAN(scale=0)
