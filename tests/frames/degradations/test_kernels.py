"""Blur kernels: their sums, symmetry and direction, and the sinc filter's ringing."""

import math

import numpy as np
import pytest

from frames.degradations import kernels


def test_kernels_keep_brightness_and_the_sinc_rings():
    for shape in ("gaussian", "generalised", "plateau"):
        kernel = kernels.shaped(21, shape, 2.5, 0.8, 0.6, 1.3)
        assert kernel.sum() == pytest.approx(1, abs=1e-5) and kernel.min() >= 0
        assert np.allclose(kernel, kernel[::-1, ::-1], atol=1e-7)
    wide = kernels.shaped(21, "gaussian", 3.0, 0.5, 0.0, 1.0)
    assert wide[10].sum() > 2 * wide[:, 10].sum()  # wide across, narrow down
    assert kernels.sinc(21, math.pi / 3).min() < 0 and kernels.sinc(21, math.pi / 3).sum() == pytest.approx(1, abs=1e-5)
