"""The autoencoder of LTX-Video: clips to latents of 128 channels, 32x32 times smaller and 8 times shorter, and back.

The encoder is causal, so the latent of an image is that of the first frame of any clip that begins with it. The decoder
is not. Decoders since 0.9.1 are conditioned on a noise level and add noise: it is drawn on the CPU in a fixed order, so
that the same seed gives the same frames on every device, decoded at once or streamed.

Latents are normalised, each channel by its mean and deviation over LTX's training set.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from turbovsr.geometry import SPATIAL_COMPRESSION, latent_frames
from turbovsr.layers import normal_parameter
from turbovsr.ltx.autoencoder_layouts import PATCH, Layout, Stage, find
from turbovsr.ltx.layers import (
    Blocks,
    DepthToSpace,
    ResidualBlock,
    SpaceToDepth,
    StridedConv,
    TimeConv3d,
    TimeEmbedding,
    activate,
    compiled_activate,
    from_patches,
    to_patches,
    to_shift_scale,
)
from turbovsr.ltx.streaming import stream_block, stream_conv, stream_depth_to_space

PIXELS = 3 * PATCH * PATCH  # channels of a patch
TIME_SCALE = 1000.0
STREAMED_FRAMES = 8  # frames that the last stage of a streaming decoder works on at once


def _stage(stage: Stage, in_channels: int, causal: bool, timed: bool) -> nn.Module:
    if stage.kind == "res_x":
        return Blocks(stage, causal, timed)
    if stage.kind == "res_x_y":
        return ResidualBlock(in_channels, stage.channels, causal)
    if stage.kind == "strided":
        return StridedConv(in_channels)
    return (SpaceToDepth if stage.kind == "space_to_depth" else DepthToSpace)(in_channels, stage)


def _stages(stages: tuple[Stage, ...], causal: bool, timed: bool) -> nn.ModuleList:
    widths = [stages[0].channels, *(stage.channels for stage in stages)]
    return nn.ModuleList(_stage(stage, width, causal, timed) for stage, width in zip(stages, widths))


class Encoder(nn.Module):
    """Clip (B, 3, 1+8k, 32m, 32n) -> mean of the latent before normalisation, (B, C, 1+k, m, n)."""

    def __init__(self, layout: Layout):
        super().__init__()
        self.conv_in = TimeConv3d(PIXELS, layout.encoder[0].channels, causal=True)
        self.stages = _stages(layout.encoder, causal=True, timed=False)
        # The last channel is the latent's uncertainty, which only training needs.
        self.conv_out = TimeConv3d(layout.encoder[-1].channels, layout.latent_channels + 1, causal=True)

    def forward(self, clip: Tensor) -> Tensor:
        x = self.conv_in(to_patches(clip, PATCH))
        for stage in self.stages:
            for part in stage.blocks if isinstance(stage, Blocks) else [stage]:
                x = part(x)
        return self.conv_out(activate(x))[:, :-1]


class Decoder(nn.Module):
    """Latent, no longer normalised, (B, C, 1+k, m, n) -> clip (B, 3, 1+8k, 32m, 32n)."""

    def __init__(self, layout: Layout):
        super().__init__()
        timed = layout.decode_time is not None
        width = layout.decoder[-1].channels
        self.conv_in = TimeConv3d(layout.latent_channels, layout.decoder[0].channels, causal=False)
        self.stages = _stages(layout.decoder, causal=False, timed=timed)
        self.conv_out = TimeConv3d(width, PIXELS, causal=False)
        self.time: TimeEmbedding | None = None
        self.table: nn.Parameter | None = None
        self.time_scale: nn.Parameter | None = None
        if timed:
            self.time = TimeEmbedding(width, 2)
            self.table = normal_parameter(2, width, divisor=width**0.5)
            self.time_scale = nn.Parameter(torch.tensor(TIME_SCALE))

    def forward(self, latent: Tensor, time: Tensor | None, noise: dict[int, list[Tensor]]) -> Tensor:
        """Decode all frames at once; `time` (B,) is the noise level, `noise` as drawn by `draw_noise`."""
        time = self._scaled(time)
        x = self._run(self.conv_in(latent), 0, len(self.stages), time, noise)
        return from_patches(self.conv_out(self._pre_conv_out(x, time)), PATCH)

    def stream(
        self, latent: Tensor, time: Tensor | None, noise: dict[int, list[Tensor]], frames: int
    ) -> Iterator[Tensor]:
        """The clip of `forward` in pieces of about `frames` frames, (B, 3, t, 32m, 32n).

        The layers before the last depth-to-space stage run on the whole clip, which has an eighth of the pixels there.
        From that stage on, where nearly all memory goes, they run on a few frames at a time (`turbovsr.ltx.streaming`).
        """
        time = self._scaled(time)
        last, stage = [(n, stage) for n, stage in enumerate(self.stages) if isinstance(stage, DepthToSpace)][-1]
        x = self._run(self.conv_in(latent), 0, last, time, noise)
        pieces = stream_depth_to_space(stage, x.split(max(1, frames // 2), dim=2))
        for number in range(last + 1, len(self.stages)):
            for block, embedded, drawn in self._parts(number, time, noise):
                pieces = stream_block(block, pieces, embedded, drawn)
        for piece in stream_conv(self.conv_out, (self._pre_conv_out(piece, time) for piece in pieces)):
            yield from_patches(piece, PATCH)

    def draw_noise(self, latent: Tensor, generator: torch.Generator) -> dict[int, list[Tensor]]:
        """The noise that the blocks add to their features: by stage, two (1, 1, H, W) a block, equal for all frames."""
        drawn = {}
        height, width = latent.shape[-2:]
        for number, stage in enumerate(self.stages):
            if isinstance(stage, DepthToSpace):
                height, width = height * stage.stride[1], width * stage.stride[2]
            elif isinstance(stage, Blocks) and next(iter(stage)).gain1 is not None:
                maps = [torch.randn(height, width, generator=generator) for _ in range(2 * len(stage.blocks))]
                drawn[number] = [each.to(latent).view(1, 1, height, width) for each in maps]
        return drawn

    def _run(self, x: Tensor, start: int, stop: int, time: Tensor | None, noise: dict[int, list[Tensor]]) -> Tensor:
        for number in range(start, stop):
            if isinstance(self.stages[number], DepthToSpace):
                x = self.stages[number](x)
                continue
            for block, embedded, drawn in self._parts(number, time, noise):
                x = block(x, embedded, drawn)
        return x

    def _parts(
        self, number: int, time: Tensor | None, noise: dict[int, list[Tensor]]
    ) -> Iterator[tuple[ResidualBlock, Tensor | None, list[Tensor] | None]]:
        """The residual blocks of a stage, each with the embedded noise level and its noise."""
        stage = self.stages[number]
        if isinstance(stage, ResidualBlock):
            yield stage, None, None
            return
        assert isinstance(stage, Blocks), "decoders have no other stages than residual blocks and depth-to-space"
        embedded = stage.embed(time)
        for index, block in enumerate(stage):
            yield block, embedded, noise[number][2 * index : 2 * index + 2] if number in noise else None

    def _pre_conv_out(self, x: Tensor, time: Tensor | None) -> Tensor:
        if self.time is None or time is None:
            return activate(x)
        shift, scale = to_shift_scale(self.time(time) + self.table)
        return activate(x, None, shift, scale)

    def _scaled(self, time: Tensor | None) -> Tensor | None:
        return None if time is None or self.time_scale is None else time * self.time_scale


class LTXAutoencoder(nn.Module):
    """Encoder, decoder and the channel statistics of the latent.

    Args:
        layout: that of a release by name, or a `Layout`; see `turbovsr.ltx.autoencoder_layouts`.
    """

    mean: Tensor  # (latent_channels,), over LTX's training set
    std: Tensor

    def __init__(self, layout: Layout | str):
        super().__init__()
        self.layout = find(layout) if isinstance(layout, str) else layout
        self.encoder = Encoder(self.layout)
        self.decoder = Decoder(self.layout)
        self.register_buffer("mean", torch.zeros(self.layout.latent_channels))
        self.register_buffer("std", torch.ones(self.layout.latent_channels))

    def encode(self, clip: Tensor) -> Tensor:
        """Clip to normalised latent: the mean of the posterior, so the same clip gives the same latent.

        Args:
            clip: (B, 3, 1+8k, 32m, 32n) in [-1, 1].
        Returns:
            (B, C, 1+k, m, n).
        Raises:
            ValueError: the clip has another shape.
        """
        if clip.ndim != 5 or clip.shape[1] != 3:
            raise ValueError(f"a clip to encode is (B, 3, T, H, W), got {tuple(clip.shape)}")
        if 0 in clip.shape or clip.shape[-2] % SPATIAL_COMPRESSION or clip.shape[-1] % SPATIAL_COMPRESSION:
            size = "x".join(map(str, clip.shape[-2:]))
            raise ValueError(f"the encoder takes frames in multiples of {SPATIAL_COMPRESSION}, got {size}: pad them")
        latent_frames(clip.shape[2])
        return (self.encoder(clip) - self._wide(self.mean)) / self._wide(self.std)

    def decode(self, latent: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Normalised latent to clip, all frames at once.

        Args:
            latent: (B, C, 1+k, m, n).
            generator: on the CPU, for the noise of a time-conditioned layout; None for one with seed 0.
        Returns:
            (B, 3, 1+8k, 32m, 32n), about [-1, 1], not clamped.
        Raises:
            ValueError: the latent has another shape.
        """
        return self.decoder(*self._prepare(latent, generator))

    def decode_frames(
        self, latent: Tensor, generator: torch.Generator | None = None, frames: int = STREAMED_FRAMES
    ) -> Iterator[Tensor]:
        """The frames of `decode` for a batch of one, (3, 32m, 32n) each, in memory that hardly grows with the clip.

        Args:
            latent, generator: as for `decode`.
            frames: number that the last stage computes at once: fewer need less memory, more keep a GPU busier.
        Raises:
            ValueError: as `decode`; a batch of several clips; `frames` below 1.
        """
        if len(latent) != 1:
            raise ValueError(f"frames are decoded one clip at a time, got a batch of {len(latent)}")
        if frames < 1:
            raise ValueError(f"the decoder computes at least 1 frame at a time, got {frames}")
        return self._frames(self._prepare(latent, generator), frames)

    def _frames(self, prepared: tuple[Tensor, Tensor | None, dict[int, list[Tensor]]], frames: int) -> Iterator[Tensor]:
        for piece in self.decoder.stream(*prepared, frames):
            yield from piece[0].unbind(1)

    def compile_blocks(self) -> None:
        """Compile what lies between the convolutions of the residual blocks, where eager code moves most memory."""
        for block in self.modules():
            if isinstance(block, ResidualBlock):
                block.activate = compiled_activate()

    def _prepare(
        self, latent: Tensor, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor | None, dict[int, list[Tensor]]]:
        """Check and denormalise a latent, choose the noise level and draw the noise."""
        layout = self.layout
        if latent.ndim != 5 or latent.shape[1] != layout.latent_channels or 0 in latent.shape:
            rule = f"(B, {layout.latent_channels}, T, H, W), nothing empty"
            raise ValueError(f"a latent to decode is {rule}, got {tuple(latent.shape)}")
        latent = latent * self._wide(self.std) + self._wide(self.mean)
        if layout.decode_time is None:
            return latent, None, {}
        generator = torch.Generator().manual_seed(0) if generator is None else generator
        share = layout.decode_noise
        latent = (1 - share) * latent + share * torch.randn(latent.shape, generator=generator).to(latent)
        return latent, latent.new_full((len(latent),), layout.decode_time), self.decoder.draw_noise(latent, generator)

    @staticmethod
    def _wide(statistic: Tensor) -> Tensor:
        return statistic.view(1, -1, 1, 1, 1)
