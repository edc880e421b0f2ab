"""The denoising transformer, of the LTX-Video family at a small size.

As in LTX: RMS norms without affine parameters, RoPE on seconds and pixels, RMS-normalised queries and keys, gelu(tanh)
feed-forward, AdaLN-single (one shared projection plus a table in each block), a time for each token. Ours: no text
branch; the LR condition is concatenated to the noisy latent along channels; the step size of the shortcut model is
embedded and added to the time; attention may be confined to windows, so that cost grows linearly with the picture and a
network trained on small crops meets no longer sequences than it knows.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turbovsr.conditioning import coordinates

EPS = 1e-6
SINUSOID = 256
POSITION_RANGE = (20.0, 2048.0, 2048.0)  # seconds, pixels, pixels that map to 1, as in LTX
ROPE_THETA = 1e4


def sinusoid(x: Tensor) -> Tensor:
    """(...) -> (..., 256): cosines and sines of x at exponentially spaced frequencies from 1 down to 1e-4."""
    frequencies = torch.exp(-math.log(1e4) * torch.arange(SINUSOID // 2, device=x.device) / (SINUSOID // 2))
    angles = x.float().unsqueeze(-1) * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def rope(positions: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary embedding, (..., 3) positions -> two (..., width)."""
    fractions = positions / positions.new_tensor(POSITION_RANGE)
    per_axis = width // 6
    frequencies = ROPE_THETA ** torch.linspace(0, 1, per_axis) * math.pi / 2
    angles = (frequencies.view(-1, 1) * (2 * fractions - 1).unsqueeze(-2)).flatten(-2)  # frequency-major
    angles = angles.repeat_interleave(2, dim=-1)
    angles = F.pad(angles, (width - angles.shape[-1], 0))  # what does not divide by 6 is not rotated
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate pairs of neighbouring channels by the angles of `rope`."""
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return x * cos + torch.stack([-odd, even], dim=-1).flatten(-2) * sin


class Windows:
    """Cut a token grid into windows over all frames, and put it together again.

    Args:
        window: edge of a window in tokens; None: one window over the whole grid.
        shifted: the windows are moved by half their edge, so that alternate blocks carry news across the borders.
    """

    def __init__(self, frames: int, height: int, width: int, window: int | None, shifted: bool):
        self.frames, self.height, self.width = frames, height, width
        self.window = window
        if window is None:
            return
        self.lead = window // 2 if shifted else 0
        tail_y, tail_x = (-(self.lead + n) % window for n in (height, width))
        self.padding = (self.lead, tail_x, self.lead, tail_y)
        self.rows, self.columns = (self.lead + height + tail_y) // window, (self.lead + width + tail_x) // window
        self.mask = None
        if any(self.padding):
            valid = self.cut(torch.ones(1, frames, height, width, 1)).squeeze(-1) > 0
            self.mask = valid[:, None, None, :]  # (windows, 1, 1, tokens)

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


class Attention(nn.Module):
    """Multi-head self-attention with normalised, rotated queries and keys, over a token grid (B, F, H, W, C)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.norm_q = nn.RMSNorm(width, eps=1e-5)
        self.norm_k = nn.RMSNorm(width, eps=1e-5)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], windows: Windows) -> Tensor:
        batch = x.shape[0]
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k = rotate(self.norm_q(q), *rotation), rotate(self.norm_k(k), *rotation)
        q, k, v = (windows.cut(y).unflatten(-1, (self.heads, -1)).transpose(1, 2) for y in (q, k, v))
        mask = None if windows.window is None or windows.mask is None else windows.mask.repeat(batch, 1, 1, 1)
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(windows.join(x.transpose(1, 2).flatten(2), batch))


class Block(nn.Module):
    """Attention and feed-forward, each shifted, scaled and gated by the time embedding."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.attention = Attention(width, heads)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )
        self.table = nn.Parameter(torch.randn(6, width) / math.sqrt(width))

    def forward(self, x: Tensor, modulation: Tensor, rotation: tuple[Tensor, Tensor], windows: Windows) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.table).unbind(-2)
        width = (x.shape[-1],)
        attended = self.attention(F.rms_norm(x, width, eps=EPS) * (1 + scale1) + shift1, rotation, windows)
        x = x + gate1 * attended
        return x + gate2 * self.feed_forward(F.rms_norm(x, width, eps=EPS) * (1 + scale2) + shift2)


class Transformer(nn.Module):
    """Velocity of the noisy latent.

    Args:
        latent_channels: channels of the latent, in and out.
        condition_channels: channels of the LR condition.
        width, depth, heads: of the blocks.
        window: edge of an attention window in tokens, None for attention over the whole clip.
    """

    def __init__(
        self, latent_channels: int, condition_channels: int, width: int, depth: int, heads: int, window: int | None
    ):
        super().__init__()
        self.window = window
        self.width = width
        self.embed = nn.Linear(latent_channels + condition_channels, width)
        self.embed_time = nn.Sequential(nn.Linear(SINUSOID, width), nn.SiLU(), nn.Linear(width, width))
        self.embed_step = nn.Sequential(nn.Linear(SINUSOID, width), nn.SiLU(), nn.Linear(width, width))
        self.modulate = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.table = nn.Parameter(torch.randn(2, width) / math.sqrt(width))
        self.head = nn.Linear(width, latent_channels)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, noisy: Tensor, condition: Tensor, times: Tensor, step_size: Tensor) -> Tensor:
        """Predict the velocity noise - x0, averaged over the step.

        Args:
            noisy: (B, C, F, h, w), given frames clean.
            condition: (B, Cc, F, h, w).
            times: noise level of each token in 0..1, (B, F, h, w) or broadcastable to it; 0 for given tokens.
            step_size: (B,), share of the way from noise to data that the step is to go, 1 for a one-step sampler.
        Returns:
            (B, C, F, h, w).
        """
        _, _, frames, height, width = noisy.shape
        x = self.embed(torch.cat([noisy, condition], dim=1).permute(0, 2, 3, 4, 1))
        embedded = self.embed_time(sinusoid(1000 * times))  # (B, F, 1, 1, D): computed once where tokens share a time
        embedded = embedded + self.embed_step(sinusoid(1000 * step_size)).view(-1, 1, 1, 1, self.width)
        modulation = self.modulate(F.silu(embedded)).unflatten(-1, (6, -1))
        rotation = tuple(r.to(x) for r in rope(coordinates(frames, height, width), self.width))
        windows = [Windows(frames, height, width, self.window, shifted) for shifted in (False, True)]
        for index, block in enumerate(self.blocks):
            x = block(x, modulation, rotation, windows[index % 2])
        shift, scale = (embedded.unsqueeze(-2) + self.table).unbind(-2)
        x = F.layer_norm(x, (self.width,), eps=EPS) * (1 + scale) + shift
        return self.head(x).permute(0, 4, 1, 2, 3)
