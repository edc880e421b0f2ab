"""Clips of any length in chunks that overlap, without a step where one chunk follows another.

Where steps come from, and what removes them:
- A chunk cannot see beyond its ends, so its outermost frames are decoded with less context. Chunks overlap by a few
  frames, and in these the picture passes from the old chunk's to the new one's: each frame counts most where it has
  neighbours on both sides.
- Two chunks picture the same detail differently. The crossfade spreads that difference over the overlap.
- Other noise, other detail: every chunk gets the same noise.
- The new chunk begins with the encoded SR picture of a frame that is done: a given frame, not one to be shown. It lies
  in the overlap where the old chunk has full weight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count, islice

import torch
from torch import Tensor

from frames.bicubic import bicubic
from turbovsr.pixels import crossfade, store
from turbovsr.shuffle import SCALE

LONGEST_OVERLAP = 4  # two overlaps fit into the shortest chunk, 9 frames

UpscaleChunk = Callable[[list[Tensor], Tensor | None], Iterator[Callable[[Tensor], None]]]
"""upscale_chunk(lr frames, given) -> for each frame, a function that writes its SR picture at x4, uint8 (3, 4H, 4W),
into a tensor. `given` is the SR picture of the first frame, where there is one already."""


def check_overlap(overlap: int) -> None:
    """Refuse an overlap that chunks cannot have.

    Raises:
        ValueError: not from 1 to 4.
    """
    if not 1 <= overlap <= LONGEST_OVERLAP:
        raise ValueError(f"chunks overlap by 1 to {LONGEST_OVERLAP} frames, got {overlap}")


def checked(frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """The same frames, if they are uint8 (3, H, W), all of one size, and there is at least one.

    Raises:
        ValueError: one is not, or there is none.
    """
    first = None
    for index, frame in enumerate(frames):
        if not isinstance(frame, Tensor) or frame.dtype != torch.uint8 or frame.ndim != 3 or len(frame) != 3:
            raise ValueError(f"frames must be uint8 (3, H, W), frame {index} is {described(frame)}")
        first = first or tuple(frame.shape)
        if 0 in first:
            raise ValueError(f"there is nothing to upscale in frames of shape {first}")
        if tuple(frame.shape) != first:
            raise ValueError(f"frames must be of one size, frame {index} is {tuple(frame.shape)}, the first {first}")
        yield frame
    if first is None:
        raise ValueError("there is nothing to upscale: no frames came")


def described(value: object) -> str:
    """A tensor's type and shape for an error message; the type of anything else."""
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def chunks(frames: Iterable[Tensor], length: int, overlap: int) -> Iterator[list[Tensor]]:
    """Cut frames into lists of `length`, the last one perhaps shorter, each beginning with the last `overlap` frames of
    the one before. No more is read ahead than one chunk."""
    frames = iter(frames)
    chunk = list(islice(frames, length))
    while chunk:
        yield chunk
        fresh = list(islice(frames, length - overlap)) if len(chunk) == length else []
        chunk = chunk[-overlap:] + fresh if fresh else []


def upscale_frames(
    frames: Iterable[Tensor],
    upscale_chunk: UpscaleChunk,
    length: int,
    overlap: int,
    place: Callable[[int, Tensor], Tensor],
    scale: int = SCALE,
) -> Iterator[Tensor]:
    """Upscale frames in order.

    Args:
        frames: uint8 (3, H, W), all of one size.
        upscale_chunk: see `UpscaleChunk`.
        length, overlap: of chunks, in frames.
        place: place(t, lr) is the uint8 (3, scale*H, scale*W) tensor that frame t is to be written into; `lr` is some
            LR frame of the clip.
        scale: at most 4; the pictures at x4 are brought down to it.
    Yields:
        What `place` gave, as soon as it is filled.
    """
    indices = count()
    held: list[Tensor] = []  # x4 pictures of the frames that the next chunk will see as well

    def show(write: Callable[[Tensor], None]) -> Tensor:
        out = place(next(indices), chunk[0])
        if scale == SCALE:
            write(out)
        else:
            write(picture := blank(chunk[0]))
            shrink(picture, out)
        return out

    for chunk in chunks(frames, length, overlap):
        shared, held = held, []
        for index, write in enumerate(upscale_chunk(chunk, shared[0] if shared else None)):
            if index < len(shared):
                yield show(partial(pass_on, shared[index], write, index / max(overlap - 1, 1)))
            elif len(chunk) == length and index >= length - overlap:
                write(picture := blank(chunk[0]))
                held.append(picture)
            else:
                yield show(write)
    for picture in held:
        yield show(lambda out: out.copy_(picture))


def pass_on(old: Tensor, write: Callable[[Tensor], None], weight: float, out: Tensor) -> None:
    """The picture of a shared frame: the old chunk's at weight 0, at weight 1 what `write`, the new chunk, writes."""
    if weight > 0:
        write(out)
    if weight < 1:
        crossfade(old, out, weight, out)


def blank(lr: Tensor) -> Tensor:
    """Room for the x4 picture of a uint8 (3, H, W) frame."""
    return lr.new_empty(3, SCALE * lr.shape[1], SCALE * lr.shape[2])


def shrink(picture: Tensor, out: Tensor) -> None:
    """Bring a uint8 (3, 4H, 4W) picture down to `out`, uint8 (3, sH, sW), as MATLAB's antialiased bicubic does."""
    store(bicubic(picture.unsqueeze(0).float(), tuple(out.shape[-2:]))[0], out)
