"""Common metric libraries, called with settings equal to ours; each is optional and imported on demand.

Networks get their weights from the packaged assets instead of a download. `metrics.py` uses this.
"""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from unittest import mock

import numpy as np
import torch

from bench.metrics.backbones import convolutions, dists_weights, lpips_heads
from bench.metrics.base import FrameMetric
from bench.metrics.protocol import parse
from bench.metrics.registry import build

Score = Callable[[np.ndarray, np.ndarray], float]
"""(sr, gt), uint8 (H, W, 3) RGB -> the score."""

# Distances of the distorted TID2013 pictures as IQA-PyTorch's calibration table prints them (official programs).
PUBLISHED = {
    "lpips-alex": {"I03": 0.7237, "I04": 0.2572, "I06": 0.0508, "I08": 0.0521, "I19": 0.4253},
    "dists": {"I03": 0.4742, "I04": 0.1424, "I06": 0.0682, "I08": 0.0287, "I19": 0.3123},
}


@dataclass(frozen=True)
class LibraryMetric:
    """A library's implementation of one of our metrics, at equal settings."""

    metric: str  # ours, for tables
    package: str  # as installed
    settings: str
    ours: Callable[[], FrameMetric]
    theirs: Callable[[], Score]  # raises ImportError where the library is not installed
    bar: float  # the largest difference that counts as the same digits


def version(package: str) -> str:
    """Version of an installed package, or "not installed"."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def tensor(frame: np.ndarray, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Convert a frame, uint8 (H, W, 3), to a tensor (1, 3, H, W) in [0, 255]."""
    return torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].to(dtype)


def skimage_psnr() -> Score:
    from skimage.metrics import peak_signal_noise_ratio

    return lambda sr, gt: peak_signal_noise_ratio(gt, sr, data_range=255)


def skimage_ssim() -> Score:
    """SSIM at MATLAB's settings on each channel; the mean is over places where the window lies within the frame."""
    from skimage.metrics import structural_similarity

    def score(sr: np.ndarray, gt: np.ndarray) -> float:
        full = structural_similarity(
            gt, sr, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255,
            full=True,
        )[1]  # fmt: skip
        return float(full[5:-5, 5:-5].mean())

    return score


def torchmetrics_psnr() -> Score:
    """PSNR with the natural logarithm, converted to base 10 here: torchmetrics would do so in single precision."""
    from torchmetrics.functional.image import peak_signal_noise_ratio

    def score(sr: np.ndarray, gt: np.ndarray) -> float:
        x, y = (tensor(frame, torch.float64) / 255 for frame in (sr, gt))
        return float(peak_signal_noise_ratio(x, y, data_range=1.0, base=math.e)) / math.log(10)

    return score


def torchmetrics_ssim() -> Score:
    from torchmetrics.functional.image import structural_similarity_index_measure

    def score(sr: np.ndarray, gt: np.ndarray) -> float:
        x, y = (tensor(frame, torch.float64) for frame in (sr, gt))
        options = {"sigma": 1.5, "kernel_size": 11, "data_range": 255.0, "return_full_image": True}
        full = structural_similarity_index_measure(x, y, **options)[1]  # its own mean takes in the mirrored border
        return float(full[..., 5:-5, 5:-5].mean())

    return score


def torchmetrics_lpips() -> Score:
    with real_backbones():
        from torchmetrics.functional.image.lpips import _LPIPS

        network = _LPIPS(pretrained=True, net="alex")
    return _distance(network, lambda frame: tensor(frame) / 127.5 - 1)


def torchmetrics_dists() -> Score:
    from torchmetrics.functional.image import dists

    with real_backbones(), mock.patch.object(dists, "vgg16", _filled("vgg")):
        network = dists.DISTSNetwork()
    return _distance(network, lambda frame: tensor(frame) / 255)


def lpips_package(net: str) -> Score:
    with real_backbones():
        import lpips

        network = lpips.LPIPS(net=net, verbose=False)
    return _distance(network, lambda frame: tensor(frame) / 127.5 - 1)


def dists_pytorch() -> Score:
    with real_backbones():
        from DISTS_pytorch import DISTS

        network = DISTS()
    return _distance(network, lambda frame: tensor(frame) / 255)


def pyiqa_metric(name: str, dtype: torch.dtype = torch.float32, **options) -> Score:
    with _silent():
        import pyiqa

        metric = pyiqa.create_metric(name, device=torch.device("cpu"), **options)
    return _distance(metric, lambda frame: tensor(frame, dtype) / 255)


