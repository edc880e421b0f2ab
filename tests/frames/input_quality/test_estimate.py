"""The estimate of what is wrong with frames: sure of plain cases, in one line, and no guess where nothing is seen."""

import numpy as np
import pytest
import torch
from skimage import data

from frames.degradations.once import Once
from frames.input_quality import Estimate, estimate, indices_to_judge
from frames.input_quality.features import NAMES, WINDOW, blocks, measure

GT = np.stack([data.astronaut()[t : t + 480, :480] for t in (0, 4)])


def judged(**parts) -> Estimate:
    lr = Once(**parts)(GT, np.random.default_rng(0))
    return estimate(np.moveaxis(lr, -1, 1))


def test_clean_frames_are_clean():
    found = judged()
    assert found.kind == "clean" and not found.degraded and found.score < 0 and found.edge < 2


@pytest.mark.parametrize(
    "kind, parts", [("noisy", {"noise": 12}), ("compressed", {"crf": 34}), ("blurred", {"blur": 7})]
)
def test_plain_cases_are_told_by_their_kind(kind, parts):
    found = judged(**parts)
    assert found.degraded and found.kind == kind and found.reason.startswith(kind) and "\n" not in found.reason


def test_the_measures_are_in_levels_and_pixels():
    assert judged(noise=8).noise == pytest.approx(8 * 0.668, rel=0.15)  # of luma: three colours' noise is averaged
    assert judged(blur=7).edge > 2 * judged().edge
    assert judged(crf=30).grid > 3 * judged().grid


def test_images_tensors_and_frames_larger_than_the_window_are_taken():
    frame = np.moveaxis(data.astronaut()[None], -1, 1)
    assert frame.shape[2] > WINDOW
    assert estimate(frame) == estimate(torch.from_numpy(frame))
    assert measure(data.astronaut()[None]).shape == (len(NAMES),)


def test_tiny_and_flat_frames_are_no_errors():
    tiny = estimate(np.zeros((1, 3, 16, 64), np.uint8))
    assert not tiny.degraded and tiny.reason.startswith("not judged")
    assert np.isfinite(estimate(np.full((2, 3, 64, 64), 255, np.uint8)).score)
    flat = estimate(np.full((2, 3, 64, 64), 90, np.uint8))
    assert not flat.degraded and flat.reason == "not judged: there is nothing in these frames but flat colour"


def test_a_video_is_judged_after_its_first_third_and_images_from_the_first():
    assert indices_to_judge(90, video=True) == range(30, 34) and indices_to_judge(90, video=False) == range(4)
    assert indices_to_judge(1, video=True) == range(1) and indices_to_judge(2, video=False) == range(2)


@pytest.mark.parametrize(
    "frames", [np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 3, 64, 64)), np.zeros((0, 3, 64, 64), np.uint8)]
)
def test_other_arrays_are_refused(frames):
    with pytest.raises(ValueError, match=r"uint8 \(T, 3, H, W\)"):
        estimate(frames)


def test_blocks_lie_in_rows():
    assert blocks(np.arange(35).reshape(5, 7), 2)[1].tolist() == [[2, 3], [9, 10]]


FEATURES = """
-2.303 -2.303 0.419 1.367 2.945 0.690 0.968 0.040 0.303 0.076 0.147 0.140 0.187 0.351 0.072 0.270 5.248 -1.132 -0.210
1.279 0.208 0.000 0.000 -0.160 0.000 0.291 -2.019 -1.582 1.290 1.305 -1.204
"""


def test_the_features_are_those_that_the_weights_were_fitted_to():
    """Of a clip with a little noise, blocks at its top and a still bottom."""
    noise = np.random.default_rng(0).integers(-2, 3, (2, 240, 240, 3))
    clip = np.clip(GT[:, ::2, ::2] + noise, 0, 255).astype(np.uint8)
    clip[:, :48] = clip[:, 0:48:8, ::8].repeat(8, axis=1).repeat(8, axis=2)
    clip[1, 200:] = clip[0, 200:]
    assert measure(clip) == pytest.approx(np.array(FEATURES.split(), float), abs=2e-3)
