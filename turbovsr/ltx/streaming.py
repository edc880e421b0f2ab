"""Convolutions over time, a few frames at a time: the same values as for the whole clip, in constant memory.

A clip comes as an iterator over pieces (B, C, t, H, W). A convolution over three frames keeps the last two frames of
its input, and its output lags one frame behind; a skip connection around convolutions is delayed by the same number of
frames. After the last piece the last frame is repeated, as for the whole clip. Every output is computed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from turbovsr.ltx.layers import DepthToSpace, ResidualBlock, TimeConv3d, repeat_ends

Pieces = Iterable[Tensor]


class DelayLine:
    """First-in, first-out buffer for the frames of a skip connection."""

    def __init__(self) -> None:
        self._buffer: Tensor | None = None

    def record(self, pieces: Pieces) -> Iterator[Tensor]:
        """Pass pieces through and keep a copy of each."""
        for piece in pieces:
            self._buffer = piece if self._buffer is None else append(self._buffer, piece)
            yield piece

    def pop(self, frames: int) -> Tensor:
        """Remove and return the oldest frames, (B, C, frames, H, W)."""
        assert self._buffer is not None, "frames come out of the convolution only after they went in"
        oldest, self._buffer = self._buffer[:, :, :frames], self._buffer[:, :, frames:]
        return oldest


def append(first: Tensor, second: Tensor) -> Tensor:
    """Concatenate along time, channels innermost in memory as in `repeat_ends`."""
    return torch.cat([first.movedim(1, -1), second.movedim(1, -1)], dim=1).movedim(-1, 1)


def stream_conv(conv: TimeConv3d, pieces: Pieces) -> Iterator[Tensor]:
    """The output of a convolution that is not causal, in pieces."""
    window: Tensor | None = None
    for piece in pieces:
        window = repeat_ends(piece, 1, 0) if window is None else append(window, piece)
        if window.shape[2] >= 3:
            yield conv.valid(window)
            window = window[:, :, -2:]
    if window is not None:
        yield conv.valid(repeat_ends(window, 0, 1))


def stream_block(
    block: ResidualBlock, pieces: Pieces, time: Tensor | None, noise: list[Tensor] | None
) -> Iterator[Tensor]:
    """The output of a residual block in pieces; `time` and `noise` as for its `forward`."""
    skip = DelayLine()
    first = (block.pre_conv1(piece, time) for piece in skip.record(pieces))
    second = (block.pre_conv2(piece, time, noise) for piece in stream_conv(block.conv1, first))
    for piece in stream_conv(block.conv2, second):
        yield block.add_residual(piece, skip.pop(piece.shape[2]), noise)


def stream_depth_to_space(stage: DepthToSpace, pieces: Pieces) -> Iterator[Tensor]:
    """The output of a depth-to-space stage in pieces, without the first frame of the first pair, as in `forward`."""
    skip = DelayLine()
    drop = stage.stride[0] - 1
    for piece in stream_conv(stage.conv, skip.record(pieces)):
        yield stage.expand(piece, skip.pop(piece.shape[2]))[:, :, drop:]
        drop = 0
