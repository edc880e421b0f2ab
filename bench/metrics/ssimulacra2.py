"""SSIMULACRA 2.1 (Jon Sneyers, Cloudinary and JPEG XL, 2023): 100 is no visible difference, about 70 high quality.

XYB colours at six scales; of each component and scale a structure error and two errors of edges (added, lost), in the
1-norm and the 4-norm; a weighted sum of these 108 numbers. Filters are exact here, where the reference program's
recursive ones carry the rounding of single precision along a row: docs/decisions/ssimulacra2.md has the differences.
"""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np

from bench.metrics.base import Kind, check_pair

LEAST = 8
"""Pixels a side that the definition asks for; a scale is the last one where a side falls below."""
_SCALES = 6
_C2 = 0.0009

# Linear RGB to cone responses, and the bias before the cube root (JPEG XL's opsin absorbance).
_LMS = np.array(
    [
        [0.30, 0.622, 0.078],
        [0.23, 0.692, 0.078],
        [0.24342268924547819, 0.20476744424496821, 1 - 0.24342268924547819 - 0.20476744424496821],
    ]
)
_BIAS = 0.0037930732552754493

# The weights of version 2.1, tuned by its author on CID22, TID2013, KADID-10k and KonFiG-IQA: for X, Y, B and each
# scale, finest first, a line of the 1-norm and one of the 4-norm: structure, added edges, lost edges.
# fmt: off
_WEIGHTS = np.array(
    [
        0.0, 0.0007376606707406586, 0.0,
        0.0, 0.0007793481682867309, 0.0,
        0.0, 0.0004371155730107379, 0.0,
        1.1041726426657346, 0.00066284834129271, 0.00015231632783718752,
        0.0, 0.0016406437456599754, 0.0,
        1.8422455520539298, 11.441172603757666, 0.0,
        0.0007989109436015163, 0.000176816438078653, 0.0,
        1.8787594979546387, 10.94906990605142, 0.0,
        0.0007289346991508072, 0.9677937080626833, 0.0,
        0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053,
        0.0004550992113792063, 0.0, 0.0,
        0.0013648766163243398, 0.0, 0.0,
        0.0, 0.0, 0.0,
        7.466890328078848, 0.0, 17.445833984131262,
        0.0006235601634041466, 0.0, 0.0,
        6.683678146179332, 0.00037724407979611296, 1.027889937768264,
        225.20515300849274, 0.0, 0.0,
        19.213238186143016, 0.0011401524586618361, 0.001237755635509985,
        176.39317598450694, 0.0, 0.0,
        24.43300999870476, 0.28520802612117757, 0.0004485436923833408,
        0.0, 0.0, 0.0,
        34.77906344483772, 44.835625328877896, 0.0,
        0.0, 0.0, 0.0,
        0.0, 0.0, 0.0,
        0.0, 0.0008680556573291698, 0.0,
        0.0, 0.0, 0.0,
        0.0, 0.0005313191874358747, 0.0,
        0.00016533814161379112, 0.0, 0.0,
        0.0, 0.0, 0.0,
        0.0004179171803251336, 0.0017290828234722833, 0.0,
        0.0020827005846636437, 0.0, 0.0,
        8.826982764996862, 23.19243343998926, 0.0,
        95.1080498811086, 0.9863978034400682, 0.9834382792465353,
        0.0012286405048278493, 171.2667255897307, 0.9807858872435379,
        0.0, 0.0, 0.0,
        0.0005130064588990679, 0.0, 0.00010854057858411537,
    ]
)
# fmt: on


class Ssimulacra2:
    """SSIMULACRA 2.1 of whole sRGB frames."""

    kind = Kind("SSIMULACRA2", "", "higher", 2)
    signature = "ssimulacra2|v2.1|srgb|uint8|crop0|mean-frames,clips|v1"

    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """The score of two uint8 (H, W, 3) RGB frames of at least 8x8: at most 100, below 0 for large differences.

        The order counts: edges that SR adds are another error than edges that it loses.
        """
        check_pair(sr, gt, minimum=LEAST)
        ours, truth = _linear()[sr], _linear()[gt]
        errors = []
        for scale in range(_SCALES):
            if min(truth.shape[:2]) < LEAST:
                break
            if scale:
                ours, truth = _halved(ours), _halved(truth)
            errors.append([_errors(y, x) for y, x in zip(_xyb(ours), _xyb(truth), strict=True)])
        return _score(np.array(errors))


