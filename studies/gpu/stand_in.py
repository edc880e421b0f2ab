"""A stand-in for per-frame diffusion upscalers with their usual 50 steps, with which TurboVSR is compared.

It has the shape of the Stable Diffusion 2.1 U-Net, on which StableSR, SeeSR, Upscale-A-Video and MGLD-VSR build: 866
million parameters, latents of 1/8 of the frame, cross-attention to 77 text tokens. Random weights. Only the U-Net runs:
no autoencoder, no ControlNet, no guidance, no temporal layers, so its time is a lower bound for them.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

COMPRESSION = 8  # HR pixels along the edge of a latent pixel
LATENT = 4
TEXT_TOKENS, TEXT_CHANNELS = 77, 1024
WIDTHS = (320, 640, 1280, 1280)
TINY_WIDTHS = (32, 32, 64, 64)
GROUPS = 32
HEAD = 64  # channels of an attention head
ATTENDING = 3  # the first three levels have transformer blocks, the coarsest has none


def attend(q: Tensor, k: Tensor, v: Tensor, head: int) -> Tensor:
    """Multi-head attention, (B, N, C), (B, M, C), (B, M, C) -> (B, N, C)."""
    q, k, v = (x.unflatten(-1, (-1, head)).transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class Attention(nn.Module):
    def __init__(self, width: int, context: int):
        super().__init__()
        self.q = nn.Linear(width, width, bias=False)
        self.k = nn.Linear(context, width, bias=False)
        self.v = nn.Linear(context, width, bias=False)
        self.out = nn.Linear(width, width)
        self.head = min(HEAD, width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return self.out(attend(self.q(x), self.k(context), self.v(context), self.head))


class TransformerBlock(nn.Module):
    """Self-attention, text attention and a gated feed-forward over the pixels of a latent frame."""

    def __init__(self, width: int):
        super().__init__()
        self.norm_in = nn.GroupNorm(GROUPS, width, eps=1e-6)
        self.conv_in, self.conv_out = nn.Linear(width, width), nn.Linear(width, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.attention, self.text = Attention(width, width), Attention(width, TEXT_CHANNELS)
        self.widen, self.narrow = nn.Linear(width, 8 * width), nn.Linear(4 * width, width)

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        x = self.conv_in(self.norm_in(image).flatten(2).transpose(1, 2))
        normed = self.norms[0](x)
        x = x + self.attention(normed, normed)
        x = x + self.text(self.norms[1](x), text)
        value, gate = self.widen(self.norms[2](x)).chunk(2, dim=-1)
        x = x + self.narrow(value * F.gelu(gate))
        return image + self.conv_out(x).transpose(1, 2).unflatten(2, image.shape[-2:])


class ResidualBlock(nn.Module):
    def __init__(self, in_width: int, width: int, time_width: int):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(GROUPS, in_width), nn.Conv2d(in_width, width, 3, padding=1)
        self.time = nn.Linear(time_width, width)
        self.norm2, self.conv2 = nn.GroupNorm(GROUPS, width), nn.Conv2d(width, width, 3, padding=1)
        self.skip = nn.Identity() if in_width == width else nn.Conv2d(in_width, width, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(time))[:, :, None, None]
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


class UNet(nn.Module):
    """Predict the noise in a noisy latent, concatenated with the LR latent: (B, 8, h, w) -> (B, 4, h, w)."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        self.base, time_width = widths[0], 4 * widths[0]
        self.embed_time = nn.Sequential(nn.Linear(widths[0], time_width), nn.SiLU(), nn.Linear(time_width, time_width))
        self.conv_in = nn.Conv2d(2 * LATENT, widths[0], 3, padding=1)
        self.down, self.downsamplers = nn.ModuleList(), nn.ModuleList()
        self.up, self.upsamplers = nn.ModuleList(), nn.ModuleList()
        width, skips = widths[0], [widths[0]]
        for level, target in enumerate(widths):
            for _ in range(2):
                self.down.append(self._pair(width, target, time_width, level))
                width = target
                skips.append(width)
            if level < len(widths) - 1:
                self.downsamplers.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
                skips.append(width)
        self.mid = nn.ModuleList(
            [
                ResidualBlock(width, width, time_width),
                TransformerBlock(width),
                ResidualBlock(width, width, time_width),
            ]
        )
        for level, target in reversed(list(enumerate(widths))):
            for _ in range(3):
                self.up.append(self._pair(width + skips.pop(), target, time_width, level))
                width = target
            if level:
                self.upsamplers.append(nn.Conv2d(width, width, 3, padding=1))
        self.norm_out, self.conv_out = nn.GroupNorm(GROUPS, width), nn.Conv2d(width, LATENT, 3, padding=1)

    @staticmethod
    def _pair(in_width: int, width: int, time_width: int, level: int) -> nn.ModuleList:
        blocks = [ResidualBlock(in_width, width, time_width)]
        return nn.ModuleList(blocks + [TransformerBlock(width)] if level < ATTENDING else blocks)

    def forward(self, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
        half = self.base // 2
        angles = time[:, None] * torch.exp(-math.log(1e4) * torch.arange(half, device=x.device) / half)
        time = self.embed_time(torch.cat([angles.cos(), angles.sin()], dim=1).to(x.dtype))
        x = self.conv_in(x)
        skips = [x]
        for index, pair in enumerate(self.down):
            x = self._run(pair, x, time, text)
            skips.append(x)
            if index % 2 and index // 2 < len(self.downsamplers):
                x = self.downsamplers[index // 2](x)
                skips.append(x)
        for part in self.mid:
            x = part(x, text) if isinstance(part, TransformerBlock) else part(x, time)
        for index, pair in enumerate(self.up):
            x = self._run(pair, torch.cat([x, skips.pop()], dim=1), time, text)
            if index % 3 == 2 and index // 3 < len(self.upsamplers):
                size = skips[-1].shape[-2:]
                x = self.upsamplers[index // 3](F.interpolate(x, size=size, mode="nearest"))
        return self.conv_out(F.silu(self.norm_out(x)))

    @staticmethod
    def _run(pair: Any, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
        x = pair[0](x, time)
        return pair[1](x, text) if len(pair) > 1 else x


class PerFrameDiffusion:
    """Run the U-Net `steps` times on each LR frame; the weights are random, so only the time counts."""

    def __init__(self, device: str, dtype: torch.dtype, steps: int = 50, tiny: bool = False):
        with torch.random.fork_rng(), torch.device(device):
            torch.manual_seed(0)
            self.network = UNet(TINY_WIDTHS if tiny else WIDTHS).to(dtype).eval()
            self.network.to(memory_format=torch.channels_last)
            self.text = torch.randn(1, TEXT_TOKENS, TEXT_CHANNELS, dtype=dtype)
        self.steps, self.device, self.dtype = steps, device, dtype

    @torch.inference_mode()
    def upscale(self, lr: Tensor, stages) -> Tensor:
        """Upscale one clip, uint8 (T, 3, h, w) -> uint8 (T, 3, 4h, 4w)."""
        frames, _, height, width = lr.shape
        sr = torch.empty(frames, 3, 4 * height, 4 * width, dtype=torch.uint8, device=lr.device)
        size = (-(-4 * height // COMPRESSION), -(-4 * width // COMPRESSION))
        for number, frame in enumerate(lr.to(self.dtype).div(127.5).sub(1)):
            given = F.interpolate(frame.unsqueeze(0), size=size)[:, [0, 1, 2, 0]]
            x = torch.randn_like(given)
            with stages("denoise"):
                for step in range(self.steps):
                    time = torch.full((1,), 999.0 * (1 - step / self.steps), device=lr.device)
                    x = x - self.network(torch.cat([x, given], dim=1), time, self.text) / self.steps
            picture = F.interpolate(x[:, :3], size=(4 * height, 4 * width)).float()
            sr[number] = picture.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)[0]
        return sr
