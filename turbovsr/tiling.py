"""Decoding frames that are too large to hold at once, by overlapping tiles."""

from __future__ import annotations

from typing import Callable, Iterator

from torch import Tensor

from turbovsr.conditioning import CELL
from turbovsr.shuffle import SCALE

HALO = 4 * CELL  # LR pixels of context around a tile: about what the decoder sees


def decode_tiled(
    decode: Callable[[Tensor, Tensor | None], Iterator[Tensor]], lr: Tensor, latent: Tensor | None, tile: int
) -> Iterator[tuple[int, int, int, Tensor]]:
    """Decode a clip and hand out its pixels as they are finished.

    Each tile is decoded with a halo that is thrown away, so neighbours agree at the seam.

    Args:
        decode: LR clip and latent -> SR frames, as `Model.decode_frames`.
        lr: (1, 3, T, h, w) in [-1, 1], h and w multiples of 8.
        latent: (1, C, T', h/8, w/8) or None.
        tile: largest edge in LR pixels that is decoded at once, a multiple of 8.
    Yields:
        (frame index, top row, left column, pixels (3, <=4*tile, <=4*tile)): all frames of one tile, then the next tile.
    """
    height, width = lr.shape[-2:]
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            bottom, right = min(top + tile, height), min(left + tile, width)
            y0, x0 = max(top - HALO, 0), max(left - HALO, 0)
            y1, x1 = min(bottom + HALO, height), min(right + HALO, width)
            cells = None if latent is None else latent[..., y0 // CELL : y1 // CELL, x0 // CELL : x1 // CELL]
            rows = slice(SCALE * (top - y0), SCALE * (bottom - y0))
            columns = slice(SCALE * (left - x0), SCALE * (right - x0))
            for index, frame in enumerate(decode(lr[..., y0:y1, x0:x1], cells)):
                yield index, SCALE * top, SCALE * left, frame[:, rows, columns]
