"""The encoder of the 32x32x8 autoencoder: HR frames to latent.

From the paper (arXiv 2506.23618): 32x spatial and 8x temporal compression, one autoencoder for images and videos. As in
LTX-Video, every temporal operation is causal, so the latent of an image equals the latent of the first frame of any
clip that begins with it. `turbovsr.decoder`, the other half, sees the LR frames too: the latent only holds what the LR
frames lack. Most of its channels are learned, the last 24 are `turbovsr.textures`. Widths and layers are not specified
in the paper; our choice.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from frames.bicubic import bicubic
from turbovsr.geometry import SCALE, SPATIAL_COMPRESSION, latent_frames
from turbovsr.layers import SpatialBlock, zero_conv
from turbovsr.rearrange import batch_to_frames, frames_to_batch, pixel_unshuffle, space_to_depth
from turbovsr.textures import CHANNELS as TEXTURES
from turbovsr.textures import textures
from turbovsr.transforms import AnalysisTransform
from turbovsr.upsampling import bicubic_upsample

DETAIL_GAIN = 5.0
LATENT_LIMIT = 5.0  # of the latent before normalisation, whose deviation is about 1


class CausalTimeDown(nn.Module):
    """Halve time: (B, C, 1+2n, H, W) -> (B, C, 1+n, H, W), output j sees no frame after 2j.

    The first frame is repeated in front, so output 0 depends on frame 0 alone. A 3x1x1 convolution in time, computed as
    a 1x1 convolution over three stacked frames, for which there are fast kernels.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv3d(channels, channels, (3, 1, 1), stride=(2, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        batch, first = len(x), x[:, :, :1]
        padded = torch.cat([first, first, x], dim=2)
        seen = torch.cat([padded[:, :, :-2:2], padded[:, :, 1:-1:2], padded[:, :, 2::2]], dim=1)
        weight = self.conv.weight.flatten(3).squeeze(-1).transpose(1, 2).flatten(1)[..., None, None]  # (C, 3C, 1, 1)
        return x[:, :, ::2] + batch_to_frames(F.conv2d(frames_to_batch(seen), weight, self.conv.bias), batch)


class Encoder(nn.Module):
    """HR clip to latent.

    Args:
        latent_channels: channels of the latent, 128 in LTX-Video, textures included.
        widths: channels at 1/4, 1/8, 1/16 and 1/32 of the HR size.
    """

    mean: Tensor  # (latent_channels,), of the latent over the training set
    std: Tensor

    def __init__(self, latent_channels: int, widths: tuple[int, int, int, int]):
        super().__init__()
        if min(widths) < 1:
            raise ValueError(f"encoder_widths={list(widths)}: each must be at least 1")
        self.stem = nn.Conv2d(2 * 3 * SCALE**2, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(SpatialBlock(width) for width in widths)
        self.down = nn.ModuleList(nn.Conv2d(4 * a, b, 1) for a, b in zip(widths, widths[1:]))
        self.time_down = nn.ModuleList(CausalTimeDown(width) for width in widths[1:])
        learned = latent_channels - TEXTURES
        if learned < 1:
            raise ValueError(f"a latent needs more than the {TEXTURES} channels of its textures, got {latent_channels}")
        self.head = zero_conv(widths[-1], learned, 1)  # the layers above only correct the linear analysis
        self.analysis = AnalysisTransform(learned)
        self.register_buffer("mean", torch.zeros(latent_channels))
        self.register_buffer("std", torch.ones(latent_channels))

    def raw(self, hr: Tensor) -> Tensor:
        """The latent before normalisation, from which training measures the channel statistics."""
        if hr.ndim != 5 or hr.shape[1] != 3 or hr.shape[-2] % SPATIAL_COMPRESSION or hr.shape[-1] % SPATIAL_COMPRESSION:
            raise ValueError(f"the encoder takes (B, 3, T, 32m, 32n), got {tuple(hr.shape)}: pad the frames first")
        latent_frames(hr.shape[2])
        batch = hr.shape[0]
        # Pixel unshuffle first: no convolution runs at the full resolution. The detail that bicubic LR frames lose is a
        # separate, amplified input: it is all that the decoder needs, and a hundredth of the power of the whole.
        frames = frames_to_batch(hr)
        unshuffled = pixel_unshuffle(frames)
        detail = unshuffled - bicubic_upsample(
            bicubic(frames.float(), (frames.shape[-2] // SCALE, frames.shape[-1] // SCALE))
        )
        detail = detail.to(self.stem.weight.dtype)
        x = torch.cat([unshuffled.to(detail), DETAIL_GAIN * detail], dim=1)
        x = self.blocks[0](self.stem(x))
        for down, time_down, block in zip(self.down, self.time_down, self.blocks[1:]):
            x = down(space_to_depth(x, 2))
            x = block(frames_to_batch(time_down(batch_to_frames(x, batch))))
        # The head gets features of unit power, so that no training step moves it far from the linear analysis.
        x = self.head(x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-6))
        latent = self.analysis(detail, batch) + batch_to_frames(x, batch)
        # Bounded: without it the encoder would outgrow the noise added in training.
        latent = LATENT_LIMIT * torch.tanh(latent / LATENT_LIMIT)
        return torch.cat([latent, textures(detail, batch).to(latent)], dim=1)

    def forward(self, hr: Tensor) -> Tensor:
        """(B, 3, 1+8k, H, W) in [-1, 1] -> (B, C, 1+k, H/32, W/32), each channel near zero mean and unit variance."""
        shape = (1, -1, 1, 1, 1)
        return (self.raw(hr) - self.mean.view(shape)) / self.std.view(shape)
