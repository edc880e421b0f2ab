"""TurboVSR as one object: LR frames in, SR frames out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, repeat, takewhile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.methods.contract import Descriptor, FrameRule, SizeRule, Stages, no_stages
from turbovsr import checkpoints, loading, tiling
from turbovsr import precision as precisions
from turbovsr.color_fix import COLOR_FIXES
from turbovsr.decoder import FRAMES_ON_GPU
from turbovsr.freed_memory import give_back_freed_memory, keep_freed_memory
from turbovsr.geometry import (
    CELL,
    SCALE,
    SPATIAL_COMPRESSION,
    TEMPORAL_COMPRESSION,
    clip_frames,
    missing_frames,
)
from turbovsr.ltx import presets
from turbovsr.options import check_choices, check_numbers, check_restores
from turbovsr.pixels import levels_of, repeat_edges, store, to_unit
from turbovsr.stream import Resume, checked_frames, type_and_shape, upscale_frames


class Noise:
    """The initial noise of the sampler, the same for every chunk; drawn when the size is first known."""

    def __init__(self, channels: int, latent_frames: int, seed: int):
        self.channels, self.latent_frames, self.seed = channels, latent_frames, seed
        self.values: Tensor | None = None

    def __call__(self, condition: Tensor) -> Tensor:
        """Noise (1, channels, F, h, w) for a condition (1, Cc, F, h, w), of its type; short chunks get its start.

        No later chunk has more frames than the first one, so only as much of it is kept.
        """
        frames, height, width = condition.shape[2:]
        if self.values is None:
            shape = (1, self.channels, self.latent_frames, height, width)
            drawn = torch.randn(shape, generator=torch.Generator().manual_seed(self.seed))
            self.values = drawn[:, :, :frames].contiguous().to(condition)
        return self.values[:, :, :frames]


class TurboVSR:
    """Upscale clips and images by 4, 3 or 2, or restore them at their size.

    The stages of a chunk of 1 + 8*(chunk-1) frames: project its LR frames onto the latent grid ("condition"); sample
    the first frame's latent, then the rest given the first ("denoise"); decode latent and LR frames ("decode"). The
    next chunk begins with one of this one's last frames, whose SR frame, encoded, is the given first frame: memory
    does not grow with the length of the clip. See `turbovsr.stream` for the crossfade between chunks.

    Args:
        weights: a packaged name ("nano"), a .safetensors file, or None for "nano".
        steps: sampling steps, a power of two up to the weights' finest (16 for nano).
        seed: of the noise, which is drawn on the CPU so that every device gets the same.
        device, precision: where and in what the networks run: "float32", "bfloat16", or "auto": bfloat16 where the
            device computes it natively.
        scale: 4, or 3, 2 or 1: made at 4 and downscaled by MATLAB's antialiased bicubic. 1 restores frames at their
            size, with weights whose SR frames need not agree with the LR frames.
        chunk: latent frames in a chunk; 5 is 33 frames. With tile="auto" this is the maximum: chunks of frames above
            1.06 million LR pixels are shorter, 2 at 1920x1080 (`turbovsr.tiling.chunk_latents`).
        overlap: frames that successive chunks share, 1 to 4, over which they are crossfaded.
        tile: largest edge, in LR pixels, that is decoded at once; larger frames are decoded in overlapping tiles. 0:
            always whole frames; "auto": tiles, and shorter chunks, if memory would otherwise take several gigabytes.
        color_fix: "none", or colours taken from the LR frames: "wavelet" or "adain" (see `turbovsr.color_fix`).
        use_latent: False decodes from the LR frames alone, without sampling: faster, and the baseline for the latent.
            None: without if the metadata of the weights says so (nano and nano-real do) and `steps` is 1.
        size: "nano", or a size of the LTX shape, "2b" or "2b-tiny", which has random weights unless `weights` is given.
        compile: compile the transformer: faster after a slow first call.
        shape: options of the LTX shape (path, autoencoder, prompt, window): see `turbovsr.ltx.presets.build`.
    """

    def __init__(
        self,
        weights: str | Path | None = None,
        steps: int = 1,
        seed: int = 0,
        device: str = "cpu",
        precision: str = "auto",
        scale: int = SCALE,
        chunk: int = 5,
        overlap: int = 3,
        tile: int | str = "auto",
        color_fix: str = "none",
        use_latent: bool | None = None,
        size: str = "nano",
        compile: bool = False,
        **shape: Any,
    ):
        check_numbers(steps=steps, seed=seed, scale=scale, chunk=chunk, overlap=overlap)
        check_choices(tile=tile, color_fix=color_fix, compile=compile)
        self.device = torch.device(device)
        precision = precisions.resolve(precision, self.device)
        self.dtype = precisions.PRECISIONS[precision]
        if size == "nano":
            if shape:
                raise ValueError(f"no such option for size=nano: {', '.join(shape)} (sizes of the LTX shape have more)")
            self.model, metadata = loading.load(weights)
        else:
            self.model, metadata = presets.build(size, weights=weights, device=device, dtype=self.dtype, **shape)
        check_restores(scale, self.model)
        finest = self.model.config.finest_steps
        if steps not in [2**n for n in range(finest.bit_length())]:
            raise ValueError(f"steps must be a power of two from 1 to {finest}, got {steps}")
        self.model.to(self.device, self.dtype)
        if self.device.type == "cpu":
            keep_freed_memory()
        self.model.prepare(compile)
        self.steps, self.seed, self.scale = steps, seed, scale
        self.use_latent = checkpoints.samples_latent(use_latent, steps, metadata)
        self.chunk, self.overlap, self.tile, self.color_fix = chunk, overlap, tile, color_fix
        self.multiple = CELL if self.use_latent else self.model.multiple_without_latent  # of LR pixels, of a side
        origin = metadata.get("origin", "origin not stated")
        source = metadata.get("weights") or f"{checkpoints.resolve(weights).name} ({origin})"
        self.descriptor = Descriptor(
            name=f"TurboVSR {metadata.get('name', 'custom')}",
            scale=scale,
            kind="video",
            device=device,
            dtype=precision,
            licence=metadata.get("licence", "not stated in the checkpoint"),
            weights=source,
            parameters=sum(p.numel() for p in self.model.parameters()),
            size_rule=size_rule(scale, self.multiple),
            frame_rule=FrameRule(multiple_of=TEMPORAL_COMPRESSION, plus=1, padding="repeat"),
            notes="; ".join(filter(None, [self._notes(), metadata.get("notes")])),
        )

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path = "nano", **options) -> TurboVSR:
        """Load packaged weights by name, or a checkpoint file; options as for the constructor."""
        return cls(weights=name_or_path, **options)

    def upscale(self, lr: Tensor, stages: Stages = no_stages) -> Tensor:
        """Upscale one clip.

        Args:
            lr: uint8 (T, 3, H, W) RGB, T, H and W at least 1; an image is a clip of one frame.
            stages: `with stages("condition")` and so on is entered around each stage, so that a caller can time it.
        Returns:
            uint8 (T, 3, scale*H, scale*W) RGB on the device of `lr`.
        Raises:
            ValueError: the frames are not of that kind, or the weights give values that are not finite.
        """
        if not isinstance(lr, Tensor) or lr.dtype != torch.uint8 or lr.ndim != 4 or lr.shape[1] != 3:
            raise ValueError(f"LR frames must be uint8 (T, 3, H, W), got {type_and_shape(lr)}")
        if 0 in lr.shape:
            raise ValueError(f"there is nothing to upscale in a clip of shape {tuple(lr.shape)}")
        frames, _, height, width = lr.shape
        sr = torch.empty(frames, 3, self.scale * height, self.scale * width, dtype=torch.uint8, device=lr.device)
        for _ in self._run(lr, lambda index, frame: sr[index], stages):
            pass
        return sr

    def stream(self, frames: Iterable[Tensor], resume: Resume | None = None) -> Iterator[Tensor]:
        """Upscale frames as they come, in constant memory: at most one chunk is in memory.

        A chunk of frames is read before its first SR frame is yielded. The SR frames equal those of `upscale`.

        Args:
            frames: uint8 or uint16 (3, H, W) RGB, all of one type and size; white is 255 or 65535.
            resume: see `turbovsr.stream.Resume`.
        Yields:
            (3, scale*H, scale*W) RGB of that type, one for each frame, on its device.
        Raises:
            ValueError: there are no frames, one is not of that kind, or the weights give values that are not finite.
        """

        @torch.inference_mode(False)  # so that the caller may write into it
        def allocate(index: int, frame: Tensor) -> Tensor:
            return frame.new_empty(3, self.scale * frame.shape[1], self.scale * frame.shape[2])

        return self._run(checked_frames(frames), allocate, no_stages, resume)

    def _run(
        self,
        frames: Iterable[Tensor],
        allocate: Callable[[int, Tensor], Tensor],
        stages: Stages,
        resume: Resume | None = None,
    ) -> Iterator[Tensor]:
        """Upscale frames into tensors from `allocate`; see `upscale_frames`."""
        upscaled = self._upscaled(frames, allocate, stages, resume)

        def following(_: None) -> Any:
            with torch.inference_mode():
                return next(upscaled, None)

        # As a decorator of a generator inference_mode holds each frame until the next one is there.
        return takewhile(lambda frame: frame is not None, map(following, repeat(None)))

    def _upscaled(
        self,
        frames: Iterable[Tensor],
        allocate: Callable[[int, Tensor], Tensor],
        stages: Stages,
        resume: Resume | None,
    ) -> Iterator[Tensor]:
        noise = Noise(self.model.config.latent_channels, self.chunk, self.seed)
        frames = iter(frames)
        first = next(frames)
        length = clip_frames(tiling.chunk_latents(self.chunk, self.tile, *first.shape[-2:]))
        frames = chain([first], frames)
        del first  # it would be held to the end
        upscale_chunk = partial(self._upscale_chunk, noise=noise, stages=stages)
        yield from upscale_frames(frames, upscale_chunk, length, self.overlap, allocate, self.scale, resume)

    def _upscale_chunk(
        self, frames: list[Tensor], given: Tensor | None, noise: Noise, stages: Stages
    ) -> Iterator[Callable[[Tensor], None]]:
        """Upscale one chunk, as `turbovsr.stream.UpscaleChunk` says."""
        clip = self._pixels(frames)
        count, height, width = clip.shape[2:]
        tile = tiling.tile_edge(self.tile, height, width, count, tiling.DECODED_AT_ONCE)
        by_frame = self.model.decodes_frame_by_frame
        if not (tile and by_frame):
            # In float32 whatever the networks' precision: the decoder adds its detail to the enlargement of this clip.
            clip = to_unit(clip, self.device)
        latent = self._latent(clip, given, noise, stages) if self.use_latent else None
        del given  # the caller drops it when it has been blended
        if tile:
            give_back_freed_memory()
        with stages("decode"):
            at_once, dtype = self._frames_at_once(len(frames)), frames[0].dtype
            decoded = tiling.decode(self.model.decode_frames, clip, latent, tile, len(frames), at_once, dtype)
            # A loop's variables would hold each frame until the next one is there.
            yield from map(lambda levels, lr: partial(self._finish, levels, lr), decoded, frames)

    def _frames_at_once(self, count: int) -> int:
        """Frames of `count` that a tile decodes in its turn: those that the decoder finishes together.

        With fewer the rest would wait, in float32 and for every tile.
        """
        if not self.model.decodes_frame_by_frame:
            return count
        return FRAMES_ON_GPU if self.device.type == "cuda" else 1

    def _pixels(self, frames: list[Tensor]) -> Tensor:
        """Pad (3, H, W) frames to a clip on the device, (1, 3, 8k+1, h, w), h and w multiples of `multiple`."""
        clip = torch.stack([*frames, *missing_frames(len(frames)) * frames[-1:]])
        return repeat_edges(clip, self.multiple).to(self.device).transpose(0, 1).unsqueeze(0)

    def _latent(self, clip: Tensor, given: Tensor | None, noise: Noise, stages: Stages) -> Tensor:
        """Sample the latent of a clip, pixels or [-1, 1]; `given`: the first SR frame, None in the first chunk."""
        model = self.model
        with stages("condition"):
            condition = model.condition(clip.to(self.dtype) if clip.is_floating_point() else clip)
            first = None if given is None else self._encode(given)
        if not clip.is_floating_point():
            give_back_freed_memory()
        with stages("denoise"):
            cells = noise(condition)
            if first is None:
                first = model.sample_first(condition, cells, self.steps)
            return model.sample_rest(condition, first, cells, self.steps)

    def _encode(self, frame: Tensor) -> Tensor:
        """Latent of one SR frame, (3, 4H, 4W)."""
        hr = repeat_edges(frame, SPATIAL_COMPRESSION)[None, :, None]
        height, width = (n // SCALE for n in hr.shape[-2:])
        tile = tiling.tile_edge(self.tile, height, width, 1, tiling.ENCODED_AT_ONCE)
        return tiling.encode(lambda part: self.model.encode(to_unit(part, self.device).to(self.dtype)), hr, tile)

    def _finish(self, levels: Tensor, lr: Tensor, out: Tensor) -> None:
        """Crop, correct and round one decoded frame into `out`, (3, 4H, 4W) of the type of `lr`."""
        levels = levels[:, : out.shape[1], : out.shape[2]]
        if self.color_fix != "none":
            levels = levels_of(levels)
            COLOR_FIXES[self.color_fix](levels, levels_of(lr).to(levels))
        if levels.dtype == out.dtype:
            out.copy_(levels)
        else:
            store(levels, out)

    def _notes(self) -> str:
        """Steps, seed and colour fix, for the descriptor."""
        fix = "" if self.color_fix == "none" else f", color fix {self.color_fix}"
        if not self.use_latent:
            return f"decoded without a latent{fix}"
        return f"{self.steps} step(s), seed {self.seed}{fix}"


def size_rule(scale: int, multiple: int) -> SizeRule:
    """The LR sizes that the networks take, multiples of `multiple`, and how a smaller scale than 4 is made."""
    made = f"made at x{SCALE}, then downscaled to {scale}Hx{scale}W by MATLAB's antialiased bicubic"
    return SizeRule(multiple_of=multiple, padding="repeat", note="" if scale == SCALE else made)
