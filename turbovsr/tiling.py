"""Overlapping, blended tiles for frames that are too large for a network to take at once.

Only encoding and decoding are tiled. The latent is sampled whole, so tiles agree about it, and blending only has to
hide the decoder's shorter context at a seam.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from turbovsr.geometry import CELL, SCALE, TEMPORAL_COMPRESSION, pad_to
from turbovsr.pixels import levels_of, store, unit_to_levels

HALO = 5 * CELL  # LR pixels of context around a tile
BLEND = CELL  # LR pixels to either side of a seam over which one tile passes into the next
SMALLEST = 2 * CELL
# LR pixels, times frames of a chunk, that "auto" takes at once; `python -m studies.chunks --only memory` tells how
# many bytes each of them takes. Fixed, not the memory that is free: a clip must give the same pixels everywhere.
DECODED_AT_ONCE = 8_000_000
ENCODED_AT_ONCE = 500_000  # of one frame: the encoder takes 1.2 GB of float32 for a million
CHUNK_AT_MOST = 35_000_000  # of all frames of a chunk: 33 frames of 1280x720, 9 of 1920x1080


class Span(NamedTuple):
    """A tile along one side, in LR pixels: its own start and stop, and those with the halo, cut at the edges."""

    start: int
    stop: int
    outer_start: int
    outer_stop: int


def check_tile(tile: int | str) -> None:
    """Check a `tile` option.

    Raises:
        ValueError: it is neither "auto", nor 0, nor a multiple of 8 from 16 on.
    """
    if tile != "auto" and (not isinstance(tile, int) or tile % CELL or not (tile == 0 or tile >= SMALLEST)):
        raise ValueError(
            f"tile must be auto, 0 for whole frames, or a multiple of {CELL} LR pixels from {SMALLEST} on, got {tile}"
        )


def cut_evenly(length: int, longest: int) -> list[tuple[int, int]]:
    """Cut `length` into ranges (start, stop) of about equal length, each at most `longest`."""
    count = math.ceil(length / longest)
    cuts = [length * i // count for i in range(count + 1)]
    return list(zip(cuts, cuts[1:]))


def tile_edge(tile: int | str, height: int, width: int, frames: int, at_once: int) -> int:
    """Edge of the tiles, in LR pixels, for `frames` frames of height x width LR pixels; 0: whole frames.

    Args:
        tile: the option.
        at_once: LR pixels times frames that "auto" takes at once, halo included.
    """
    if isinstance(tile, int):
        return 0 if tile >= max(height, width) else tile
    if frames * height * width <= at_once:
        return 0
    edge = math.isqrt(at_once // frames) - 2 * HALO
    return max(edge // CELL * CELL, HALO)


def chunk_latents(chunk: int, tile: int | str, height: int, width: int) -> int:
    """Latent frames in a chunk for frames of height x width LR pixels: `chunk`, or fewer for large frames with "auto".

    At least 2, the fewest with which a clip advances. It depends on nothing else, so a clip gives the same pixels
    everywhere.
    """
    if tile != "auto":
        return chunk
    frames = CHUNK_AT_MOST // (height * width)
    return min(chunk, max(1 + (frames - 1) // TEMPORAL_COMPRESSION, 2))


def spans(length: int, tile: int) -> list[Span]:
    """Cut `length` LR pixels into tiles of at most `tile` and about equal length, all but the last multiples of 8."""
    return [
        Span(CELL * start, min(CELL * stop, length), max(CELL * start - HALO, 0), min(CELL * stop + HALO, length))
        for start, stop in cut_evenly(pad_to(length, CELL) // CELL, tile // CELL)
    ]


def decode(
    network: Callable[[Tensor, Tensor | None], Iterator[Tensor]],
    lr: Tensor,
    latent: Tensor | None,
    tile: int,
    frames: int,
    at_once: int = 1,
    dtype: torch.dtype = torch.uint8,
) -> Iterator[Tensor]:
    """Decode a clip, whole or in overlapping, blended tiles.

    Args:
        network: LR clip and latent -> SR frames in order, as `Model.decode_frames`.
        lr: (1, 3, T, h, w), of sizes that `network` takes; with a latent multiples of 8.
        latent: (1, C, T', h/8, w/8) or None.
        tile: largest edge in LR pixels, a multiple of 8; 0: whole frames.
        frames: how many of the T frames are decoded; the last ones may be padding.
        at_once: frames that a tile decodes before the next tile's turn; as many SR frames are in memory. Between its
            turns each tile keeps the state of `network`, unless it decodes all `frames` in one turn.
        dtype: of the pixels that levels are rounded to if there are tiles: uint8 or uint16.
    Yields:
        Grey levels (3, 4h, 4w), float32; with tiles, pixels of `dtype`.
    Raises:
        ValueError: the network gave values that are not finite.
    """
    if not tile:
        yield from map(unit_to_levels, finite_frames(islice(network(lr, latent), frames)))
        return
    height, width = lr.shape[-2:]
    room = partial(torch.empty, dtype=dtype, device=lr.device)
    streams: dict[tuple[Span, Span], Iterator[Tensor]] = {}
    for first in range(0, frames, at_once):
        count = min(at_once, frames - first)
        canvas = [room(3, SCALE * height, SCALE * width) for _ in range(count)]
        for rows in spans(height, tile):
            y = slice(rows.outer_start, rows.outer_stop)
            band = room(count, 3, SCALE * (y.stop - y.start), SCALE * width)
            for columns in spans(width, tile):
                x = slice(columns.outer_start, columns.outer_stop)
                if first == 0:
                    own = None if latent is None else latent[..., _cells(y), _cells(x)]
                    streams[rows, columns] = finite_frames(islice(network(lr[..., y, x], own), frames))
                stream = streams.pop((rows, columns))
                for whole, piece in zip(band, stream):
                    join(whole, unit_to_levels(piece), columns, dim=-1)
                if first + count < frames:
                    streams[rows, columns] = stream
                else:
                    next(stream, None)  # ends it: on a GPU, values that are not finite raise now
            for whole, piece in zip(canvas, band):
                join(whole, piece, rows, dim=-2)
            del band, whole, piece
        while canvas:
            yield canvas.pop(0)  # no variable holds it


def join(whole: Tensor, piece: Tensor, span: Span, dim: int) -> None:
    """Blend a piece with its halo, levels or pixels, into a frame that holds all pieces before it along `dim`.

    Across the seam at its start the piece's weight rises from 0 to 1. At its end it continues as far as the next
    piece's weight will rise. Tiles are joined to bands and bands to the frame: blended in both directions at once, the
    weights of four tiles at a corner would have to add up.
    """
    start = max(span.start - BLEND, 0)
    stop = min(span.stop + BLEND, whole.shape[dim] // SCALE)
    length = SCALE * (stop - start)
    place = whole.narrow(dim, SCALE * start, length)
    piece = piece.narrow(dim, SCALE * (start - span.outer_start), length)
    if span.start:
        rise = 2 * BLEND * SCALE
        weight = (torch.arange(rise, device=whole.device) + 0.5) / rise
        old, new = (levels_of(x.narrow(dim, 0, rise)) for x in (place, piece))
        store(torch.lerp(old, new, weight if dim == -1 else weight[:, None]), place.narrow(dim, 0, rise))
        place, piece = (x.narrow(dim, rise, length - rise) for x in (place, piece))
    if piece.dtype == place.dtype:
        place.copy_(piece)
    else:
        store(levels_of(piece), place)


def encode(network: Callable[[Tensor], Tensor], hr: Tensor, tile: int) -> Tensor:
    """Encode one frame, whole or in tiles, (1, 3, 1, 4h, 4w) -> (1, C, 1, h/8, w/8); `tile` as for `decode`.

    The frame may be of any type that `network` takes: of a large one uint8 is a quarter of float32. Latent cells of
    tiles are cut, not blended: the average of two latents is not a latent.
    """
    if not tile:
        return network(hr)
    height, width = (n // SCALE for n in hr.shape[-2:])
    bands = []
    for rows in spans(height, tile):
        band = []
        for columns in spans(width, tile):
            y = slice(SCALE * rows.outer_start, SCALE * rows.outer_stop)
            x = slice(SCALE * columns.outer_start, SCALE * columns.outer_stop)
            latent = network(hr[..., y, x])
            y = slice((rows.start - rows.outer_start) // CELL, (rows.stop - rows.outer_start) // CELL)
            x = slice((columns.start - columns.outer_start) // CELL, (columns.stop - columns.outer_start) // CELL)
            band.append(latent[..., y, x])
        bands.append(torch.cat(band, dim=-1))
    return torch.cat(bands, dim=-2)


def finite_frames(frames: Iterator[Tensor]) -> Iterator[Tensor]:
    """Pass frames through and raise ValueError for values that are not finite.

    Reading an answer from a GPU waits for all of its work, so there all answers are read once, after the last frame.
    """
    sums: list[Tensor] = []

    def check(frame: Tensor) -> Tensor:
        sums.append(frame.sum(dtype=torch.float32))
        if frame.device.type == "cpu":
            _refuse_not_finite(sums)
        return frame

    yield from map(check, frames)  # a loop's variable would hold each frame for too long
    _refuse_not_finite(sums)


def _refuse_not_finite(sums: list[Tensor]) -> None:
    if sums and not torch.stack(sums).isfinite().all():
        raise ValueError("the network returned values that are not finite: broken weights, or use precision=float32")
    sums.clear()


def _cells(pixels: slice) -> slice:
    return slice(pixels.start // CELL, pixels.stop // CELL)
