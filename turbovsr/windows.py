"""Attention windows: partition a token grid into groups with attention inside each, and join it again."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Windows:
    """Overlapping windows over all frames that cover the token grid without padding.

    Windows are spread evenly and none extends beyond the grid, so attention needs no mask and the fast kernels of a GPU
    apply. Every token of a window is a key and a value; a token's output is that of the window whose centre is nearest.
    The windows of shifted and unshifted blocks meet at different places, so information crosses every border.

    Args:
        frames, height, width: size of the grid, in tokens.
        window: edge of a window in tokens; shorter sides are one window. None: one window over the whole grid.
        shifted: add one window along each side that has more than one, which moves all borders.
        device: of the indices.
    """

    def __init__(
        self,
        frames: int,
        height: int,
        width: int,
        window: int | None,
        shifted: bool,
        device: torch.device | str | None = None,
    ):
        self.shape = (frames, height, width)
        self.count = 1
        self.tokens: Tensor | None = None  # (windows * tokens,): the token at each place of each window
        self.places: Tensor | None = None  # (F * H * W,): the place whose output each token takes
        if window is None:
            return
        rows, columns = (_spread(length, window, shifted) for length in (height, width))
        grid = torch.arange(frames * height * width).view(frames, height, width)
        grid = grid[:, rows.tokens[:, None, :, None], columns.tokens[:, None]]  # (F, windows down, across, rows, cols)
        self.count = grid.shape[1] * grid.shape[2]
        place = torch.arange(grid.numel()).view(*grid.shape[1:3], frames, *grid.shape[3:])
        place = place[rows.window[:, None], columns.window, :, rows.offset[:, None], columns.offset]  # (H, W, F)
        self.tokens = grid.movedim(0, 2).flatten().to(device)
        self.places = place.movedim(2, 0).flatten().to(device)

    def partition(self, x: Tensor) -> Tensor:
        """(B, F, H, W, C) -> (B*windows, tokens, C)."""
        x = x.flatten(1, 3)
        return x if self.tokens is None else take_rows(x, self.tokens).unflatten(1, (self.count, -1)).flatten(0, 1)

    def merge(self, x: Tensor, batch: int) -> Tensor:
        """(B*windows, tokens, C) -> (B, F, H, W, C), the inverse of `partition`."""
        if self.places is not None:
            x = take_rows(x.unflatten(0, (batch, -1)).flatten(1, 2), self.places)
        return x.unflatten(1, self.shape)


class _Spread(NamedTuple):
    """Windows along one side of the grid."""

    tokens: Tensor  # (windows, edge): the token at each place of each window
    window: Tensor  # (length,): the window that a token's output comes from
    offset: Tensor  # (length,): the token's place in it


def _spread(length: int, window: int, shifted: bool) -> _Spread:
    edge = min(window, length)
    count = -(-length // edge)
    count += shifted and count > 1
    starts = torch.tensor([round(i * (length - edge) / max(count - 1, 1)) for i in range(count)])
    tokens = torch.arange(length)
    nearest = (2 * (tokens - starts[:, None]) - edge + 1).abs().argmin(dim=0)
    return _Spread(starts[:, None] + torch.arange(edge), nearest, tokens - starts[nearest])


def take_rows(x: Tensor, rows: Tensor) -> Tensor:
    """Gather rows, (B, N, C) and indices (M,) -> (B, M, C), from one matrix: the one gather that is fast on a GPU."""
    batch, count, channels = x.shape
    if batch > 1:
        rows = (torch.arange(batch, device=rows.device)[:, None] * count + rows).flatten()
    return x.reshape(-1, channels).index_select(0, rows).view(batch, -1, channels)