def _score(errors: np.ndarray) -> float:
    """The score of errors (scales, 3 components, 2 norms, 3 kinds).

    Weights are taken one after the other, as the reference program does, where a small frame has fewer scales too.
    """
    flat = errors.transpose(1, 0, 2, 3).ravel()
    total = 0.9562382616834844 * float(_WEIGHTS.ravel()[: flat.size] @ flat)
    total = 2.326765642916932 * total - 0.020884521182843837 * total**2 + 6.248496625763138e-05 * total**3
    return 100 - 10 * total**0.6276336467831387 if total > 0 else 100.0


def _errors(y: np.ndarray, x: np.ndarray) -> list[list[float]]:
    """Errors of a component of SR (y) and GT (x): in each norm structure, added edges, lost edges."""
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance = (_blurred(x * x) - mean_x * mean_x) + (_blurred(y * y) - mean_y * mean_y)
    covariance = _blurred(x * y) - mean_x * mean_y
    structure = (1 - np.square(mean_x - mean_y)) * (2 * covariance + _C2) / (variance + _C2)
    edges = (1 + np.abs(y - mean_y)) / (1 + np.abs(x - mean_x)) - 1
    maps = [np.maximum(each, 0) for each in (1 - structure, edges, -edges)]
    return [
        [float(each.mean()) for each in maps],
        [math.sqrt(math.sqrt(np.square(np.square(each)).mean())) for each in maps],
    ]


def _xyb(linear: np.ndarray) -> list[np.ndarray]:
    """Linear RGB (H, W, 3) -> X, Y and B - Y, each about 0 to 1."""
    cones = np.cbrt(np.maximum(cv2.transform(linear, _LMS) + _BIAS, 0)) - np.cbrt(_BIAS)
    long, medium, short = np.moveaxis(cones, -1, 0)
    y = (long + medium) / 2
    return [np.ascontiguousarray(each) for each in ((long - medium) * 7 + 0.42, y + 0.01, short - y + 0.55)]


def _blurred(plane: np.ndarray) -> np.ndarray:
    """Blur a plane, with zeros beyond the border."""
    return cv2.sepFilter2D(plane, -1, _kernel(), _kernel(), borderType=cv2.BORDER_CONSTANT)


def _halved(frame: np.ndarray) -> np.ndarray:
    """Means of blocks of 2x2, an odd last row or column repeated."""
    height, width = frame.shape[:2]
    even = np.pad(frame, [(0, height % 2), (0, width % 2), (0, 0)], mode="edge")
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4


@cache
def _linear() -> np.ndarray:
    """Linear light of the 256 levels of sRGB."""
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


@cache
def _kernel(sigma: float = 1.5) -> np.ndarray:
    """The sum of three truncated cosines that stands for a Gaussian (Charalampidis 2016), 11 taps at sigma 1.5.

    Numbers in brackets are the paper's equations.
    """
    radius = round(3.2795 * sigma + 0.2546)  # (57)
    omega = np.array([1, 3, 5]) * math.pi / (2 * radius)
    p = np.array([1, -1, 1]) / np.tan(omega / 2)  # (37)
    r = np.array([1, -1, 1]) * p * p / np.sin(omega)  # (44)
    rho = np.exp(-0.5 * (sigma * omega) ** 2) / radius  # (50)
    zeta = np.cross(p, r)  # (52)
    zeta /= zeta[2]
    conditions = np.array([p, r, zeta])  # (56)
    beta = np.linalg.solve(conditions, np.array([1, radius**2 - sigma**2, zeta @ rho]))  # (53), (55)
    return np.cos(np.outer(np.arange(-radius, radius + 1), omega)) @ beta
