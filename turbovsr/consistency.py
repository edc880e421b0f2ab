"""SR frames consistent with their LR frames: downsampled by MATLAB's bicubic, they equal them.

Let D be the reduction by 4 and U the enlargement. Then x + U K (y - D x), where K is the inverse of D U on the LR grid,
is consistent with the LR frame y and differs from x by an enlarged frame only: the range-null-space decomposition of
DDNM (Wang et al., ICLR 2023, arXiv 2212.00490) with an oblique projection. The network's loss is then spent on what
the LR frames do not show, not on colours and shapes that they do. For x = U y + r, with a correction r of the enlarged
frame, the sum is U K (y - D r) + r: one enlargement, of another frame. D, U and K are separable.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from frames.kernels import keys_cubic
from turbovsr.geometry import SCALE, VALUES_PER_LR_PIXEL
from turbovsr.tiling import cut_evenly
from turbovsr.upsampling import bicubic_upsample

MARGIN = 2  # LR pixels to either side of an LR pixel whose SR pixels it is computed from
LONGEST_DENSE = 512  # LR pixels along a side up to which K is one matrix
HALO = 32  # LR pixels; K falls by a factor of 3 with each pixel, to 4e-16 at this distance
PULSES_AT_ONCE = 32


def consistent_base(lr: Tensor, correction: Tensor) -> Tensor:
    """The frame to enlarge, K (y - D r), so that its enlargement plus the correction r is consistent with y.

    Args:
        lr: y, (N, 3, H, W) in [-1, 1].
        correction: r, (N, 48, H+4, W+4), pixel-unshuffled, with its margins.
    Returns:
        (N, 3, H, W), float32.
    """
    device = "cpu" if lr.is_meta else lr.device.type  # the meta device knows no autocast
    with torch.autocast(device, enabled=False):
        return invert_down_up(lr.float() - downsample(correction).float())


def add_margins(x: Tensor) -> Tensor:
    """Mirror pixel-unshuffled SR frames at their edges, MATLAB's border rule: (N, 48, H, W) -> (N, 48, H+4, W+4)."""
    for axis in (-1, -2):
        length = x.shape[axis]
        start, end = (_mirrored(x.narrow(axis, at, MARGIN), axis) for at in (0, length - MARGIN))
        x = torch.cat([start, x, end], dim=axis)
    return x


def empty_with_margins(height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Allocate a frame with margins, (1, 48, H+4, W+4), of the type of `like`; returns it and the view inside them."""
    size = (1, VALUES_PER_LR_PIXEL, height + 2 * MARGIN, width + 2 * MARGIN)
    x = torch.empty(size, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)
    return x, x[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN]


def fill_margins(x: Tensor) -> None:
    """Write the mirrored pixels of `add_margins` into the margins of (1, 48, H+4, W+4), in place."""
    for axis in (-1, -2):
        end = x.shape[axis] - MARGIN
        x.narrow(axis, 0, MARGIN).copy_(_mirrored(x.narrow(axis, MARGIN, MARGIN), axis))
        x.narrow(axis, end, MARGIN).copy_(_mirrored(x.narrow(axis, end - MARGIN, MARGIN), axis))


def _mirrored(strip: Tensor, axis: int) -> Tensor:
    """Reverse the LR pixels along an axis of the frame, and the SR pixels within each of them."""
    return strip.unflatten(1, (3, SCALE, SCALE)).flip(axis, 4 + axis).flatten(1, 3)


def downsample(x: Tensor) -> Tensor:
    """Apply D to pixel-unshuffled SR frames with their margins, (N, 48, H+4, W+4) -> LR frames (N, 3, H, W)."""
    across, down = _down_kernels(x.device, x.dtype)
    return F.conv2d(F.conv2d(x, across), down)


def invert_down_up(lr: Tensor) -> Tensor:
    """Apply K, the inverse of D U, (N, 3, H, W) -> (N, 3, H, W).

    K is one matrix along each side of at most 512 LR pixels. Longer sides are cut into segments with 32 LR pixels
    beside them, each inverted by itself: K falls off so fast that the segments join to float32 precision, and memory is
    linear in the size of the frame.
    """
    wide = [(lr[..., s.outer] @ _inverse(s.length, lr.device).T)[..., s.inner] for s in segments(lr.shape[-1])]
    lr = _concatenated(wide, dim=-1)
    tall = [(_inverse(s.length, lr.device) @ lr[..., s.outer, :])[..., s.inner, :] for s in segments(lr.shape[-2])]
    return _concatenated(tall, dim=-2)


class Segment(NamedTuple):
    """A part of one side of a frame, in LR pixels."""

    outer: slice  # of the side, halo included
    inner: slice  # of the segment, halo excluded

    @property
    def length(self) -> int:
        return self.outer.stop - self.outer.start


def segments(length: int) -> Iterator[Segment]:
    """Cut a side of `length` LR pixels into segments of at most 512 with their halos; a shorter side is one segment."""
    if length <= LONGEST_DENSE:
        yield Segment(slice(0, length), slice(0, length))
        return
    for start, stop in cut_evenly(length, LONGEST_DENSE - 2 * HALO):
        outer = slice(max(start - HALO, 0), min(stop + HALO, length))
        yield Segment(outer, slice(start - outer.start, stop - outer.start))


def _concatenated(tensors: list[Tensor], dim: int) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, dim)


def downsampling_taps() -> Tensor:
    """Weights of D along one axis, (5, 4) float64: of the four SR pixels in each LR pixel at -2..2; their sum is 1."""
    places = np.arange(-MARGIN * SCALE, (MARGIN + 1) * SCALE) - (SCALE - 1) / 2
    taps = torch.from_numpy(keys_cubic(places / SCALE))
    return (taps / taps.sum()).view(2 * MARGIN + 1, SCALE)


@cache
def _down_kernels(device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Kernels of D: across, (12, 48, 1, 5), to channels (colour, row); then down, (3, 12, 5, 1)."""
    taps = downsampling_taps().to(torch.float32)
    across = torch.zeros(3, SCALE, 3, SCALE, SCALE, 1, 5)
    down = torch.zeros(3, 3, SCALE, 5, 1)
    for colour in range(3):
        down[colour, colour, :, :, 0] = taps.T
        for row in range(SCALE):
            across[colour, row, colour, row, :, 0] = taps.T
    kernels = across.flatten(2, 4).flatten(0, 1), down.flatten(1, 2)
    with torch.inference_mode(False):  # a cached inference tensor could not be used in training
        across, down = (k.clone().to(device, dtype, memory_format=torch.channels_last) for k in kernels)
    return across, down


@lru_cache(maxsize=32)
def _inverse(length: int, device: torch.device) -> Tensor:
    """Compute the inverse of D U along one side, (length, length), from the response of D U to unit pulses.

    The pulses are processed in batches: each takes 288 floats for each LR pixel of the side.
    """
    with torch.inference_mode(False), torch.no_grad(), torch.autocast("cpu", enabled=False):
        responses = []
        for batch in torch.eye(length).tensor_split(len(cut_evenly(length, PULSES_AT_ONCE))):
            pulses = batch[:, None, None].repeat(1, 3, MARGIN, 1)  # constant along the other side
            responses.append(downsample(add_margins(bicubic_upsample(pulses)))[:, 0, 0])
        return torch.linalg.inv(torch.cat(responses).double().T).float().to(device)
