"""PSNR and SSIM equal the libraries people use, on equal settings, to 1e-6."""

import math

import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from bench.metrics.protocol import parse
from bench.metrics.registry import build
from frames.color import luma


def reference_ssim(x, y):
    """skimage on MATLAB's settings, border of the window left out as in BasicSR."""
    _, full = structural_similarity(
        x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, full=True
    )
    return full[5:-5, 5:-5].mean()


def test_psnr_on_rgb_equals_skimage(tid):
    for sr, gt in tid.values():
        assert build("psnr").score(sr, gt) == pytest.approx(peak_signal_noise_ratio(gt, sr), abs=1e-9)


def test_psnr_on_y_is_studio_range_and_differs_from_full_range_by_a_constant(tid):
    full = np.array([0.299, 0.587, 0.114])
    for sr, gt in tid.values():
        full_range = peak_signal_noise_ratio(gt @ full, sr @ full, data_range=255)
        assert build("psnr-y").score(sr, gt) - full_range == pytest.approx(20 * math.log10(255 / 219), abs=2e-3)


def test_psnr_on_chroma_is_that_of_skimage_and_blind_to_luma(tid):
    for sr, gt in tid.values():
        x, y = (rgb2ycbcr(frame)[..., 1:] for frame in (sr, gt))
        expected = peak_signal_noise_ratio(y, x, data_range=255)
        assert build("psnr-cbcr").score(sr, gt) == pytest.approx(expected, abs=1e-3)
    grey = np.zeros((32, 32, 3), np.uint8)
    assert build("psnr-cbcr").score(grey, grey + 90) > 300


def test_luma_of_known_colours():
    colors = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0]]], np.uint8)
    assert luma(colors)[0] == pytest.approx([16, 235, 16 + 65.481])


@pytest.mark.parametrize("color", ["rgb", "y"])
def test_ssim_equals_skimage_on_matlab_settings(tid, color):
    for sr, gt in tid.values():
        if color == "y":
            expected = reference_ssim(luma(sr).astype(np.float64), luma(gt).astype(np.float64))
        else:
            expected = np.mean(
                [reference_ssim(sr[..., c].astype(np.float64), gt[..., c].astype(np.float64)) for c in range(3)]
            )
        assert build("ssim", parse({"color": color})).score(sr, gt) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("size", [(203, 1290), (107, 660), (97, 651), (11, 11)])
def test_ssim_of_frames_that_are_taken_tile_by_tile(tid, size):
    sr, gt = (np.tile(frame, (1, 3, 1))[: size[0], : size[1]] for frame in tid["I04"])
    expected = reference_ssim(luma(sr).astype(np.float64), luma(gt).astype(np.float64))
    assert build("ssim", parse({"color": "y"})).score(sr, gt) == pytest.approx(expected, abs=1e-6)


def test_equal_frames_have_infinite_psnr_and_ssim_one(tid):
    _, gt = tid["I03"]
    assert build("psnr").score(gt, gt) == math.inf
    assert build("ssim").score(gt, gt) == pytest.approx(1, abs=1e-7)


def test_crop_leaves_out_the_border(tid):
    sr, gt = tid["I04"]
    for name in ("psnr", "ssim"):
        inner = build(name).score(np.ascontiguousarray(sr[8:-8, 8:-8]), np.ascontiguousarray(gt[8:-8, 8:-8]))
        assert build(name, parse({"crop": 8})).score(sr, gt) == inner
        assert "crop8" in build(name, parse({"crop": 8})).signature


def test_unlike_sizes_are_refused(tid):
    sr, gt = tid["I03"]
    with pytest.raises(ValueError, match="SR frame is 511x384, GT frame is 512x384"):
        build("psnr").score(sr[:, :-1], gt)


def test_signatures_of_unlike_recipes_differ():
    names = ("psnr-y", "psnr-rgb", "ssim-y", "ssim-rgb", "lpips-alex", "lpips-vgg", "dists")
    assert len({build(name).signature for name in names}) == len(names)
    assert build("psnr", parse({"color": "y"})).signature == build("psnr-y").signature
