"""The denoising transformer of the LTX-Video family, from `nano` to the LTX 2B shape.

As in LTX: RMS norms without affine parameters, RoPE on seconds and pixels, RMS-normalised queries and keys, gelu(tanh)
feed-forward, AdaLN-single (one shared projection plus a table in each block), a time for each token, and, where asked
for, cross-attention to a text embedding. With condition_channels=0, step_embedding=False and a text branch this is the
plain LTX network; `turbovsr.ltx.transformer_weights` maps its checkpoints. Ours: the LR condition is concatenated to
the noisy latent along channels; the step size of the shortcut model is embedded and added to the time; attention may be
confined to windows, so that cost grows linearly with the picture, and a network trained on small crops never gets
longer sequences than in training.
"""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from turbovsr.conditioning import coordinates
from turbovsr.layers import normal_parameter
from turbovsr.windows import Windows

EPS = 1e-6
SINUSOID = 256
POSITION_RANGE = (20.0, 2048.0, 2048.0)  # seconds, pixels, pixels that map to 1, as in LTX
ROPE_THETA = 1e4
TOKENS_AT_ONCE = 8192  # that a feed-forward network takes on a CPU
KEPT_GRIDS = 4  # token grids whose geometry is kept: a sampler comes back to the same two, first frame and clip
recomputed = partial(checkpoint, use_reentrant=False, preserve_rng_state=False)  # nothing in a block is random


