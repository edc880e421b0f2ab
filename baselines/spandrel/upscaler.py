"""Any image network that spandrel knows as an upscaler: frame by frame, whole or in tiles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from baselines.checkpoints import origin
from baselines.frames import check_clip, torch_dtype
from baselines.spandrel import weights as files
from baselines.tiling import describe_tiles, read_context, read_tile, tile_for, upscale_frames
from bench.methods.contract import Descriptor, SizeRule, Stages, no_stages

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor


class Spandrel:
    """Upscaling by the network of a weights file: ESRGAN, SwinIR, HAT, DAT, SPAN, Compact and all that spandrel knows.

    Frames of sizes that the network does not take are padded right and below by reflection and cropped back.

    Args:
        weights: `.pth`, `.ckpt`, `.pt` or `.safetensors` with the network's tensors; nothing in it runs.
        tile: "auto": whole frames up to 512 x 512 LR pixels, larger ones in tiles of 256 if spandrel says that the
            network may be tiled; 0: whole frames; another number: edge of tiles in LR pixels, refused for networks that
            tile frames themselves.
        context: LR pixels around a tile that the network sees too.
        scale: must be the scale of the weights.
        device: where it runs, e.g. "cpu" or "cuda".
        precision: "float32", or "bfloat16" or "float16" if spandrel says that the network supports it.
        licence: of the weights; the file does not say.
    Raises:
        EnvironmentInvalid: spandrel is not installed.
        FileNotFoundError, ValueError: weights that cannot be used (see `weights.load`), or an option that does not fit.
    """

    def __init__(
        self,
        weights: str | Path,
        tile: str | int = "auto",
        context: int = 32,
        scale: int = 4,
        device: str = "cpu",
        precision: str = "float32",
        licence: str = "not known",
    ) -> None:
        model = files.load(weights)
        _check_scale(model, weights, scale)
        self._tile, self._tiling = _tile(model, tile), model.tiling.name.lower()
        self._context = read_context(context)
        self.dtype = _dtype(model, precision)
        self.device = torch.device(device)
        self.model: Any = model.to(self.device, self.dtype)
        self.identity = {"spandrel": files.version()}
        sizes = model.size_requirements
        self.descriptor = Descriptor(
            name=f"spandrel-{model.architecture.id}",
            scale=model.scale,
            kind="image",
            device=device,
            dtype=precision,
            licence=licence,
            weights=origin(weights, set(), "", ""),
            parameters=sum(each.numel() for each in model.model.parameters()),
            size_rule=SizeRule(
                minimum=max(1, sizes.minimum),
                multiple_of=sizes.multiple_of,
                padding="reflect",
                note="made square" if sizes.square else "",
            ),
            notes=f"{model.architecture.name} {' '.join(model.tags)}".strip() + f"; {self._describe_tiles()}",
        )

    @torch.inference_mode()
    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip; see `bench.methods.contract.Upscaler.upscale`. Stage: "network"."""
        check_clip(lr, self.device)
        tile = tile_for(self._tile, *lr.shape[-2:])
        with stages("network"):
            return upscale_frames(
                lambda frame: self.model(frame.to(self.dtype)), lr, self.model.scale, "spandrel", tile, self._context
            )

    def _describe_tiles(self) -> str:
        tiles = describe_tiles(self._tile, self._context)
        return tiles if self._tile is None else f"{tiles} (tiling {self._tiling})"


def _check_scale(model: ImageModelDescriptor, weights: str | Path, scale: int) -> None:
    if model.scale != scale:
        what = f"upscales by {model.scale}" if model.scale != 1 else "does not upscale (it restores at scale 1)"
        raise ValueError(
            f"{weights}: {model.architecture.name} {what}, not by {scale}; run it with scale={model.scale}"
        )


def _tile(model: ImageModelDescriptor, tile: str | int) -> int | None:
    """The edge of tiles in LR pixels; 0: whole frames; None: it depends on the frame's size."""
    read = read_tile(tile)
    if read and model.tiling.name == "INTERNAL":
        raise ValueError(f"method.tile={tile}: {model.architecture.name} cuts frames itself; use method.tile=0")
    return 0 if read is None and model.tiling.name != "SUPPORTED" else read


def _dtype(model: ImageModelDescriptor, precision: str) -> torch.dtype:
    dtype = torch_dtype(precision, float16=True)
    able = {"float32": True, "bfloat16": model.supports_bfloat16, "float16": model.supports_half}
    if not able[precision]:
        use = ", ".join(name for name, can in able.items() if can)
        raise ValueError(f"precision {precision!r}: {model.architecture.name} cannot; it can {use}")
    return dtype
