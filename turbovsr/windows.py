"""Attention windows: cut a token grid into pieces that attend within themselves, and put it together again."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


class Windows:
    """Cut a token grid into windows over all frames, and put it together again.

    Args:
        window: edge of a window in tokens; None: one window over the whole grid.
        shifted: the windows are moved by half their edge, so that alternate blocks carry news across the borders.
        device: where the mask lies.
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
        self.frames, self.height, self.width = frames, height, width
        self.window = window
        self.mask = None  # (windows, 1, 1, tokens), False where there is no token
        if window is None:
            return
        self.lead = window // 2 if shifted else 0
        tail_y, tail_x = (-(self.lead + n) % window for n in (height, width))
        self.padding = (self.lead, tail_x, self.lead, tail_y)
        self.rows, self.columns = (self.lead + height + tail_y) // window, (self.lead + width + tail_x) // window
        if any(self.padding):
            valid = self.cut(torch.ones(1, frames, height, width, 1, device=device)).squeeze(-1) > 0
            self.mask = valid[:, None, None, :]

    def cut(self, x: Tensor) -> Tensor:
        """(B, F, H, W, C) -> (B*windows, tokens, C)."""
        if self.window is None:
            return x.flatten(1, 3)
        batch, frames, _, _, channels = x.shape
        x = F.pad(x, (0, 0, *self.padding))
        x = x.view(batch, frames, self.rows, self.window, self.columns, self.window, channels)
        return x.permute(0, 2, 4, 1, 3, 5, 6).reshape(batch * self.rows * self.columns, -1, channels)

    def join(self, x: Tensor, batch: int) -> Tensor:
        """The inverse of `cut`."""
        channels = x.shape[-1]
        if self.window is None:
            return x.view(batch, self.frames, self.height, self.width, channels)
        x = x.view(batch, self.rows, self.columns, self.frames, self.window, self.window, channels)
        x = x.permute(0, 3, 1, 4, 2, 5, 6).reshape(
            batch, self.frames, self.rows * self.window, self.columns * self.window, channels
        )
        return x[:, :, self.lead : self.lead + self.height, self.lead : self.lead + self.width]


class CoveringWindows:
    """Like `Windows`, without padding: windows are spread evenly, overlap, and none reaches beyond the grid.

    A token answers in the window whose middle is nearest; in the others it is only looked at. No mask is needed, so
    the fast attention kernels of a GPU apply. The windows of shifted and unshifted blocks meet at different places.
    """

    mask = None

    def __init__(
        self,
        frames: int,
        height: int,
        width: int,
        window: int,
        shifted: bool,
        device: torch.device | str | None = None,
    ):
        self.frames, self.height, self.width = frames, height, width
        taken, owners, inside = [], [], []  # by axis: places of each window; window that a place answers in, and where
        for length in (height, width):
            edge = min(window, length)
            count = -(-length // edge)
            count += shifted and count > 1
            starts = torch.tensor([round(i * (length - edge) / max(count - 1, 1)) for i in range(count)])
            places = torch.arange(length)
            taken.append(starts[:, None] + torch.arange(edge))
            owners.append((2 * (places - starts[:, None]) - edge + 1).abs().argmin(dim=0))
            inside.append(places - starts[owners[-1]])
        grid = torch.arange(frames * height * width).view(frames, height, width)
        grid = grid[:, taken[0][:, None, :, None], taken[1][:, None]]  # (F, windows down, across, rows, columns)
        place = torch.arange(grid.numel()).view(*grid.shape[1:3], frames, *grid.shape[3:])
        place = place[owners[0][:, None], owners[1], :, inside[0][:, None], inside[1]]  # (H, W, F)
        self.count = grid.shape[1] * grid.shape[2]
        self.taken, self.answering = grid.movedim(0, 2).flatten().to(device), place.movedim(2, 0).flatten().to(device)

    def cut(self, x: Tensor) -> Tensor:
        """(B, F, H, W, C) -> (B*windows, tokens, C)."""
        return take_rows(x.flatten(1, 3), self.taken).unflatten(1, (self.count, -1)).flatten(0, 1)

    def join(self, x: Tensor, batch: int) -> Tensor:
        """The inverse of `cut`."""
        x = take_rows(x.unflatten(0, (batch, -1)).flatten(1, 2), self.answering)
        return x.unflatten(1, (self.frames, self.height, self.width))


def take_rows(x: Tensor, rows: Tensor) -> Tensor:
    """(B, N, C), places (M,) -> (B, M, C). Rows of one matrix: the one gather that is fast on a GPU."""
    batch, count, channels = x.shape
    if batch > 1:
        rows = (torch.arange(batch, device=rows.device)[:, None] * count + rows).flatten()
    return x.reshape(-1, channels).index_select(0, rows).view(batch, -1, channels)
