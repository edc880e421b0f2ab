"""Any ONNX file from RGB frames to RGB frames as an upscaler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from baselines.checkpoints import origin
from baselines.frames import FiniteCheck, check_clip, padded, to_uint8
from baselines.onnx.session import count_parameters, open_graph
from bench.methods.contract import Descriptor, FrameRule, SizeRule, Stages, no_stages

LONGEST = 32
"""Frames that are kept from each call to a graph for clips; the call gets one more on either side, if there is one."""
LARGEST_SIDE = 4096
"""Largest `minimum` or `multiple_of`, in LR pixels, that a file or an option may ask for."""


class Onnx:
    """Upscaling by the graph of an ONNX file, frame by frame or over clips.

    The metadata of a file that `python -m turbovsr export` wrote says what sizes it takes and whether it is for clips.

    Args:
        weights: an ONNX file whose graph takes one (N, 3, H, W) tensor of RGB frames of any size, float or 8 bits.
        scale: must be the scale of the graph.
        device: "cpu", or "cuda" if onnxruntime has it; frames go through the host's memory.
        value_range: value of white for a graph of floats: 1 or 255.
        minimum, multiple_of: LR sides that the graph takes; others are padded by repeating the edge and cropped back.
        licence: of the weights.
    Raises:
        EnvironmentInvalid, FileNotFoundError, ValueError: as `open_graph`; also options that do not fit the graph.
    """

    def __init__(
        self,
        weights: str | Path,
        scale: int = 4,
        device: str = "cpu",
        value_range: int = 1,
        minimum: int | None = None,
        multiple_of: int | None = None,
        licence: str = "not known",
    ) -> None:
        if value_range not in (1, 255):
            raise ValueError(f"method.value_range={value_range}: write 1 or 255")
        self._weights, self._graph = weights, open_graph(weights, device)
        metadata = self._graph.metadata
        self._white = value_range
        self._clips = metadata.get("clips") == "1"
        self._scale, self.device = scale, torch.device(device)
        self._rule = SizeRule(
            minimum=_side("minimum", minimum, metadata, weights),
            multiple_of=_side("multiple_of", multiple_of, metadata, weights),
            padding="repeat",
        )
        self._check(weights)
        self.identity = {"onnxruntime": self._graph.version, "data": self._graph.data}
        self.descriptor = Descriptor(
            name="onnx",
            scale=scale,
            kind="video" if self._clips or self._graph.memory else "image",
            device=device,
            dtype=str(self._graph.dtype).removeprefix("torch."),
            licence=metadata.get("licence", licence),
            weights=origin(weights, set(), "") + self._external_data_note(),
            parameters=count_parameters(weights),
            size_rule=self._rule,
            frame_rule=FrameRule(note=self._order()),
            notes=f"onnxruntime {self._graph.version}",
        )

    @torch.inference_mode()
    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip; see `bench.methods.contract.Upscaler.upscale`. Stage: "network"."""
        check_clip(lr, self.device)
        frames, _, height, width = lr.shape
        sr = torch.empty((frames, 3, self._scale * height, self._scale * width), dtype=torch.uint8, device=lr.device)
        finite = FiniteCheck("onnx")
        with stages("network"):
            x = padded(lr.cpu(), self._rule)
            for first, out in self._upscaled(x):
                self._check_size(out, x)
                out = out[..., : sr.shape[2], : sr.shape[3]]
                if out.dtype != torch.uint8:
                    out = to_uint8(finite.see(out.float()) * (255 / self._white))
                sr[first : first + len(out)] = out
        finite.done()
        return sr

    def _upscaled(self, x: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
        """Yield the SR frames of a padded clip in parts, each with the number of its first frame."""
        if not self._graph.memory:
            for start, stop, first, last in _calls(len(x), LONGEST if self._clips else 1, self._clips):
                yield first, self._graph(self._levels(x[start:stop]))[first - start : last - start]
            return
        memory = None
        for frame in range(len(x)):
            neighbours = [max(frame - 1, 0), frame, min(frame + 1, len(x) - 1)]
            sr, memory = self._graph.follow(self._levels(x[neighbours]), memory)
            yield frame, sr

    def _levels(self, frames: torch.Tensor) -> torch.Tensor:
        """Convert 8-bit frames to the type and range of the graph's input."""
        if self._graph.dtype == torch.uint8:
            return frames
        return (frames.float() * (self._white / 255)).to(self._graph.dtype)

    def _order(self) -> str:
        if self._graph.memory:
            return "one at a time, with its neighbours and what the frame before hands on"
        return f"{LONGEST} at once, with one more on either side" if self._clips else ""

    def _external_data_note(self) -> str:
        """Words for the descriptor about external files with weights."""
        return f", its weights beside it (sha256 {self._graph.data[:12]})" if self._graph.data else ""

    def _check(self, weights: str | Path) -> None:
        """Upscale a small black frame and a white one to check the graph's scale and range.

        Raises:
            ValueError: a result is not a frame of that scale, or its values are far outside the range.
        """
        for level in (0, 255):
            out = self._tried(level, weights)
            white = 255 if out.dtype == torch.uint8 else self._white
            mean = float(out.float().mean())
            if abs(mean / white - 0.5) > 1:
                raise ValueError(
                    f"{weights}: of a {'white' if level else 'black'} frame it makes values of {mean:.4g} on average, "
                    f"not of 0 to {white}; export it for frames from 0 to 1, or to 255 with method.value_range=255"
                )

    def _check_size(self, out: torch.Tensor, x: torch.Tensor) -> None:
        """Raise ValueError if SR frames are not `scale` times as high and wide as the LR frames of the graph."""
        (height, width), (rows, columns) = x.shape[2:], out.shape[2:]
        if (rows, columns) != (self._scale * height, self._scale * width):
            raise ValueError(
                f"{self._weights}: of {width}x{height} it makes {columns}x{rows}, which is not {self._scale} times as "
                "large; say what sides it takes: method.minimum, method.multiple_of"
            )

    def _tried(self, level: int, weights: str | Path) -> torch.Tensor:
        """Upscale one small frame of a single grey level, (1, 3, H, W); ValueError for another scale."""
        side = self._rule.fitted(16)
        try:
            out = next(self._upscaled(torch.full((1, 3, side, side), level, dtype=torch.uint8)))[1]
        except ValueError as error:
            raise ValueError(
                f"{weights}: {error}; say what sides it takes: method.minimum, method.multiple_of"
            ) from None
        if out.ndim != 4 or out.shape[:2] != (1, 3) or out.shape[2] != out.shape[3] or out.shape[2] % side:
            raise ValueError(f"{weights}: it makes {tuple(out.shape)} of (1, 3, {side}, {side}), which is no frame")
        if out.shape[2] != side * self._scale:
            found = out.shape[2] // side
            raise ValueError(f"{weights}: upscales by {found}, not by {self._scale}; run it with scale={found}")
        return out


def _side(name: str, given: int | None, metadata: dict[str, str], weights: str | Path) -> int:
    """A rule on LR sides in pixels: the option, or else the file's metadata. Raises `ValueError`."""
    if given is None:
        text = metadata.get(name, "1")
        if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= LARGEST_SIDE):
            raise ValueError(f"{weights}: it says of itself {name}={text[:40]}; give method.{name}, in LR pixels")
        return int(text)
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= LARGEST_SIDE:
        raise ValueError(f"method.{name}={given}: write a number of LR pixels, 1 to {LARGEST_SIDE}")
    return given


def _calls(frames: int, most: int, whole: bool) -> Iterator[tuple[int, int, int, int]]:
    """Yield (start, stop, first, last) for each call: the range of frames it gets, and the range that is kept of it.

    Args:
        most: number of frames that are kept of a call.
        whole: whether the graph is for clips, and gets one more frame on either side.
    """
    for first in range(0, frames, most):
        last = min(first + most, frames)
        yield (max(first - whole, 0), min(last + whole, frames), first, last)
