"""The conditional decoder: LR frames and latent to SR frames.

Not in the paper; our choice: a decoder that sees the LR frames needs no heavy layers at full resolution. Its trunk is a
stack of residual blocks at half the LR size, which for the same arithmetic has twice the channels and twice the
receptive field, or a row of plain layers at the LR size, which learns fidelity several times faster
(docs/decisions/turbovsr-decoder.md); `inner_blocks` at smaller sizes let it see farther, as degraded frames want
(docs/decisions/turbovsr-real.md), and `colours` cleans their chroma first. No layer runs above the LR size. A latent
cell is 32x32 HR pixels, 4x4 or 8x8 features of the trunk: the detail that the latent codes linearly
(`turbovsr.transforms`) is an input of the layers that correct it and, with `detail`, is added to their output. Each
frame's input includes its two neighbours and, with `memory`, features that the frame before it hands on (RLSP, Fuoli et
al. 2019, arXiv 1909.08080). The result is a correction of the bicubic enlargement, with `consistent` made consistent
with the LR frames (`turbovsr.consistency`).

On a CPU memory traffic counts beside arithmetic: frames pass through the layers one at a time, so that they stay in the
cache, and with channels innermost, which together doubled the speed. The network computes in the precision of its
weights; the bicubic enlargement and the sum with it stay in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat, tee

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from frames.bicubic import symmetric_pad
from turbovsr.colours import ColourCleaning
from turbovsr.consistency import MARGIN, add_margins, consistent_base, empty_with_margins, fill_margins
from turbovsr.geometry import CELL, SCALE, VALUES_PER_LR_PIXEL, latent_frames
from turbovsr.layers import PlainLayer, SmallerSizes, SpatialBlock, leaky_, zero_conv
from turbovsr.pixels import unit_of
from turbovsr.rearrange import (
    add_depth_to_space,
    batch_to_frames,
    depth_to_space,
    each_frame,
    frames_to_batch,
    pixel_shuffle,
    pixel_shuffle_into,
    space_to_depth,
)
from turbovsr.transforms import SynthesisTransform
from turbovsr.upsampling import bicubic_upsample

REDUCTIONS = (1, 2)
BAND = 32  # LR rows that the head computes at a time
FRAMES_ON_GPU = 8  # that pass through the layers at once: with a single one a GPU waits for kernel launches

Parts = Iterable[Tensor]
"""Frames in order, in parts that pass through the layers one after the other."""
Finish = Callable[[Tensor, Tensor | None, Tensor], Tensor]


def split_frames(frames: Tensor, batch: int) -> Sequence[Tensor]:
    """Split (N, ...) frames of `batch` clips into parts; one part for several clips or where gradients are wanted."""
    if batch > 1 or torch.is_grad_enabled():
        return [frames]
    return frames.split(FRAMES_ON_GPU if frames.is_cuda else 1)


def stack_neighbours(parts: Parts, batch: int) -> Iterator[Tensor]:
    """Stack the previous, this and the next frame along channels, (N, C, h, w) -> (N, 3C, h, w), the ends repeated."""
    parts = iter(parts)
    part: Tensor | None = next(parts)
    assert part is not None
    if batch > 1:
        clip = part.unflatten(0, (batch, -1))
        before = torch.cat([clip[:, :1], clip[:, :-1]], dim=1)
        after = torch.cat([clip[:, 1:], clip[:, -1:]], dim=1)
        yield torch.cat([before, clip, after], dim=2).flatten(0, 1)
        return
    before = part[:1]
    while part is not None:
        following = next(parts, None)
        after = part[-1:] if following is None else following[:1]
        yield torch.cat([torch.cat([before, part[:-1]]), part, torch.cat([part[1:], after])], dim=1)
        before, part = part[-1:], following


class Decoder(nn.Module):
    """LR clip and latent to SR clip at scale 4.

    Args:
        latent_channels: channels of the latent.
        width: channels of the trunk.
        head_width: channels of the last layer but one, at the LR size; with reduction 1 there is no such layer.
        blocks: numbers of residual blocks, with reduction 1 of plain layers, before and after the latent is added.
        consistent: whether SR frames, downsampled by bicubic, equal the LR frames (`turbovsr.consistency`).
        reduction: the LR size over that of the trunk, 1 or 2.
        memory: whether each frame hands features on to the next one's first layer, with reduction 1.
        detail: whether the detail that the latent codes linearly is added to the output of the last layer.
        inner_blocks: numbers of residual blocks at a half and at a quarter of the trunk's size, where the latent is
            added; 0 and 0 for none.
        colours: channels and number of residual blocks of the layers that clean the LR frames' colours before all
            else (`turbovsr.colours`); 0 and 0 for none.
    """

    mean: Tensor  # (latent_channels,), of the latent over the training set
    std: Tensor

    def __init__(
        self,
        latent_channels: int,
        width: int,
        head_width: int,
        blocks: tuple[int, int],
        consistent: bool = True,
        reduction: int = 2,
        memory: bool = False,
        detail: bool = True,
        inner_blocks: tuple[int, int] = (0, 0),
        colours: tuple[int, int] = (0, 0),
    ):
        super().__init__()
        if reduction not in REDUCTIONS:
            raise ValueError(f"decoder_reduction={reduction}: choose 1, a trunk at the LR size, or 2, at half of it")
        if width < 1 or (reduction > 1 and head_width < 1) or (any(colours) and colours[0] < 1):
            given = f"decoder_width={width}, decoder_head_width={head_width}, decoder_colours={list(colours)}"
            raise ValueError(f"a layer of the decoder has no channels, 1 is the least: {given}")
        if memory and reduction > 1:
            raise ValueError("decoder_memory needs decoder_reduction=1, a trunk at the LR size")
        if consistent and any(colours):
            raise ValueError("decoder_colours needs consistent=false: SR frames then have other colours than LR frames")
        self.consistent, self.reduction = consistent, reduction
        self.colours = ColourCleaning(*colours) if any(colours) else None
        self.stem = nn.Conv2d(3 * 3 * reduction**2, width, 3, padding=1)
        self.hand_on = nn.Conv2d(width, width, 3, padding=1) if memory else None
        self.recall = nn.Conv2d(width, width, 3, padding=1, bias=False) if memory else None
        layer = SpatialBlock if reduction > 1 else PlainLayer
        self.before, self.after = (nn.Sequential(*(layer(width) for _ in range(count))) for count in blocks)
        self.inner = SmallerSizes(width, inner_blocks) if any(inner_blocks) else None
        self.synthesis = SynthesisTransform(latent_channels, detail)
        self.cells_in = nn.Conv2d(latent_channels, (CELL // reduction) ** 2 * width, 1, bias=False)
        self.register_buffer("mean", torch.zeros(latent_channels))
        self.register_buffer("std", torch.ones(latent_channels))
        # Of this the LR size must be a multiple; with a latent, of CELL.
        self.multiple = math.lcm(
            reduction * (self.inner.multiple if self.inner else 1),
            self.colours.multiple if self.colours is not None else 1,
            MARGIN if consistent else 1,  # so many pixels are mirrored at each edge
        )
        self.head_up = nn.Conv2d(width, reduction**2 * head_width, 1) if reduction > 1 else None
        self.head = zero_conv(head_width if reduction > 1 else width, VALUES_PER_LR_PIXEL, 3, padding=1)

    def forward(self, lr: Tensor, latent: Tensor | None, keep: Tensor | None = None) -> Tensor:
        """Decode a clip.

        Args:
            lr: (B, 3, 1+8k, h, w) in [-1, 1], h and w multiples of 8, or of `multiple` without a latent.
            latent: (B, C, 1+k, h/8, w/8), or None for decoding from the LR frames alone.
            keep: bool (B,), False where the latent of a clip is ignored (latent dropout in training).
        Returns:
            (B, 3, 1+8k, 4h, 4w), about [-1, 1], not clamped.
        """
        return batch_to_frames(torch.cat(list(self._finished(self.finish, lr, latent, keep))), lr.shape[0])

    def frames(self, lr: Tensor, latent: Tensor | None) -> Iterator[Tensor]:
        """The frames of `forward` for a batch of one, (3, 4h, 4w) each, in order, each as soon as it is finished.

        The LR frames may be pixels, uint8 or uint16: of a large clip, float32 would take four times their memory.
        """
        if lr.is_cuda:
            return each_frame(self._finished(self.finish, lr, latent))
        return self._finished(self._finish_in_bands, lr, latent)

    def _finished(
        self, finish: Finish, lr: Tensor, latent: Tensor | None, keep: Tensor | None = None
    ) -> Iterator[Tensor]:
        """Run the trunk, then `finish`, on each part in turn; gives what `finish` returns."""
        x, cells, parts = self._prepared(lr, latent, keep)
        cells, again = tee(cells)  # the trunk and the detail take the same ones, one after the other
        return map(finish, self._features(x, cells, len(lr)), again, parts)

    def _prepared(
        self, lr: Tensor, latent: Tensor | None, keep: Tensor | None
    ) -> tuple[Parts, Iterable[Tensor | None], Parts]:
        """Prepare each part: stacked frames at the trunk's size, coefficients of the latent cells, LR frames."""
        batch, _, frames, height, width = lr.shape
        multiple = self.multiple if latent is None else CELL
        if height % multiple or width % multiple:
            wanted = f"multiples of {multiple}, got {height}x{width}"
            raise ValueError(f"the decoder takes LR frames in {wanted}: pad them first")
        parts: Parts = split_frames(frames_to_batch(lr), batch)
        again = parts
        if self.colours is not None:
            parts, again = tee(map(self.cleaned, parts))
        small = (space_to_depth(unit_of(part, self.stem.weight.dtype), self.reduction) for part in parts)
        unit = (part if part.is_floating_point() else unit_of(part, torch.float32) for part in again)
        return stack_neighbours(small, batch), self._cells(latent, keep, frames), unit

    def cleaned(self, lr: Tensor) -> Tensor:
        """Clean the colours of LR frames (N, 3, h, w), pixels or [-1, 1]; without `colours` they stay as they are."""
        if self.colours is None:
            return lr
        return self.colours(lr if lr.is_floating_point() else unit_of(lr, torch.float32))

    def finish(self, x: Tensor, cells: Tensor | None, lr: Tensor) -> Tensor:
        """Compute SR frames (N, 3, 4h, 4w) from the trunk's features, latent cells, and LR frames in [-1, 1]."""
        residual = self._head(x)
        if cells is not None and self.synthesis.basis is not None:
            residual = add_depth_to_space(residual, self.synthesis.detail(cells), CELL)
        base = consistent_base(lr, add_margins(residual)) if self.consistent else lr
        return pixel_shuffle(bicubic_upsample(base) + residual)

    def _features(self, parts: Parts, cells: Iterable[Tensor | None], batch: int) -> Iterator[Tensor]:
        """Compute the trunk's features of each part; with a memory, frame by frame in order."""
        if self.hand_on is None:
            return map(self._trunk, parts, cells)
        memory: Tensor | None = None

        def follow(x: Tensor, cells: Tensor | None) -> Tensor:
            nonlocal memory
            features = []
            cells_each = repeat(None) if cells is None else cells.unflatten(0, (batch, -1)).unbind(1)
            for frame, own in zip(x.unflatten(0, (batch, -1)).unbind(1), cells_each):
                if memory is None:
                    memory = self.empty_memory(frame)
                one, memory = self.step(frame, own, memory)
                features.append(one)
            return features[0] if len(features) == 1 else torch.stack(features, dim=1).flatten(0, 1)

        return map(follow, parts, cells)

    def step(self, x: Tensor, cells: Tensor | None, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the trunk's features of one frame, and the memory for the next; `memory`: from the frame before."""
        assert self.hand_on is not None
        features = self._trunk(x, cells, memory)
        return features, leaky_(self.hand_on(features))

    def empty_memory(self, x: Tensor) -> Tensor:
        """Memory for the first frame of a clip: zeros (N, width, h, w), of the size and type of `x`, (N, C, h, w)."""
        memory = x.new_zeros(len(x), self.stem.out_channels, *x.shape[2:])
        return memory.contiguous(memory_format=torch.channels_last)

    def _trunk(self, x: Tensor, cells: Tensor | None, memory: Tensor | None = None) -> Tensor:
        x = self.stem(x)
        if self.recall is not None:
            x = x.add_(self.recall(memory))
        x = self.before(x if self.reduction > 1 else leaky_(x))
        if cells is not None:
            x = add_depth_to_space(x, self.cells_in(cells), CELL // self.reduction)
        if self.inner is not None:
            x = self.inner(x)
        x = self.after(x)
        return F.relu(x) if self.reduction > 1 else x

    def _head(self, x: Tensor) -> Tensor:
        """The correction of the bicubic enlargement, (N, 48, h, w) for pixel_shuffle, from the trunk's features."""
        if self.head_up is not None:
            x = F.relu(depth_to_space(self.head_up(x), self.reduction))
        return self.head(x)

    def _finish_in_bands(self, x: Tensor, cells: Tensor | None, lr: Tensor) -> Tensor:
        """`finish` for one frame, (3, 4h, 4w), whose layers at the LR size run in bands that stay in the cache."""
        height, width = lr.shape[-2:]
        detail = None if cells is None or self.synthesis.basis is None else self.synthesis.detail(cells)
        bands = (self._head_in_band(x, detail, top, min(top + BAND, height)) for top in range(0, height, BAND))
        base = lr.float()
        if self.consistent:  # what is enlarged depends on the whole correction
            correction, inner = empty_with_margins(height, width, x)
            for room, band in zip(inner.split(BAND, dim=2), bands):
                room.copy_(band)
            fill_margins(correction)
            base, bands = consistent_base(lr, correction), iter(inner.split(BAND, dim=2))
        base = symmetric_pad(base, 2).contiguous(memory_format=torch.channels_last)
        frame = lr.new_empty(3, SCALE * height, SCALE * width, dtype=torch.float32)
        for top, band in zip(range(0, height, BAND), bands):
            bottom = top + band.shape[2]
            pixels = bicubic_upsample(base[:, :, top : bottom + 4], padded=True)
            pixel_shuffle_into(pixels.add_(band), frame[:, SCALE * top : SCALE * bottom])
        return frame

    def _head_in_band(self, x: Tensor, detail: Tensor | None, top: int, bottom: int) -> Tensor:
        """The head's correction of LR rows `top` to `bottom`, with the detail that the latent codes, if given."""
        height = self.reduction * x.shape[2]
        above, below = min(top, 2), min(height - bottom, 2)  # rows that the head's kernel reaches beyond the band
        band = self._head(x[:, :, (top - above) // self.reduction : (bottom + below) // self.reduction])
        band = band[:, :, above : above + bottom - top]
        if detail is None:
            return band
        return add_depth_to_space(band, detail[:, :, top // CELL : bottom // CELL], CELL)

    def _cells(self, latent: Tensor | None, keep: Tensor | None, frames: int) -> Iterable[Tensor | None]:
        """Coefficients of each part's latent cells, (N, C, h/8, w/8); None for each part where there is no latent."""
        if latent is None:
            return repeat(None)
        if latent_frames(frames) != latent.shape[2]:
            raise ValueError(f"a latent of {latent.shape[2]} frames does not fit a clip of {frames} frames")
        shape = (1, -1, 1, 1, 1)
        latent = (latent * self.std.view(shape) + self.mean.view(shape)).to(self.stem.weight.dtype)
        if len(latent) == 1 and keep is None and not (latent.is_cuda or torch.is_grad_enabled()):
            each = map(self.synthesis.coefficients_of_frame, repeat(latent), range(frames))
            return (cells.contiguous(memory_format=torch.channels_last) for cells in each)
        cells = self.synthesis.coefficients(latent)
        if keep is not None:
            cells = cells * keep.repeat_interleave(frames).view(-1, 1, 1, 1)
        return split_frames(cells.contiguous(memory_format=torch.channels_last), len(latent))
