"""MS-SSIM equals pyiqa's figures under its definition, and the formula in double precision under the authors'."""

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from bench.metrics.ms_ssim import WEIGHTS, halved
from bench.metrics.protocol import parse
from bench.metrics.registry import build
from frames.color import luma

PYIQA = {  # printed by pyiqa 0.1.16's ms_ssim on these TID2013 pairs: whole, and the part ODD of them
    "I03": (0.670653370354379, 0.6496483966666812),
    "I04": (0.9996345606278103, 0.9995940984126606),
    "I06": (0.9998226512909816, 0.9998891250295088),
    "I08": (0.956672217289924, 0.9410742455483695),
    "I19": (0.8418062057445576, 0.8586922889623405),
}
AS_PYIQA = parse({"color": {"psnr": "rgb", "ssim": "y-full"}, "definition": "pyiqa"})
ODD = slice(20, 351), slice(30, 387)


@pytest.mark.parametrize("name", PYIQA)
def test_pyiqas_definition_gives_pyiqas_numbers(tid, name):
    sr, gt = tid[name]
    metric = build("ms-ssim", AS_PYIQA)
    found = metric.score(sr, gt), metric.score(sr[ODD], gt[ODD])
    assert found == pytest.approx(PYIQA[name], abs=1e-6)


def reference(x, y):
    """The authors' formula, written plainly."""
    window = np.exp(-np.square(np.arange(-5, 6)) / (2 * 1.5**2))
    window /= window.sum()

    def blurred(plane):
        return correlate1d(correlate1d(plane, window, axis=0), window, axis=1)[5:-5, 5:-5]

    value = 1.0
    for weight in WEIGHTS:
        a, b = blurred(x), blurred(y)
        variances = blurred(x * x) - a * a + blurred(y * y) - b * b
        contrast = (2 * (blurred(x * y) - a * b) + 58.5225) / (variances + 58.5225)
        luminance = (2 * a * b + 6.5025) / (a * a + b * b + 6.5025)
        value *= np.mean(contrast * luminance if weight == WEIGHTS[-1] else contrast) ** weight
        x, y = (np.pad(p, [(0, p.shape[0] % 2), (0, p.shape[1] % 2)], mode="symmetric") for p in (x, y))
        x, y = ((p[::2, ::2] + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2]) / 4 for p in (x, y))
    return value


@pytest.mark.parametrize("name", ["I03", "I08"])
def test_the_authors_definition_on_an_odd_size(tid, name):
    sr, gt = (frame[ODD] for frame in tid[name])
    channels = [reference(sr[..., c].astype(np.float64), gt[..., c].astype(np.float64)) for c in range(3)]
    assert build("ms-ssim").score(sr, gt) == pytest.approx(np.mean(channels), abs=2e-6)
    assert build("ms-ssim-y").score(sr, gt) == pytest.approx(reference(luma(sr), luma(gt)), abs=2e-6)


def test_an_odd_side_repeats_its_last_line_and_pyiqas_begins_with_zeros():
    plane = np.array([[4.0, 4.0, 8.0]] * 3)
    assert halved(plane).tolist() == [[4, 8], [4, 8]]
    assert halved(plane, pyiqa=True).tolist() == [[1, 3], [2, 6]]


def test_equal_frames_have_one_and_the_crop_counts(tid):
    sr, gt = tid["I19"]
    assert build("ms-ssim").score(gt, gt) == pytest.approx(1, abs=1e-6)
    cropped = build("ms-ssim", parse({"crop": 8}))
    assert cropped.score(sr, gt) == build("ms-ssim").score(sr[8:-8, 8:-8], gt[8:-8, 8:-8])
    assert (
        cropped.signature == "ms-ssim|rgb-mean-of-channels|gauss11-1.5-valid|5-scales|uint8|crop8|mean-frames,clips|v1"
    )


def test_opposite_frames_have_zero_not_a_complex_number():
    gt = np.random.default_rng(0).integers(0, 256, (170, 170, 3), dtype=np.uint8)
    assert build("ms-ssim").score(255 - gt, gt) == 0.0


def test_a_frame_too_small_for_five_scales_is_one_clear_line(tid):
    sr, gt = (frame[:160, :200] for frame in tid["I03"])
    with pytest.raises(
        ValueError, match="^MS-SSIM needs 161 pixels a side for its five scales, this frame has 200x160$"
    ):
        build("ms-ssim").score(sr, gt)
    sr, gt = (frame[:168, :200] for frame in tid["I03"])
    with pytest.raises(ValueError, match="has 192x160 inside a border of 4$"):
        build("ms-ssim", parse({"crop": 4})).score(sr, gt)
