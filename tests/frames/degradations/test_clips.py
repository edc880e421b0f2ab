"""Degradations of clips are those of benchmarks, frame by frame, with random blurs drawn from a range."""

import cv2
import numpy as np
import pytest

from frames.degradations import Bicubic, BlurDown, ClipBicubic, ClipBlurDown


@pytest.mark.parametrize(
    "of_clips, of_frames",
    [
        (ClipBicubic(), Bicubic(4)),
        (ClipBicubic(scale=2), Bicubic(2)),
        (ClipBlurDown(), BlurDown(4)),
        (ClipBlurDown(scale=2, sigma=(0.7, 0.7), size=7), BlurDown(2, sigma=0.7, size=7)),
    ],
)
def test_clips_of_training_get_the_frames_of_benchmarks(of_clips, of_frames, pans):
    lr = of_clips(pans[0], np.random.default_rng(0))
    assert lr.dtype == np.uint8
    assert np.array_equal(lr, np.stack([of_frames(frame) for frame in pans[0]]))


def test_bicubic_is_antialiased():
    checks = np.tile(np.array([[255, 0], [0, 255]], np.uint8), (16, 16))[None, ..., None].repeat(3, axis=-1)
    lr = ClipBicubic()(checks, np.random.default_rng(0)).astype(int)
    assert np.abs(lr - 127.5).max() < 2.55  # without antialiasing it would keep its contrast


def test_blur_down_equals_a_filtering_in_double_precision(pans, photo):
    lr = ClipBlurDown()(pans[0], np.random.default_rng(0))
    kernel = cv2.getGaussianKernel(13, 1.6, cv2.CV_64F)
    frame = photo[40:104, 150:246]
    blurred = cv2.sepFilter2D(frame, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)[::4, ::4]
    assert np.abs(lr[0] - blurred).max() < 0.51


def test_a_random_blur_differs_by_clip_and_repeats_by_seed(pans):
    degradation = ClipBlurDown(sigma=(0.6, 3.0), size=21)
    first, again, other = (degradation(pans[0], np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize("options", [{"sigma": (0, 1)}, {"sigma": (2, 1)}, {"size": 4}, {"scale": 0}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match="sigma|size|scale"):
        ClipBlurDown(**options)
