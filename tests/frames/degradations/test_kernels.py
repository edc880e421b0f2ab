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


def test_kernels_are_their_formulas_of_a_turned_covariance():
    turn = np.array([[math.cos(0.6), -math.sin(0.6)], [math.sin(0.6), math.cos(0.6)]])
    inverse = turn @ np.diag([1 / 2.5**2, 1 / 0.8**2]) @ turn.T
    x, y = np.meshgrid(np.arange(-10, 11), np.arange(-10, 11))
    q = inverse[0, 0] * x**2 + 2 * inverse[0, 1] * x * y + inverse[1, 1] * y**2
    formulas = {"gaussian": np.exp(-q / 2), "generalised": np.exp(-(q**1.3) / 2), "plateau": 1 / (1 + q**1.3)}
    for shape, formula in formulas.items():
        assert np.allclose(kernels.shaped(21, shape, 2.5, 0.8, 0.6, 1.3), formula / formula.sum(), atol=1e-7)


def test_the_sinc_filter_passes_what_lies_below_its_cutoff_and_nothing_above():
    passed = np.abs(np.fft.fft2(kernels.sinc(61, math.pi / 2), (128, 128)))[0, :64]  # from 0 to pi radians a pixel
    assert np.abs(passed[:26] - 1).max() < 0.1 and passed[39:].max() < 0.04
