"""TurboVSR as one object: LR frames in, SR frames out."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, ContextManager, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from turbovsr import checkpoints
from turbovsr.autoencoder import SPATIAL_COMPRESSION, TEMPORAL_COMPRESSION
from turbovsr.conditioning import CELL
from turbovsr.ltx import presets
from turbovsr.shuffle import SCALE
from turbovsr.tiling import decode_tiled

Stages = Callable[[str], ContextManager]
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class TurboVSR:
    """Upscale clips and images by 4.

    The work on a chunk of 1 + 8*(chunk-1) frames: project its LR frames onto the latent grid ("condition"); sample the
    first frame's latent, then the rest given the first ("denoise"); decode with the LR frames at hand ("decode"). The
    next chunk begins with this one's last frame, whose SR picture, encoded, is the given first frame: memory does not
    grow with the length of the clip.

    Args:
        weights: a packaged name ("nano"), a .safetensors file, or None for "nano".
        steps: sampling steps, a power of two up to the weights' finest (16 for nano).
        seed: of the noise, which is drawn on the CPU so that every device gets the same.
        device, precision: where and in what ("float32", "bfloat16"; "auto": the latter on CUDA) the networks run.
        scale: 4, the only one so far.
        chunk: latent frames in a chunk; 3 is 17 frames.
        tile: largest edge, in LR pixels, that is decoded at once; larger frames go by overlapping tiles.
        use_latent: False decodes from the LR frames alone: the fast floor that the latent is measured against.
        size: "nano", or a size of the LTX shape, "2b" or "2b-tiny", which has random weights unless given others.
        compile: compile the transformer: faster after a slow first call.
        shape: options of the LTX shape (path, autoencoder, prompt, window): see `turbovsr.ltx.presets.build`.
    """

    def __init__(
        self,
        weights: str | Path | None = None,
        steps: int = 1,
        seed: int = 0,
        device: str = "cpu",
        precision: str = "float32",
        scale: int = SCALE,
        chunk: int = 3,
        tile: int = 384,
        use_latent: bool = True,
        size: str = "nano",
        compile: bool = False,
        **shape: Any,
    ):
        if scale != SCALE:
            raise ValueError(f"TurboVSR upscales by {SCALE}, not {scale}: set scale={SCALE}")
        if precision == "auto":
            precision = "bfloat16" if torch.device(device).type == "cuda" else "float32"
        if precision not in PRECISIONS:
            raise ValueError(f"unknown precision {precision}: choose one of {', '.join(PRECISIONS)}")
        if chunk < 2:
            raise ValueError(f"a chunk needs at least 2 latent frames to move on, got {chunk}")
        if tile < 2 * CELL or tile % CELL:
            raise ValueError(f"tile must be a multiple of {CELL} and at least {2 * CELL}, got {tile}")
        self.device, self.dtype = torch.device(device), PRECISIONS[precision]
        if size == "nano":
            if shape:
                raise ValueError(f"no such option for size=nano: {', '.join(shape)} (sizes of the LTX shape have more)")
            self.model, metadata = checkpoints.load(weights)
        else:
            self.model, metadata = presets.build(size, weights=weights, device=device, dtype=self.dtype, **shape)
        finest = self.model.config.finest_steps
        if steps not in [2**n for n in range(finest.bit_length())]:
            raise ValueError(f"steps must be a power of two from 1 to {finest}, got {steps}")
        self.model.to(self.device, self.dtype)
        self.model.prepare(compile)
        self.steps, self.seed, self.chunk, self.tile, self.use_latent = steps, seed, chunk, tile, use_latent
        self.descriptor = SimpleNamespace(
            name=f"TurboVSR {metadata.get('name', 'custom')}",
            scale=SCALE,
            kind="video",
            device=device,
            dtype=precision,
            licence=metadata.get("licence", "not stated in the checkpoint"),
            weights=metadata.get("weights")
            or f"{checkpoints.resolve(weights).name} ({metadata.get('origin', 'origin not stated')})",
            parameters=sum(p.numel() for p in self.model.parameters()),
            size_rule=f"multiple of {CELL}, padded by repeating the edge and cropped back",
            frame_rule="8k+1, padded by repeating the last frame and cut back",
            notes="; ".join(
                [
                    f"{steps} step(s), seed {seed}" if use_latent else "decoded without a latent",
                    *([metadata["notes"]] if metadata.get("notes") else []),
                ]
            ),
        )

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path = "nano", **options) -> "TurboVSR":
        """The model of a packaged name or a checkpoint file; options as for the constructor."""
        return cls(weights=name_or_path, **options)

    @torch.inference_mode()
    def upscale(self, lr: Tensor, stages: Stages = lambda name: nullcontext()) -> Tensor:
        """Upscale one clip.

        Args:
            lr: uint8 (T, 3, H, W) RGB, T, H and W at least 1; an image is a clip of one frame.
            stages: `with stages("condition")` and so on is entered around each stage, for whoever times them.
        Returns:
            uint8 (T, 3, 4H, 4W) RGB on the device of `lr`.
        """
        if lr.dtype != torch.uint8 or lr.ndim != 4 or lr.shape[1] != 3:
            raise ValueError(f"LR frames must be uint8 (T, 3, H, W), got {lr.dtype} {tuple(lr.shape)}")
        if 0 in lr.shape:
            raise ValueError(f"there is nothing to upscale in a clip of shape {tuple(lr.shape)}")
        frames, _, height, width = lr.shape
        sr = torch.empty(frames, 3, SCALE * height, SCALE * width, dtype=torch.uint8, device=lr.device)
        generator = torch.Generator().manual_seed(self.seed)
        last = None
        for start, stop in chunk_ranges(frames, 1 + TEMPORAL_COMPRESSION * (self.chunk - 1)):
            clip = self._prepare(lr[start:stop])
            latent = self._latent(clip, last, generator, stages) if self.use_latent else None
            with stages("decode"):
                written = 0 if start == 0 else 1  # a later chunk begins with a frame that is done
                for index, top, left, pixels in decode_tiled(self.model.decode_frames, clip, latent, self.tile):
                    if written <= index < stop - start:
                        place = sr[start + index, :, top : top + pixels.shape[1], left : left + pixels.shape[2]]
                        place.copy_(to_uint8(pixels)[:, : place.shape[1], : place.shape[2]])
            last = sr[stop - 1]
        return sr

    def _prepare(self, lr: Tensor) -> Tensor:
        """uint8 (T, 3, H, W) -> (1, 3, 8k+1, h, w) in [-1, 1], h and w multiples of 8."""
        clip = lr.to(self.device).to(self.dtype).div(127.5).sub(1)
        bottom, right = (-n % CELL for n in clip.shape[-2:])
        clip = F.pad(clip, (0, right, 0, bottom), mode="replicate")
        missing = -(len(clip) - 1) % TEMPORAL_COMPRESSION
        clip = torch.cat([clip, clip[-1:].expand(missing, -1, -1, -1)])
        return clip.transpose(0, 1).unsqueeze(0)

    def _latent(self, clip: Tensor, last: Tensor | None, generator: torch.Generator, stages: Stages) -> Tensor:
        """Sample the latent of a prepared clip; `last` is the SR of its first frame, None in the first chunk."""
        model = self.model
        with stages("condition"):
            condition = model.condition(clip)
            first = None if last is None else self._encode(last)
        with stages("denoise"):
            shape = (1, model.config.latent_channels, *condition.shape[2:])
            noise = torch.randn(shape, generator=generator).to(condition)
            if first is None:
                first = model.sample_first(condition, noise, self.steps)
            return model.sample_rest(condition, first, noise, self.steps)

    def _encode(self, frame: Tensor) -> Tensor:
        """Latent of one SR frame, uint8 (3, H, W)."""
        hr = frame.to(self.device).to(self.dtype).div(127.5).sub(1).unsqueeze(0)
        bottom, right = (-n % SPATIAL_COMPRESSION for n in hr.shape[-2:])
        return self.model.encode(F.pad(hr, (0, right, 0, bottom), mode="replicate").unsqueeze(2))


def chunk_ranges(frames: int, length: int) -> Iterator[tuple[int, int]]:
    """Cut a clip into chunks of `length` frames that overlap by one: (start, stop) of each."""
    start = 0
    while True:
        stop = min(start + length, frames)
        yield start, stop
        if stop == frames:
            return
        start = stop - 1


def to_uint8(frame: Tensor) -> Tensor:
    """[-1, 1] -> 0..255, rounded."""
    if not torch.isfinite(frame.sum()):
        raise ValueError("the network returned values that are not finite: broken weights, or use precision=float32")
    return frame.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
