"""A few frames at a time through convolutions over time: exact, in order, in memory that does not grow with the clip.

A clip comes as an iterator over pieces (B, C, t, H, W). A 3-frame convolution needs its neighbours, so it holds back
the last two frames it was given, and its output runs one frame behind; a skip connection around two convolutions waits
likewise. At the end the last frame is repeated, as for the whole clip. Every output is computed once, from the same
numbers as for the whole clip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from turbovsr.ltx.layers import ResidualBlock, TimeConv3d, Unpack, repeat_ends

Pieces = Iterable[Tensor]


class Queue:
    """Frames that were handed on and wait for the frames to be added to them."""

    def __init__(self) -> None:
        self._held: Tensor | None = None

    def tap(self, pieces: Pieces) -> Iterator[Tensor]:
        """Keep what passes."""
        for piece in pieces:
            self._held = piece if self._held is None else join(self._held, piece)
            yield piece

    def take(self, frames: int) -> Tensor:
        """The oldest frames, no longer kept."""
        taken, self._held = self._held[:, :, :frames], self._held[:, :, frames:]
        return taken


def join(first: Tensor, second: Tensor) -> Tensor:
    """One piece after the other; like `repeat_ends` it keeps the channels innermost in memory."""
    return torch.cat([first.movedim(1, -1), second.movedim(1, -1)], dim=1).movedim(-1, 1)


def slices(x: Tensor, frames: int) -> Iterator[Tensor]:
    """A clip in pieces of `frames` frames."""
    yield from x.split(frames, dim=2)


def convolve(conv: TimeConv3d, pieces: Pieces) -> Iterator[Tensor]:
    """What `conv`, not causal, makes of the whole clip."""
    held = None
    for piece in pieces:
        held = repeat_ends(piece, 1, 0) if held is None else join(held, piece)
        if held.shape[2] >= 3:
            yield conv.within(held)
            held = held[:, :, -2:]
    yield conv.within(repeat_ends(held, 0, 1))


def pass_block(
    block: ResidualBlock, pieces: Pieces, time: Tensor | None, noise: list[Tensor] | None
) -> Iterator[Tensor]:
    """What a residual block makes of the whole clip; `time` and `noise` as for its `forward`."""
    skipped = Queue()
    entering = (block.enter(piece, time) for piece in skipped.tap(pieces))
    amid = (block.middle(piece, time, noise) for piece in convolve(block.conv1, entering))
    for piece in convolve(block.conv2, amid):
        yield block.leave(piece, skipped.take(piece.shape[2]), noise)


def pass_unpack(stage: Unpack, pieces: Pieces) -> Iterator[Tensor]:
    """What an unpacking stage makes of the whole clip: the first frame of the first pair is dropped."""
    skipped = Queue()
    drop = stage.stride[0] - 1
    for piece in convolve(stage.conv, skipped.tap(pieces)):
        yield stage.spread(piece, skipped.take(piece.shape[2]))[:, :, drop:]
        drop = 0
