"""Layouts of the autoencoders of the LTX-Video releases: a list of stages each for encoder and decoder.

The stages stand in the order and number of Lightricks' own checkpoints, so that stage N of the encoder there is
down_blocks.N and of the decoder up_blocks.N. All layouts have 128 latent channels, patches of 4x4 pixels, and compress
by 32x32 pixels and 8 frames. Read from the public configurations of Lightricks/LTX-Video and of diffusers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

PATCH = 4  # pixels along the edge of a patch, which becomes channels before the first convolution
TINY = 16  # divisor of the widths in a tiny layout


@dataclass(frozen=True)
class Stage:
    """One stage of an encoder or a decoder.

    kind: "res_x", residual blocks, or "res_x_y", one residual block to another width (Lightricks' names); "strided", a
        convolution of stride 2x2x2; "space_to_depth"; "depth_to_space".
    channels: after the stage.
    count: residual blocks of "res_x".
    stride: factors in time, height and width of "space_to_depth" and "depth_to_space".
    skip: whether "depth_to_space" adds its rearranged input ("space_to_depth" always does).
    noise: whether the blocks add noise to their features.
    """

    kind: str
    channels: int
    count: int = 0
    stride: tuple[int, int, int] = (2, 2, 2)
    skip: bool = False
    noise: bool = False


@dataclass(frozen=True)
class Layout:
    """Stages and latent channels of an autoencoder.

    decode_time, decode_noise: for a decoder with the noise level of its latent as an input, the usual level and the
        share of noise mixed into the latent (0.05 and 0.025 in LTX's examples); None and 0 for any other decoder.
    """

    name: str
    encoder: tuple[Stage, ...]
    decoder: tuple[Stage, ...]
    latent_channels: int = 128
    decode_time: float | None = None
    decode_noise: float = 0.0


def _blocks(channels: int, count: int, noise: bool = False) -> Stage:
    return Stage("res_x", channels, count=count, noise=noise)


def _decoder_091(counts: tuple[int, int, int, int], noise: bool) -> tuple[Stage, ...]:
    """The decoder since 0.9.1, in which each depth-to-space stage halves the width."""
    stages = [_blocks(1024, counts[0])]
    for channels, count in zip((512, 256, 128), counts[1:]):
        stages += [Stage("depth_to_space", channels, skip=True), _blocks(channels, count, noise)]
    return tuple(stages)


_ENCODER_090 = (
    _blocks(128, 4),
    Stage("strided", 128),
    Stage("res_x_y", 256),
    _blocks(256, 3),
    Stage("strided", 256),
    Stage("res_x_y", 512),
    _blocks(512, 3),
    Stage("strided", 512),
    _blocks(512, 3),
    _blocks(512, 4),
)
_DECODER_090 = (
    _blocks(512, 4),
    _blocks(512, 3),
    Stage("depth_to_space", 512),
    _blocks(512, 3),
    Stage("res_x_y", 256),
    Stage("depth_to_space", 256),
    _blocks(256, 3),
    Stage("res_x_y", 128),
    Stage("depth_to_space", 128),
    _blocks(128, 4),
)
_ENCODER_095 = (
    _blocks(128, 4),
    Stage("space_to_depth", 256, stride=(1, 2, 2)),
    _blocks(256, 6),
    Stage("space_to_depth", 512, stride=(2, 1, 1)),
    _blocks(512, 6),
    Stage("space_to_depth", 1024),
    _blocks(1024, 2),
    Stage("space_to_depth", 2048),
    _blocks(2048, 2),
)


def tiny(layout: Layout, latent_channels: int | None = None) -> Layout:
    """Shrink a layout to 1/16 of its widths and at most two blocks in each stage, for tests on a CPU."""

    def narrow(stage: Stage) -> Stage:
        return replace(stage, channels=stage.channels // TINY, count=min(stage.count, 2))

    return replace(
        layout,
        name=f"{layout.name}-tiny",
        encoder=tuple(map(narrow, layout.encoder)),
        decoder=tuple(map(narrow, layout.decoder)),
        latent_channels=latent_channels or layout.latent_channels,
    )


_RELEASED = (
    Layout("0.9.0", _ENCODER_090, _DECODER_090),
    Layout("0.9.1", _ENCODER_090, _decoder_091((8, 7, 6, 5), noise=True), decode_time=0.05, decode_noise=0.025),
    Layout("0.9.5", _ENCODER_095, _decoder_091((5, 5, 5, 5), noise=False), decode_time=0.05, decode_noise=0.025),
)
LAYOUTS = {layout.name: layout for layout in (*_RELEASED, *map(tiny, _RELEASED))}  # 0.9.5 stands for 0.9.5 to 0.9.8


def find(name: str) -> Layout:
    """The layout of a release, "0.9.0", "0.9.1" or "0.9.5" (up to 0.9.8), or the tiny one of the same stages.

    Raises:
        ValueError: there is no such layout.
    """
    if name not in LAYOUTS:
        raise ValueError(f"unknown autoencoder layout {name}: choose one of {', '.join(LAYOUTS)}")
    return LAYOUTS[name]