def sinusoid(x: Tensor) -> Tensor:
    """Embed numbers by cosines and sines at exponentially spaced frequencies from 1 to 1e-4, (...) -> (..., 256)."""
    frequencies = torch.exp(-math.log(1e4) * torch.arange(SINUSOID // 2, device=x.device) / (SINUSOID // 2))
    angles = x.float().unsqueeze(-1) * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def rope(positions: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary embedding, (..., 3) positions -> two (..., width)."""
    fractions = positions / positions.new_tensor(POSITION_RANGE)
    per_axis = width // 6
    frequencies = ROPE_THETA ** torch.linspace(0, 1, per_axis, device=positions.device) * math.pi / 2
    angles = (frequencies.view(-1, 1) * (2 * fractions - 1).unsqueeze(-2)).flatten(-2)  # frequency-major
    angles = angles.repeat_interleave(2, dim=-1)
    angles = F.pad(angles, (width - angles.shape[-1], 0))  # channels left over after division by 6 are not rotated
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate pairs of neighbouring channels by the angles of `rope`."""
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return (x * cos).add_(torch.stack([-odd, even], dim=-1).flatten(-2) * sin)


class TokenGrid(NamedTuple):
    """Quantities that depend on the token grid alone."""

    rotation: tuple[Tensor, Tensor]  # cosines and sines, (F, H, W, width)
    windows: tuple[Windows, ...]  # of even and of odd blocks


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
        # one after the other: each source is dropped before the next copy
        q = self._split(windows.partition(rotate(self.norm_q(q), *rotation)))
        k = self._split(windows.partition(rotate(self.norm_k(k), *rotation)))
        v = self._split(windows.partition(v))
        x = F.scaled_dot_product_attention(q, k, v)
        return self.out(windows.merge(x.transpose(1, 2).flatten(2), batch))

    def _split(self, x: Tensor) -> Tensor:
        """(B, tokens, C) -> (B, heads, tokens, C/heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class TextAttention(nn.Module):
    """Multi-head attention of a token grid (B, F, H, W, C) to text tokens (B, L, C), not rotated, as in LTX."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(width, 2 * width)
        self.norm_q = nn.RMSNorm(width, eps=1e-5)
        self.norm_k = nn.RMSNorm(width, eps=1e-5)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        k, v = self.kv(text).chunk(2, dim=-1)
        q, k, v = (
            y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for y in (self.norm_q(self.q(x)).flatten(1, 3), self.norm_k(k), v)
        )
        attended = F.scaled_dot_product_attention(q, k, v)
        return self.out(attended.transpose(1, 2).flatten(2)).view(x.shape)


class Block(nn.Module):
    """Attention and feed-forward, each shifted, scaled and gated by the time embedding; text attention in between."""

    def __init__(self, width: int, heads: int, text: bool, gelu: str):
        super().__init__()
        self.attention = Attention(width, heads)
        self.text_attention = TextAttention(width, heads) if text else None
        self.feed_forward = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate=gelu), nn.Linear(4 * width, width)
        )
        self.table = normal_parameter(6, width, divisor=math.sqrt(width))

    def forward(
        self,
        x: Tensor,
        modulation: Tensor,
        rotation: tuple[Tensor, Tensor],
        windows: Windows,
        text: Tensor | None,
    ) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.table).unbind(-2)
        width = (x.shape[-1],)
        attended = self.attention(F.rms_norm(x, width, eps=EPS) * (1 + scale1) + shift1, rotation, windows)
        x = x + gate1 * attended
        if self.text_attention is not None:
            x = x + self.text_attention(x, text)  # neither normed nor gated, as in LTX
        return x + gate2 * self._fed_forward(F.rms_norm(x, width, eps=EPS) * (1 + scale2) + shift2)

    def _fed_forward(self, x: Tensor) -> Tensor:
        """The feed-forward network; on a CPU in parts, for its hidden layer has four times the channels."""
        count = -(-x.shape[:-1].numel() // TOKENS_AT_ONCE)
        if x.is_cuda or torch.is_grad_enabled() or count == 1:
            return self.feed_forward(x)
        return torch.cat(list(map(self.feed_forward, x.flatten(0, -2).tensor_split(count)))).view(x.shape)


class Transformer(nn.Module):
    """The network that predicts the velocity of a noisy latent.

    Args:
        latent_channels: channels of the latent, in and out.
        condition_channels: channels of the LR condition, 0 for none.
        width, depth, heads: of the blocks.
        window: edge of an attention window in tokens, None for attention over the whole clip.
        text_channels: channels of the text embedding (4096 in LTX), None for no text branch.
        step_embedding: whether the step size is an input; not in plain LTX.
        causal_positions: whether the time of latent frame j is that of its first frame (LTX 0.9.5 and later, nano) or
            8j frames.
        gelu: torch's name of the approximation; LTX has "tanh", "none" is six times as fast on a CPU in bfloat16.
    """

    def __init__(
        self,
        latent_channels: int,
        condition_channels: int,
        width: int,
        depth: int,
        heads: int,
        window: int | None,
        text_channels: int | None = None,
        step_embedding: bool = True,
        causal_positions: bool = True,
        gelu: str = "tanh",
    ):
        super().__init__()
        self.window = window
        self.width = width
        self.condition_channels = condition_channels
        self.causal_positions = causal_positions
        self.embed = nn.Linear(latent_channels + condition_channels, width)
        self.embed_time = nn.Sequential(nn.Linear(SINUSOID, width), nn.SiLU(), nn.Linear(width, width))
        self.embed_step = self.embed_text = None
        if step_embedding:
            self.embed_step = nn.Sequential(nn.Linear(SINUSOID, width), nn.SiLU(), nn.Linear(width, width))
        if text_channels is not None:
            self.embed_text = nn.Sequential(
                nn.Linear(text_channels, width), nn.GELU(approximate="tanh"), nn.Linear(width, width)
            )
        self.modulate = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(Block(width, heads, text_channels is not None, gelu) for _ in range(depth))
        self.table = normal_parameter(2, width, divisor=math.sqrt(width))
        self.head = nn.Linear(width, latent_channels)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.checkpointing = False  # in training: keep a block's input alone and compute the rest again going backward
        self._grids: dict[tuple, TokenGrid] = {}

    def forward(
        self,
        noisy: Tensor,
        condition: Tensor | None,
        times: Tensor,
        step_size: Tensor | None = None,
        text: Tensor | None = None,
    ) -> Tensor:
        """Predict the velocity noise - x0, averaged over the step.

        Args:
            noisy: (B, C, F, h, w), given frames clean.
            condition: (B, Cc, F, h, w), None where there are no condition channels.
            times: noise level of each token in 0..1, (B, F, h, w) or broadcastable to it; 0 for given tokens.
            step_size: (B,), share of the way from noise to data that the step goes, 1 for a one-step sampler; ignored
                without a step embedding.
            text: (B, L, text_channels), where there is a text branch; without padding tokens, since there is no mask.
        Returns:
            (B, C, F, h, w).
        """
        if not self.condition_channels:
            x = self.embed(noisy.permute(0, 2, 3, 4, 1))
        elif condition is None:
            raise ValueError("this transformer has condition channels: give it a condition")
        else:
            x = self.embed(torch.cat([noisy, condition], dim=1).permute(0, 2, 3, 4, 1))
        embedded = self.embed_time(sinusoid(1000 * times).to(x.dtype))  # (B, F, 1, 1, D) where tokens share a time
        if self.embed_step is not None:
            if step_size is None:
                raise ValueError("this transformer has a step embedding: give it a step size")
            step = self.embed_step(sinusoid(1000 * step_size).to(x.dtype))
            embedded = embedded + step.view(-1, 1, 1, 1, self.width)
        modulation = self.modulate(F.silu(embedded)).unflatten(-1, (6, -1))
        if self.embed_text is not None:
            if text is None:
                raise ValueError("this transformer has a text branch: give it a text embedding, or build it without")
            text = self.embed_text(text)
        rotation, windows = self.token_grid((x.shape[1], x.shape[2], x.shape[3]), x)
        for index, block in enumerate(self.blocks):
            arguments = (x, modulation, rotation, windows[index % 2], text)
            again = self.checkpointing and torch.is_grad_enabled()
            x = recomputed(block, *arguments) if again else block(*arguments)
        shift, scale = (embedded.unsqueeze(-2) + self.table).unbind(-2)
        x = F.layer_norm(x, (self.width,), eps=EPS) * (1 + scale) + shift
        return self.head(x).permute(0, 4, 1, 2, 3)

    def token_grid(self, shape: tuple[int, int, int], like: Tensor) -> TokenGrid:
        """Angles and windows of a grid of (frames, height, width) tokens, of the type and device of `like`; cached."""
        key = (shape, like.device, like.dtype)
        if key not in self._grids:
            with (
                torch.inference_mode(False),
                torch.no_grad(),
            ):  # a cached inference tensor could not be used in training
                cos, sin = rope(coordinates(*shape, causal=self.causal_positions, device=like.device), self.width)
                windows = tuple(Windows(*shape, self.window, odd, like.device) for odd in (False, True))
            while len(self._grids) >= KEPT_GRIDS:
                self._grids.pop(next(iter(self._grids)))
            self._grids[key] = TokenGrid((cos.to(like.dtype), sin.to(like.dtype)), windows)
        return self._grids[key]

    def compile_blocks(self) -> None:
        """Compile the blocks: they are alike, so torch compiles one for all, in a 28th of the time at the 2B shape."""
        for block in self.blocks:
            block.compile()
