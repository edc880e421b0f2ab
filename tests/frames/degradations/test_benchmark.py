"""LR made from GT, against definitions written down independently in float64."""

from pathlib import Path

import numpy as np
import pytest
import skimage
from scipy.ndimage import gaussian_filter

from frames.degradations import Bicubic, BlurDown, Given
from frames.images import read_image
from frames.resize import bicubic_down, bicubic_shrink


def cubic(x: np.ndarray) -> np.ndarray:
    """Keys' kernel with a = -0.5."""
    x = np.abs(x)
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, inner, np.where(x < 2, outer, 0))


def imresize_axis(image: np.ndarray, axis: int, factor: int) -> np.ndarray:
    """One pass of MATLAB's imresize(image, 1/factor): stretched kernel, 1-based centres, mirrored indices."""
    length = image.shape[axis]
    centres = np.arange(1, length // factor + 1) * factor + 0.5 * (1 - factor)
    taps = np.floor(centres[:, None] - 2 * factor) + np.arange(4 * factor + 2)
    weights = cubic((centres[:, None] - taps) / factor)
    weights /= weights.sum(axis=1, keepdims=True)
    mirror = np.r_[np.arange(length), np.arange(length)[::-1]]
    rows = np.moveaxis(image, axis, 0)[mirror[(taps.astype(int) - 1) % (2 * length)]]
    return np.moveaxis(np.einsum("mt,mt...->m...", weights, rows), 0, axis)


def imresize(image: np.ndarray, factor: int) -> np.ndarray:
    small = imresize_axis(imresize_axis(image.astype(np.float64), 0, factor), 1, factor)
    return np.clip(np.floor(small + 0.5), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=["coffee.png", "chelsea.png", "noise"])
def picture(request) -> np.ndarray:
    if request.param == "noise":  # the hardest case: overshoot and clipping everywhere
        return np.random.default_rng(0).integers(0, 2, (120, 156, 3)).astype(np.uint8) * 255
    return read_image(Path(skimage.__file__).parent / "data" / request.param)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bi_equals_matlab_imresize(picture, scale):
    height, width = (side - side % scale for side in picture.shape[:2])
    gt = picture[:height, :width]
    error = np.abs(Bicubic(scale)(gt).astype(int) - imresize(gt, scale))
    assert error.max() <= 1, np.bincount(error.ravel())
    assert (error == 0).mean() > 0.999


def test_bi_does_not_depend_on_the_strips_it_is_made_in(picture, monkeypatch):
    gt = picture[: picture.shape[0] // 4 * 4, : picture.shape[1] // 4 * 4]
    whole = bicubic_down(gt, 4)
    monkeypatch.setattr("frames.resize.ROWS_AT_ONCE", 7)
    assert np.array_equal(bicubic_down(gt, 4), whole)


def test_flat_stays_flat():
    flat = np.full((24, 36, 3), 137, np.uint8)
    for degradation in (Bicubic(4), BlurDown(4), Bicubic(1)):
        assert np.all(degradation(flat) == 137)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bd_equals_its_definition(picture, scale):
    impulse = np.zeros((13, 13))
    impulse[6, 6] = 1
    kernel = gaussian_filter(impulse, 1.6)  # how the protocol's own code makes its 13x13 kernel
    padded = np.pad(picture.astype(np.float64), ((6, 6), (6, 6), (0, 0)), mode="reflect")
    height, width = picture.shape[:2]
    expected = sum(
        kernel[dy, dx] * padded[dy : dy + height : scale, dx : dx + width : scale]
        for dy in range(13)
        for dx in range(13)
    )
    error = np.abs(BlurDown(scale)(picture).astype(int) - np.floor(expected + 0.5))
    assert error.max() <= 1
    assert (error == 0).mean() > 0.999


def test_signature_names_the_recipe():
    assert (Bicubic(3).signature, BlurDown(4).signature) == ("bi-x3", "bd-x4")
    assert BlurDown(4, sigma=1.6, size=13).signature == "bd-x4"
    assert BlurDown(4, sigma=3).signature == BlurDown(4, sigma=3.0).signature == "bd-x4-sigma3.0-size13"
    assert BlurDown(2, sigma=1.6, size=7).signature == "bd-x2-sigma1.6-size7"


def test_wrong_sizes_and_scales_are_refused():
    with pytest.raises(ValueError, match="30x22 cannot be brought down by 4"):
        Bicubic(4)(np.zeros((22, 30, 3), np.uint8))
    with pytest.raises(ValueError, match="scale=0"):
        Bicubic(0)
    for build in (Bicubic, BlurDown, Given):
        with pytest.raises(ValueError, match="a scale is a whole number from 1 up"):
            build("abc")
    with pytest.raises(ValueError, match="cannot be shrunk to 31x22"):
        bicubic_shrink(np.zeros((22, 30, 3), np.uint8), 22, 31)


def test_shrinking_to_any_size_keeps_the_mean(picture):
    small = bicubic_shrink(picture, 71, 83)
    assert small.shape == (71, 83, 3)
    assert np.abs(small.mean(axis=(0, 1)) - picture.mean(axis=(0, 1))).max() < 4


TOO_LARGE = {"size": 2_000_000_001}  # of a foreign run folder: its kernel would take gigabytes
NO_NUMBERS = [{"sigma": "abc"}, {"sigma": True}, {"size": 13.5}, {"size": "abc"}]


@pytest.mark.parametrize(
    "options", [{"sigma": 0}, {"sigma": float("nan")}, {"size": 4}, {"size": -1}, TOO_LARGE, *NO_NUMBERS]
)
def test_blurs_that_cannot_be_are_refused(options):
    with pytest.raises(ValueError, match="sigma=|size="):
        BlurDown(4, **options)
