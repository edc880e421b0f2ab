"""What a metric is, and the one table of those there are."""

from __future__ import annotations

import copy
import importlib
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from bench.errors import UserError, did_you_mean
from bench.metrics import protocol as protocols


@dataclass(frozen=True)
class Kind:
    """How a figure is printed and which way is better."""

    title: str  # "PSNR", for tables and axes
    unit: str  # "dB"; empty: no unit
    better: str  # "higher" or "lower"
    digits: int  # decimals in tables


class Metric(Protocol):
    """A full-reference image metric; a clip's score is the mean over its frames, a set's the mean over its clips."""

    kind: Kind
    signature: str
    """The recipe of the number: colour, range, crop, network, aggregation; equal signatures compare."""

    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """One frame's score; both uint8 (H, W, 3) RGB of one size."""
        ...


_BUILDERS = {
    "psnr": "bench.metrics.psnr:build",
    "ssim": "bench.metrics.ssim:build",
    "lpips": "bench.metrics.lpips:build",
    "dists": "bench.metrics.dists:build",
}
NAMES = {
    "psnr": "peak signal-to-noise ratio in dB, in the protocol's colour",
    "psnr-y": "the same on Y of BT.601 (studio range)",
    "psnr-rgb": "the same on RGB",
    "ssim": "structural similarity (11x11 Gaussian, valid region), in the protocol's colour",
    "ssim-y": "the same on Y of BT.601 (studio range)",
    "ssim-rgb": "the same on RGB, mean of the channels",
    "lpips-alex": "perceptual distance, AlexNet, v0.1",
    "lpips-vgg": "perceptual distance, VGG-16, v0.1",
    "dists": "structure and texture distance, VGG-16, full resolution (slow on a CPU)",
}
"""Every metric by name, with a line on each."""


@cache
def build(name: str, protocol: protocols.Protocol = protocols.RGB, *, device: str = "cpu") -> Metric:
    """A metric by name; built once for equal arguments.

    Args:
        name: one of `NAMES`; a colour in the name (psnr-y) goes before the protocol's.
        protocol: colour, crop, rounding and definition of PSNR and SSIM; the frames in every metric's signature.
        device: where the networks of LPIPS and DISTS run.
    Raises:
        UserError: unknown name, or weights that are nowhere to be had.
    """
    if name not in NAMES:
        raise UserError(f"unknown metric '{name}'{did_you_mean(name, NAMES)}")
    family, _, variant = name.partition("-")
    module, attribute = _BUILDERS[family].split(":")
    builder = getattr(importlib.import_module(module), attribute)
    if family in ("psnr", "ssim"):
        return builder(variant or getattr(protocol, family), protocol)
    metric = builder(*([variant] if variant else []), device=device)
    if protocol.signed(metric.signature) != metric.signature:
        metric = copy.copy(metric)  # the networks are shared
        metric.signature = protocol.signed(metric.signature)
    return metric


def check_pair(sr: np.ndarray, gt: np.ndarray, crop: int = 0, minimum: int = 1) -> None:
    """Raises ValueError unless two frames can be compared."""
    if sr.shape != gt.shape:
        raise ValueError(f"SR frame is {sr.shape[1]}x{sr.shape[0]}, GT frame is {gt.shape[1]}x{gt.shape[0]}")
    if min(sr.shape[:2]) - 2 * crop < minimum:
        raise ValueError(f"frame of {sr.shape[1]}x{sr.shape[0]} is too small here (crop {crop}, minimum {minimum})")
