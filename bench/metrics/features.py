"""AlexNet and VGG-16 for LPIPS and DISTS: stage by stage, the wide layers in bands of rows.

A stage of a large frame is never computed at once: VGG-16's first stage alone takes
1.9 GB at 3648x2048. A band gets the rows of its neighbours that its convolutions see, so the result is the same.
Tensors are channels_last: the convolutions are faster that way on CPUs, and a position's channels lie side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
import torch.nn.functional as F

from bench.metrics.backbones import Convs, convolutions

Bands = Iterator[tuple[int, list[torch.Tensor]]]
"""(stage, features (1, C, rows, W) of the same rows of each frame), stage after stage, top to bottom.

Features are the network's own working memory: read them before asking for the next, never write to them.
"""

_BAND_BYTES = 64 << 20  # of one frame's features: a few percent of the rows are computed twice at 4K
_CHUNK_BYTES = {"cpu": 2 << 20, "cuda": 256 << 20}  # on a CPU: what stays in a core's cache

# (stride, padding, 3x3 stride-2 max pooling before it) of each AlexNet convolution; every ReLU output is a stage.
_ALEX = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))
_VGG_BLOCKS = (2, 2, 3, 3, 3)


class AlexNet:
    """Five stages of 64, 192, 384, 256, 256 channels; small enough to be computed whole."""

    floats_per_pixel = 64 / 16 + 192 / 64 + (384 + 256 + 256) / 256

    def __init__(self, device: str) -> None:
        self.convs = channels_last(convolutions("alex"), device)

    def bands(self, *frames: torch.Tensor) -> Bands:
        """All stages of float32 (1, 3, H, W) frames of one size, normalised as the metric asks."""
        features = list(frames)
        for stage, (stride, padding, pooled) in enumerate(_ALEX):
            if pooled:
                features = [F.max_pool2d(x, 3, 2) for x in features]
            features = [F.conv2d(x, *self.convs[stage], stride=stride, padding=padding).relu_() for x in features]
            yield stage, features


Pool = Callable[[torch.Tensor, torch.Tensor | None], torch.Tensor]
"""(band, the row of features above it or None) -> the band at half the size; a band starts at an even row."""


def max_pool(band: torch.Tensor, above: torch.Tensor | None) -> torch.Tensor:
    """2x2 maxima, an odd last row or column left out: VGG-16's own pooling."""
    if band.shape[2] == 1:  # a frame's odd last row
        return band.new_empty((*band.shape[:2], 0, band.shape[3] // 2))
    return F.max_pool2d(band, 2, 2)


class Vgg16:
    """Five stages of 64, 128, 256, 512, 512 channels at 1, 1/2, 1/4, 1/8, 1/16 of the size."""

    floats_per_pixel = 64 + 128 / 4 + 256 / 16 + 512 / 64 + 512 / 256

    def __init__(self, device: str, pool: Pool = max_pool) -> None:
        self.convs = channels_last(convolutions("vgg"), device)
        self.pool = pool

    def bands(self, *frames: torch.Tensor) -> Bands:
        """All stages of float32 (1, 3, H, W) frames of one size, normalised as the metric asks."""
        inputs = list(frames)
        for stage, length in enumerate(_VGG_BLOCKS):
            first = sum(_VGG_BLOCKS[:stage])
            block = self.convs[first : first + length]
            pooled: list[list[torch.Tensor]] = [[] for _ in inputs]
            above: list[torch.Tensor | None] = [None for _ in inputs]
            for rows in _row_bands(inputs[0].shape[2], inputs[0].shape[3] * len(block[0][1]) * 4):
                features = [_block(x, block, rows) for x in inputs]
                yield stage, features
                if stage + 1 < len(_VGG_BLOCKS):
                    for index, band in enumerate(features):
                        pooled[index].append(self.pool(band, above[index]))
                        above[index] = band[:, :, -1:]
            inputs = [torch.cat(bands, 2) for bands in pooled if bands]


def to_input(frame: np.ndarray, device: str) -> torch.Tensor:
    """uint8 (H, W, 3) -> float32 (1, 3, H, W) in [0, 255], channels_last."""
    # A frame's own layout is channels_last: the permutation moves no byte.
    return torch.from_numpy(np.ascontiguousarray(frame)).to(device).permute(2, 0, 1)[None].float()


def positions(features: torch.Tensor) -> torch.Tensor:
    """(1, C, h, w) -> (h*w, C), one row a position; a view of channels_last features."""
    return features[0].permute(1, 2, 0).reshape(-1, features.shape[1])


def chunks(*tables: torch.Tensor) -> Iterator[tuple[torch.Tensor, ...]]:
    """Tables (positions, C) of one shape in parts of a bounded size: temporaries stay small."""
    rows = max(1, _CHUNK_BYTES[tables[0].device.type] // (4 * tables[0].shape[1]))
    return zip(*(table.split(rows) for table in tables), strict=True)


def full_precision(device: str) -> AbstractContextManager:
    """Switch TF32 off in a block: on CUDA, convolutions would round factors to 10 bits, which moves the third digit.

    The switch is the process's: where several threads score, a block around all of them keeps one from switching it on
    again while another one computes.
    """
    if device == "cpu":
        return nullcontext()
    cudnn = torch.backends.cudnn  # `flags` would switch off what it is not given, cuDNN itself too
    return cudnn.flags(cudnn.enabled, cudnn.benchmark, deterministic=cudnn.deterministic, allow_tf32=False)


def channels_last(convs: Convs, device: str) -> Convs:
    """Convolutions on a device, their weights laid out as the features are."""
    return [(w.to(device, memory_format=torch.channels_last), b.to(device)) for w, b in convs]


def _row_bands(height: int, bytes_per_row: int) -> Iterator[tuple[int, int]]:
    """(top, bottom) of bands, each starting at an even row."""
    rows = max(16, _BAND_BYTES // bytes_per_row // 2 * 2)
    for top in range(0, height, rows):
        yield top, min(top + rows, height)


def _block(x: torch.Tensor, block: list[tuple[torch.Tensor, torch.Tensor]], rows: tuple[int, int]) -> torch.Tensor:
    """Rows top..bottom of the output of a block of 3x3 convolutions with ReLU."""
    height = x.shape[2]
    low, high = max(0, rows[0] - len(block)), min(height, rows[1] + len(block))
    x = x[:, :, low:high]
    for weight, bias in block:
        x = F.conv2d(x, weight, bias, padding=1)
        # Inside the frame the zero padding was wrong for the outermost rows: they served as neighbours only.
        start, stop = (1 if low else 0), x.shape[2] - (1 if high < height else 0)
        x = x[:, :, start:stop].relu_()
        low, high = low + start, low + stop
    return x[:, :, rows[0] - low : rows[1] - low]
