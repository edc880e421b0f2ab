"""The conditional decoder: LR frames and a latent in, SR frames out.

Ours, not the paper's: a decoder that sees the LR frames needs no heavy full-resolution layers. At scale 4 a latent
cell of 32x32 HR pixels is 8x8 LR pixels, so the latent enters a U-Net over the LR frames at its bottom, 1/8 of the LR
size; besides, its linear picture of the detail (`turbovsr.cells`) is added to the output and shown to the layers that
correct it. The U-Net begins at half the LR size: the same arithmetic as at the LR size then has twice the channels and
sees twice as far. Only one small layer runs at the LR size and none above it. Frames see their neighbours through the
stacked input and through three-frame mixing at the coarse levels, where it costs next to nothing. The result is a
correction of the bicubic picture, from which what would contradict the LR frames is taken out again.

On a CPU what counts beside arithmetic is memory: frames go through the layers one at a time (they then stay in the
cache) and with channels innermost, which together made inference twice as fast. The network computes in the precision
of its weights; the bicubic picture and the sum with it stay in float32.
"""

from __future__ import annotations

from itertools import repeat, tee
from typing import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turbovsr.autoencoder import TEMPORAL_COMPRESSION, SpatialBlock, fold, latent_frames, unfold
from turbovsr.cells import PER_LR_PIXEL, CellSynthesis
from turbovsr.consistency import add_margins, consistent_base, fill_margins, with_margins
from turbovsr.resample import symmetric_pad
from turbovsr.shuffle import SCALE, bicubic_cells, grow, put_pixels, shrink, to_pixels
BAND = 32  # LR rows that the head works on at a time


Parts = Iterable[Tensor]
"""Frames on their way through the layers, in order: one at a time, or all in one part where gradients are wanted."""


def apart(frames: Tensor) -> Parts:
    """(N, ...) frames as parts to work on in turn."""
    return [frames] if torch.is_grad_enabled() else frames.split(1)


def beside_neighbours(parts: Parts, batch: int) -> Iterator[Tensor]:
    """(N, C, h, w) -> (N, 3C, h, w): the previous, this and the next frame side by side, the ends repeated."""
    parts = iter(parts)
    part = next(parts)
    if len(part) > 1:  # batch * T frames in one part
        clip = part.unflatten(0, (batch, -1))
        before = torch.cat([clip[:, :1], clip[:, :-1]], dim=1)
        after = torch.cat([clip[:, 1:], clip[:, -1:]], dim=1)
        yield torch.cat([before, clip, after], dim=2).flatten(0, 1)
        return
    before = part
    for following in parts:
        yield torch.cat([before, part, following], dim=1)
        before, part = part, following
    yield torch.cat([before, part, part], dim=1)


