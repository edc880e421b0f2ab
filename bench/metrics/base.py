"""What a metric is, and the one table of those there are."""

from __future__ import annotations

import copy
import importlib
import re
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from bench.metrics import protocol as protocols
from frames.errors import UserError, did_you_mean


@dataclass(frozen=True)
class Kind:
    """How a figure is printed and which way is better."""

    title: str  # "PSNR", for tables and axes
    unit: str  # "dB"; empty: no unit
    better: str  # "higher" or "lower"
    digits: int  # decimals in tables
    window: int = 1  # consecutive frames that a value looks at: a clip of T frames has T - window + 1 values
    reference: bool = True  # False: SR is judged alone, and clips without GT can be scored


class Metric(Protocol):
    """A full-reference image metric; a clip's score is the mean over its frames, a set's the mean over its clips."""

    kind: Kind
    signature: str
    """The recipe of the number: colour, range, crop, network, aggregation; equal signatures compare."""

    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """One frame's score; both uint8 (H, W, 3) RGB of one size."""
        ...


class ClipMetric(Protocol):
    """A metric that sees frames in their order: values of neighbouring frames, or of a whole clip."""

    kind: Kind
    signature: str

    def begin(self) -> ClipScore:
        """A fresh count for one clip."""
        ...


class ClipScore(Protocol):
    """Is told the frames of one clip, one pair at a time, so that a clip never has to be in memory."""

    def add(self, sr: np.ndarray, gt: np.ndarray | None) -> None:
        """The next frames, uint8 (H, W, 3) RGB; GT is None where there is none and `kind.reference` is False."""
        ...

    def values(self) -> list[float]:
        """When the clip is over: value i is of the frames i to i + window - 1."""
        ...


_BUILDERS = {
    "psnr": "bench.metrics.psnr:build",
    "ssim": "bench.metrics.ssim:build",
    "lpips": "bench.metrics.lpips:build",
    "dists": "bench.metrics.dists:build",
    "tof": "bench.metrics.temporal:build_tof",
    "tlp": "bench.metrics.temporal:build_tlp",
    "warp-error": "bench.metrics.temporal:build_warp",
    "niqe": "bench.metrics.niqe:build",
    "vmaf": "bench.metrics.vmaf:build",
    "pyiqa": "bench.metrics.external:build",
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
    "tof": "difference of optical flow to GT's, in pixels (TecoGAN)",
    "tlp": "difference of the LPIPS between neighbouring frames to GT's, times 100 (TecoGAN)",
    "warp-error": "squared difference to the neighbour moved along GT's flow, times 1000 (Lai 2018)",
    "niqe": "distance from the statistics of natural photographs; needs no GT",
    "vmaf": "VMAF v0.6.1 of the clip, by an ffmpeg with libvmaf",
    "pyiqa/NAME": "any metric of the optional package pyiqa, with its own defaults",
}
"""Every metric by name, with a line on each."""


@cache
def build(name: str, protocol: protocols.Protocol = protocols.RGB, *, device: str = "cpu") -> Metric | ClipMetric:
    """A metric by name; built once for equal arguments.

    Args:
        name: one of `NAMES`; a colour in the name (psnr-y) goes before the protocol's.
        protocol: colour, crop, rounding and definition of PSNR and SSIM; the frames in every metric's signature.
        device: where the networks of LPIPS and DISTS run.
    Raises:
        UserError: unknown name, or weights or a program that are nowhere to be had.
    """
    if name not in NAMES and not name.startswith("pyiqa/"):
        raise UserError(f"unknown metric '{name}'{did_you_mean(name, NAMES)}")
    family, variant = (name, "") if name in _BUILDERS else re.split("[-/]", name, maxsplit=1)
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