def pyiqa_lpips() -> Score:
    with real_backbones(), _silent():
        from pyiqa.archs.lpips_arch import LPIPS

        network = LPIPS(pretrained=False, net="alex")
    for layer, head in zip(network.lins, lpips_heads("alex"), strict=True):
        layer.model[-1].weight.data.copy_(head)
    return _distance(network, lambda frame: tensor(frame) / 255)


def pyiqa_dists() -> Score:
    with real_backbones(), _silent():
        from pyiqa.archs.dists_arch import DISTS

        network = DISTS(pretrained=False)
    for parameter, values in zip((network.alpha, network.beta), dists_weights()):
        parameter.data.copy_(values)
    return _distance(network, lambda frame: tensor(frame) / 255)


def frame_metric(name: str, **protocol: str) -> FrameMetric:
    """Build one of our metrics that score frame by frame; `protocol`: options as in a configuration.

    Raises:
        TypeError: it scores whole clips.
    """
    metric = build(name, parse(protocol))
    if not isinstance(metric, FrameMetric):
        raise TypeError(f"{name} scores clips, not frames")
    return metric


def ours(name: str, **protocol: str) -> Callable[[], FrameMetric]:
    return lambda: frame_metric(name, **protocol)


LIBRARY_METRICS = (
    LibraryMetric("psnr", "scikit-image", "RGB", ours("psnr"), skimage_psnr, 1e-6),
    LibraryMetric("psnr", "torchmetrics", "RGB, float64", ours("psnr"), torchmetrics_psnr, 1e-6),
    LibraryMetric("psnr", "pyiqa", "its default, float64", ours("psnr", definition="pyiqa"),
          lambda: pyiqa_metric("psnr", torch.float64), 1e-6),
    LibraryMetric("ssim", "scikit-image", "RGB, MATLAB's", ours("ssim"), skimage_ssim, 1e-6),
    LibraryMetric("ssim", "torchmetrics", "RGB, no border, float64", ours("ssim"), torchmetrics_ssim, 1e-6),
    LibraryMetric("ssim", "pyiqa", "RGB, float64", ours("ssim", definition="pyiqa"),
          lambda: pyiqa_metric("ssim", torch.float64, test_y_channel=False), 1e-6),
    # Its Y is rounded to whole levels, and the order of three single-precision sums decides the halves.
    LibraryMetric("ssim", "pyiqa", "its default, rounded Y", ours("ssim", color="y-full", definition="pyiqa"),
          lambda: pyiqa_metric("ssim"), 1e-5),
    LibraryMetric("lpips-alex", "lpips", "v0.1", ours("lpips-alex"), lambda: lpips_package("alex"), 1e-4),
    LibraryMetric("lpips-alex", "torchmetrics", "v0.1", ours("lpips-alex"), torchmetrics_lpips, 1e-4),
    LibraryMetric("lpips-alex", "pyiqa", "v0.1", ours("lpips-alex"), pyiqa_lpips, 1e-4),
    LibraryMetric("lpips-vgg", "lpips", "v0.1", ours("lpips-vgg"), lambda: lpips_package("vgg"), 1e-4),
    LibraryMetric("dists", "DISTS_pytorch", "full size", ours("dists"), dists_pytorch, 1e-4),
    LibraryMetric("dists", "torchmetrics", "full size", ours("dists"), torchmetrics_dists, 1e-4),
    LibraryMetric("dists", "pyiqa", "full size", ours("dists"), pyiqa_dists, 1e-4),
)  # fmt: skip


@contextlib.contextmanager
def real_backbones() -> Iterator[None]:
    """Take torchvision's pretrained AlexNet and VGG-16 from the assets while a library builds its network."""
    with (
        mock.patch("torchvision.models.alexnet", _filled("alex")),
        mock.patch("torchvision.models.vgg16", _filled("vgg")),
    ):
        yield


def _filled(net: str) -> Callable[..., torch.nn.Module]:
    from torchvision.models import AlexNet
    from torchvision.models.vgg import VGG, cfgs, make_layers

    def network(*_, **__) -> torch.nn.Module:
        model = AlexNet() if net == "alex" else VGG(make_layers(cfgs["D"]), init_weights=False)
        layers = [layer for layer in model.features if isinstance(layer, torch.nn.Conv2d)]
        for layer, (weight, bias) in zip(layers, convolutions(net), strict=True):
            layer.weight.data.copy_(weight)
            assert layer.bias is not None  # as all convolutions of these two networks
            layer.bias.data.copy_(bias)
        return model

    return network


def _distance(network: torch.nn.Module, to_input: Callable[[np.ndarray], torch.Tensor]) -> Score:
    network.eval()

    def score(sr: np.ndarray, gt: np.ndarray) -> float:
        with torch.inference_mode():
            return float(network(to_input(sr), to_input(gt)))

    return score


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Suppress what pyiqa prints while it loads."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