class TimeMix(nn.Module):
    """Residual mixing of each frame with its two neighbours, pointwise in space."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(3 * channels, channels, 1)  # over the previous, this and the next frame
        self.conv2 = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, parts: Parts, batch: int) -> Iterator[Tensor]:
        """Each part goes out when its successor has come in."""
        said = ((part, self._say(part)) for part in parts)
        (part, (to_next, to_self, to_previous)) = next(said)
        if len(part) > 1:  # batch * T frames in one part
            frames = [x.unflatten(0, (batch, -1)) for x in (to_next, to_self, to_previous)]
            before = torch.cat([frames[0][:, :1], frames[0][:, :-1]], dim=1)
            after = torch.cat([frames[2][:, 1:], frames[2][:, -1:]], dim=1)
            yield self._hear(part, (before + frames[1] + after).flatten(0, 1))
            return
        before = to_next  # the ends hear themselves
        for following, news in said:
            yield self._hear(part, before + to_self + news[2])
            before, part, (to_next, to_self, to_previous) = to_next, following, news
        yield self._hear(part, before + to_self + to_previous)

    def _say(self, part: Tensor) -> tuple[Tensor, ...]:
        """What frames say to the next, to themselves and to the previous one: no stack of frames is ever built."""
        weight = self.conv1.weight.unflatten(1, (3, -1)).transpose(0, 1).flatten(0, 1)
        return F.conv2d(part, weight).chunk(3, dim=1)

    def _hear(self, part: Tensor, news: Tensor) -> Tensor:
        return part + self.conv2(F.relu(news + self.conv1.bias.view(1, -1, 1, 1)))


class Level(nn.Module):
    """Residual blocks at one resolution, with time mixing in front where the level has it."""

    def __init__(self, channels: int, blocks: int, mixes_time: bool):
        super().__init__()
        self.mix = TimeMix(channels) if mixes_time else None
        self.blocks = nn.Sequential(*(SpatialBlock(channels) for _ in range(blocks)))

    def forward(self, parts: Parts, batch: int) -> Iterator[Tensor]:
        if self.mix is not None:
            parts = self.mix(parts, batch)
        for part in parts:
            yield self.blocks(part)


class LatentToFrames(nn.Module):
    """(B, C, 1+k, h, w) -> (B*(1+8k), width, h, w): each latent frame becomes the eight frames it stands for.

    Latent frame j ends at frame 8j; the first one stands for frame 0 alone, so its first seven slots are dropped.
    """

    def __init__(self, latent_channels: int, width: int):
        super().__init__()
        self.conv = nn.Conv2d(latent_channels, width * TEMPORAL_COMPRESSION, 1)

    def forward(self, latent: Tensor) -> Tensor:
        batch, _, _, height, width = latent.shape
        slots = self.conv(fold(latent)).unflatten(1, (TEMPORAL_COMPRESSION, -1))  # (B*(1+k), 8, D, h, w)
        frames = slots.unflatten(0, (batch, -1)).flatten(1, 2)[:, TEMPORAL_COMPRESSION - 1 :]
        return frames.flatten(0, 1)


class Decoder(nn.Module):
    """LR clip and latent -> SR clip at scale 4.

    Args:
        latent_channels: channels of the latent.
        widths: channels at 1/2, 1/4 and 1/8 of the LR size.
        head_width: channels of the last layer but one, at the LR size.
        down_blocks, up_blocks: residual blocks of each level on the way down and up (the bottom has only the former).
        consistent: whether SR frames brought down again by bicubic give back the LR frames (`turbovsr.consistency`).
    """

    def __init__(
        self,
        latent_channels: int,
        widths: tuple[int, int, int],
        head_width: int,
        down_blocks: tuple[int, int, int],
        up_blocks: tuple[int, int],
        consistent: bool = True,
    ):
        super().__init__()
        self.consistent = consistent
        self.stem = nn.Conv2d(3 * 3 * 4, widths[0], 3, padding=1)
        self.down_levels = nn.ModuleList(Level(w, n, i > 0) for i, (w, n) in enumerate(zip(widths, down_blocks)))
        self.up_levels = nn.ModuleList(Level(w, n, i > 0) for i, (w, n) in enumerate(zip(widths, up_blocks)))
        self.down = nn.ModuleList(nn.Conv2d(4 * a, b, 1) for a, b in zip(widths, widths[1:]))
        self.up = nn.ModuleList(nn.Conv2d(b, 4 * a, 1) for a, b in zip(widths, widths[1:]))
        self.latent_in = LatentToFrames(latent_channels, widths[-1])
        self.no_latent = nn.Parameter(torch.zeros(widths[-1], 1, 1))  # stands for the latent where there is none
        self.synthesis = CellSynthesis(latent_channels)
        self.cells_in = nn.Conv2d(latent_channels, 4 * 4 * widths[0], 1, bias=False)
        self.register_buffer("mean", torch.zeros(latent_channels))
        self.register_buffer("std", torch.ones(latent_channels))
        self.head_up = nn.Conv2d(widths[0], 4 * head_width, 1)
        self.head = nn.Conv2d(head_width, PER_LR_PIXEL, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, lr: Tensor, latent: Tensor | None, keep: Tensor | None = None) -> Tensor:
        """Decode a clip.

        Args:
            lr: (B, 3, 1+8k, h, w) in [-1, 1], h and w multiples of 8.
            latent: (B, C, 1+k, h/8, w/8), or None for decoding from the LR frames alone.
            keep: bool (B,), False where the latent of that clip is to be ignored (latent dropout in training).
        Returns:
            (B, 3, 1+8k, 4h, 4w), about [-1, 1], not clamped.
        """
        finished = [self._finish(*parts) for parts in self._coarse(lr, latent, keep)]
        return unfold(torch.cat(finished), lr.shape[0])

    def frames(self, lr: Tensor, latent: Tensor | None) -> Iterator[Tensor]:
        """The frames of `forward` for a batch of one, (3, 4h, 4w) each, finished and handed out one at a time."""
        for parts in self._coarse(lr, latent, None):
            yield self._finish(*parts)[0] if lr.is_cuda else self._finish_in_bands(*parts)

    def _coarse(
        self, lr: Tensor, latent: Tensor | None, keep: Tensor | None
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None, Tensor]]:
        """All but the last level. Frames stream through the levels: few are held at any time, however long the clip.

        Yields:
            Of each part: features at 1/4 of the LR size, the skip at 1/2, coefficients of the cells, LR frames.
        """
        batch, _, frames, height, width = lr.shape
        if height % 8 or width % 8:
            raise ValueError(f"the decoder takes LR frames in multiples of 8, got {height}x{width}: pad them first")
        features, cells = self._latent_features(latent, keep, frames)
        small = (shrink(part.to(self.stem.weight.dtype), 2) for part in apart(fold(lr)))
        parts = self.down_levels[0](map(self.stem, beside_neighbours(small, batch)), batch)
        skips = []
        for level, down in zip(self.down_levels[1:], self.down):
            parts, skip = tee(parts)  # keeps a frame until its finer level comes to it
            skips.append(skip)
            parts = map(lambda part, down=down: down(shrink(part, 2)), parts)
            if level is self.down_levels[-1]:
                parts = map(torch.add, parts, features)
            parts = level(parts, batch)
        for level, up in zip(reversed(self.up_levels[1:]), reversed(self.up[1:])):
            parts = map(lambda part, beside, up=up: beside + grow(up(part), 2), parts, skips.pop())
            parts = level(parts, batch)
        return zip(parts, skips.pop(), cells, apart(fold(lr)))

    def _finish(self, x: Tensor, skip: Tensor, cells: Tensor | None, lr: Tensor) -> Tensor:
        """The last level and the head: (N, ...) -> (N, 3, 4h, 4w)."""
        x = self._last_level(x, skip, cells)
        detail = None if cells is None else self.synthesis.detail(cells)
        residual = self._head(x, detail)
        base = consistent_base(lr, add_margins(residual)) if self.consistent else lr
        return to_pixels(bicubic_cells(base) + residual)

    def _last_level(self, x: Tensor, skip: Tensor, cells: Tensor | None) -> Tensor:
        x = skip + grow(self.up[0](x), 2)
        if cells is not None:
            x = x + grow(self.cells_in(cells), 4)
        return F.relu(self.up_levels[0].blocks(x))

    def _head(self, x: Tensor, detail: Tensor | None) -> Tensor:
        """Features at half the LR size -> correction of the bicubic picture, as cells."""
        residual = self.head(F.relu(grow(self.head_up(x), 2)))
        return residual if detail is None else residual + detail

    def _finish_in_bands(self, x: Tensor, skip: Tensor, cells: Tensor | None, lr: Tensor) -> Tensor:
        """`_finish` of one frame, (3, 4h, 4w): what is as large as the frame goes in bands that stay in the cache."""
        height, width = lr.shape[-2:]
        x = self._last_level(x, skip, cells)
        detail = None if cells is None else self.synthesis.detail(cells)
        correction, inner = with_margins(height, width, x)
        for top in range(0, height, BAND):
            bottom = min(top + BAND, height)
            above, below = min(top, 2), min(height - bottom, 2)  # rows that the head's kernel reaches beyond the band
            band = self._head(x[:, :, (top - above) // 2 : (bottom + below) // 2], None)
            band = band[:, :, above : above + bottom - top]
            inner[:, :, top:bottom] = band if detail is None else band.add_(detail[:, :, top:bottom])
        base = lr.float()
        if self.consistent:
            fill_margins(correction)
            base = consistent_base(lr, correction)
        base = symmetric_pad(base, 2).contiguous(memory_format=torch.channels_last)
        frame = lr.new_empty(3, SCALE * height, SCALE * width, dtype=torch.float32)
        for top in range(0, height, BAND):
            bottom = min(top + BAND, height)
            pixels = bicubic_cells(base[:, :, top : bottom + 4], mirrored=True)
            put_pixels(pixels.add_(inner[:, :, top:bottom]), frame[:, SCALE * top : SCALE * bottom])
        return frame

    def _latent_features(
        self, latent: Tensor | None, keep: Tensor | None, frames: int
    ) -> tuple[Parts, Iterable[Tensor | None]]:
        """What the latent says at the bottom of the U-Net, and the coefficients of the cells, for every frame."""
        if latent is None:
            return repeat(self.no_latent), repeat(None)
        if latent_frames(frames) != latent.shape[2]:
            raise ValueError(f"a latent of {latent.shape[2]} frames does not belong to a clip of {frames} frames")
        shape = (1, -1, 1, 1, 1)
        latent = (latent * self.std.view(shape) + self.mean.view(shape)).to(self.stem.weight.dtype)
        features, cells = self.latent_in(latent), self.synthesis.coefficients(latent)
        if keep is not None:
            keep = keep.repeat_interleave(frames).view(-1, 1, 1, 1)
            features, cells = torch.where(keep, features, self.no_latent), cells * keep
        innermost = torch.channels_last
        return apart(features.contiguous(memory_format=innermost)), apart(cells.contiguous(memory_format=innermost))
