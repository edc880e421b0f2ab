"""Clips of any length in overlapping chunks, without visible steps between chunks.

Causes of visible steps, and their remedies:
- A chunk has no frames beyond its ends, so its outermost frames are decoded with less context. Chunks overlap by a few
  frames, over which the old chunk's frames are crossfaded into the new one's: each chunk has most weight where its
  frames have neighbours on both sides.
- Two chunks generate different detail. The crossfade spreads the difference over the overlap.
- Different noise gives different detail: every chunk gets the same noise.
- The new chunk begins with a finished SR frame, encoded, as its given frame. That frame lies in the overlap where the
  old chunk has full weight.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice

import torch
from torch import Tensor

from frames.bicubic import bicubic
from turbovsr.geometry import SCALE
from turbovsr.pixels import crossfade, levels_of, store

LONGEST_OVERLAP = 4  # two overlaps fit into the shortest chunk, 9 frames

UpscaleChunk = Callable[[list[Tensor], Tensor | None], Iterator[Callable[[Tensor], None]]]
"""upscale_chunk(lr frames, given) -> for each frame, a function that writes its SR picture at x4, (3, 4H, 4W) of the LR
frames' type, into a tensor. `given` is the SR picture of the first frame, where there is one already."""
PIXELS = (torch.uint8, torch.uint16)


def _nothing(tail: list[Tensor]) -> None:
    pass


@dataclass(frozen=True)
class Resume:
    """State for stopping between two chunks and continuing later with the same SR frames.

    chunk_done: called after the last new frame of a chunk, if another may follow, with the chunk's `tail`: the x4
        frames that the next chunk overlaps. None of them has been yielded yet; do not change these tensors.
    tail: such frames from an earlier call; the LR frames then begin with those that they belong to. Empty: begin at
        the start of a clip. The list is emptied at once, so that each frame is freed as soon as it has been used.
    """

    tail: list[Tensor] = field(default_factory=list)
    chunk_done: Callable[[list[Tensor]], None] = _nothing


def check_overlap(overlap: int) -> None:
    """Check the number of frames that chunks overlap by.

    Raises:
        ValueError: it is not from 1 to 4.
    """
    if not 1 <= overlap <= LONGEST_OVERLAP:
        raise ValueError(f"chunks overlap by 1 to {LONGEST_OVERLAP} frames, got {overlap}")


def checked_frames(frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """Pass frames through and check them: uint8 or uint16 (3, H, W), all of one type and size, at least one.

    Raises:
        ValueError: a frame is not, or there is none.
    """
    first = None
    for index, frame in enumerate(frames):
        if not isinstance(frame, Tensor) or frame.dtype not in PIXELS or frame.ndim != 3 or len(frame) != 3:
            raise ValueError(f"frames must be uint8 or uint16 (3, H, W), frame {index} is {type_and_shape(frame)}")
        if first is None:
            first, dtype = tuple(frame.shape), frame.dtype
        if 0 in first:
            raise ValueError(f"there is nothing to upscale in frames of shape {first}")
        if frame.dtype != dtype:
            raise ValueError(f"frames must be of one type, frame {index} is {frame.dtype}, the first {dtype}")
        if tuple(frame.shape) != first:
            raise ValueError(f"frames must be of one size, frame {index} is {tuple(frame.shape)}, the first {first}")
        yield frame
    if first is None:
        raise ValueError("there is nothing to upscale: no frames came")


def type_and_shape(value: object) -> str:
    """Type and shape of a tensor, for an error message; the type of anything else."""
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def chunks(frames: Iterable[Tensor], length: int, overlap: int) -> Iterator[list[Tensor]]:
    """Cut frames into lists of `length` that share `overlap` frames; the last list may be shorter.

    At most one chunk is read ahead.
    """
    frames = iter(frames)
    chunk = list(islice(frames, length))
    while chunk:
        yield chunk
        new = list(islice(frames, length - overlap)) if len(chunk) == length else []
        chunk = chunk[-overlap:] + new if new else []


def upscale_frames(
    frames: Iterable[Tensor],
    upscale_chunk: UpscaleChunk,
    length: int,
    overlap: int,
    allocate: Callable[[int, Tensor], Tensor],
    scale: int = SCALE,
    resume: Resume | None = None,
) -> Iterator[Tensor]:
    """Upscale frames in order.

    Args:
        frames: uint8 or uint16 (3, H, W), all of one type and size.
        upscale_chunk: see `UpscaleChunk`.
        length, overlap: of chunks, in frames.
        allocate: allocate(t, lr) returns the (3, scale*H, scale*W) tensor to write SR frame t into; `lr` is some LR
            frame of the clip.
        scale: at most 4; the x4 frames are downscaled to it.
        resume: where to begin, and what to call where a later run can begin.
    Yields:
        The tensors from `allocate`, as soon as they are filled.
    """
    indices = count()
    resume = resume or Resume()
    tail = deque(resume.tail)  # x4 frames that the next chunk overlaps
    resume.tail.clear()
    nothing = torch.empty(0)

    def emit(write: Callable[[Tensor], None]) -> Tensor:
        out = allocate(next(indices), chunk[0])
        if scale == SCALE:
            write(out)
        else:
            write(x4 := empty_x4(chunk[0]))
            downscale(x4, out)
        return out

    def place(index: int, write: Callable[[Tensor], None]) -> Tensor | None:
        """Emit frame `index` of the chunk, or keep it for the next chunk."""
        if index < shared:
            return emit(partial(blend, tail.popleft(), write, index / max(overlap - 1, 1)))
        if len(chunk) == length and index >= length - overlap:
            write(x4 := empty_x4(chunk[0]))
            tail.append(x4)
            return None
        return emit(write)

    for chunk in chunks(frames, length, overlap):
        if len(chunk) == len(tail):  # the clip ends where `resume` was to begin
            break
        shared = len(tail)
        if shared == overlap > 1:
            tail[-1] = nothing  # the last shared frame is the new chunk's alone
        placed = map(place, count(), upscale_chunk(chunk, tail[0] if tail else None))
        yield from filter(lambda out: out is not None, placed)  # a loop's variable would hold each frame for too long
        if tail:
            resume.chunk_done(list(tail))
    while tail:
        yield emit(partial(_copy, tail.popleft()))


def blend(old: Tensor, write: Callable[[Tensor], None], weight: float, out: Tensor) -> None:
    """Crossfade a shared frame: the old chunk's at weight 0, at weight 1 the new chunk's, which `write` writes."""
    if weight > 0:
        write(out)
    if weight < 1:
        crossfade(old, out, weight, out)


def empty_x4(lr: Tensor) -> Tensor:
    """An uninitialised x4 frame, (3, 4H, 4W), for a (3, H, W) frame, of its type."""
    return lr.new_empty(3, SCALE * lr.shape[1], SCALE * lr.shape[2])


def downscale(x4: Tensor, out: Tensor) -> None:
    """Downscale a (3, 4H, 4W) frame into `out`, (3, sH, sW) of its type, as MATLAB's antialiased bicubic does."""
    store(bicubic(levels_of(x4).unsqueeze(0), (out.shape[-2], out.shape[-1]))[0], out)


def _copy(frame: Tensor, out: Tensor) -> None:
    out.copy_(frame)
