"""SSIMULACRA 2.1: figures of the reference program, on pictures made here."""

import numpy as np
import pytest

from bench.metrics.registry import build
from bench.metrics.ssimulacra2 import _kernel


def grey(level, side=64):
    return np.full((side, side, 3), level, np.uint8)


def noise():
    """The upper bits of Knuth's linear congruential generator, seed 42."""
    state, found = 42, bytearray()
    for _ in range(64 * 64 * 3):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        found.append((state >> 33) & 255)
    return np.frombuffer(found, np.uint8).reshape(64, 64, 3)


def ramp():
    return np.broadcast_to((np.arange(64) * 255 // 63).astype(np.uint8)[None, :, None], (64, 64, 3))


@pytest.mark.parametrize(
    "sr, gt, expected, tolerance",
    [  # printed by libjxl's ssimulacra2, as the tests of imazen/ssimulacra2 cite it (reference_data.rs, 2026-01-04)
        (grey(128), ramp(), -64.56872148, 0.005),
        (grey(128), noise(), -47.33572558, 0.005),
        (grey(178), grey(128), -8.75942256, 0.1),  # flat areas: the program's single precision shows
        (grey(148), grey(128), 56.05855584, 0.15),
        (grey(178, 256), grey(128, 256), -0.39085784, 0.02),
    ],
)
def test_figures_of_the_reference_program(sr, gt, expected, tolerance):
    assert build("ssimulacra2").score(sr, gt) == pytest.approx(expected, abs=tolerance)


def test_the_blur_is_eleven_taps_that_sum_to_one_with_the_gaussians_variance():
    kernel = _kernel()
    assert len(kernel) == 11 and kernel.sum() == pytest.approx(1, abs=1e-12)
    assert (kernel * np.arange(-5, 6) ** 2).sum() == pytest.approx(1.5**2, abs=1e-9)
    assert (kernel == kernel[::-1]).all()


def test_equal_frames_have_100_and_the_order_counts(tid):
    sr, gt = tid["I06"]
    metric = build("ssimulacra2")
    assert metric.score(gt, gt) == 100
    assert metric.score(sr, gt) == pytest.approx(63.317, abs=0.01)  # as computed here in double precision
    assert metric.score(sr, gt) != metric.score(gt, sr)


def test_a_small_odd_frame_has_fewer_scales_and_a_tiny_one_is_refused(tid):
    sr, gt = (frame[:29, :37] for frame in tid["I04"])
    assert build("ssimulacra2").score(sr, gt) < 100
    with pytest.raises(ValueError, match="frame of 37x7 is too small here"):
        build("ssimulacra2").score(sr[:7], gt[:7])
