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
        self.frames, self.window = frames, window
        self.shape = []  # windows down, edge, windows across, edge
        self.taken, self.answering = [], []  # by axis: grid places of all windows; where of those a grid place answers
        for length in (height, width):
            edge = min(window, length)
            count = -(-length // edge)
            count += shifted and count > 1
            starts = [round(i * (length - edge) / max(count - 1, 1)) for i in range(count)]
            owners = [min(range(count), key=lambda i: abs(2 * (p - starts[i]) - edge + 1)) for p in range(length)]
            taken = [start + i for start in starts for i in range(edge)]
            answering = [edge * i + p - starts[i] for p, i in enumerate(owners)]
            self.shape += [count, edge]
            self.taken.append(torch.tensor(taken, device=device))
            self.answering.append(torch.tensor(answering, device=device))

    def cut(self, x: Tensor) -> Tensor:
        """(B, F, H, W, C) -> (B*windows, tokens, C)."""
        batch, frames, _, _, channels = x.shape
        x = x.index_select(2, self.taken[0]).index_select(3, self.taken[1])
        x = x.view(batch, frames, *self.shape, channels).permute(0, 2, 4, 1, 3, 5, 6)
        return x.reshape(batch * self.shape[0] * self.shape[2], -1, channels)

    def join(self, x: Tensor, batch: int) -> Tensor:
        """The inverse of `cut`."""
        down, height, across, width = self.shape
        x = x.view(batch, down, across, self.frames, height, width, -1).permute(0, 3, 1, 4, 2, 5, 6)
        x = x.reshape(batch, self.frames, down * height, across * width, -1)
        return x.index_select(2, self.answering[0]).index_select(3, self.answering[1])
