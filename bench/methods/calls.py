"""The work on one clip: calls to time, frames made elsewhere, files to keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.datasets.clip import Clip
from bench.datasets.pairing import check_names
from bench.datasets.sources import files_of, first_frames
from bench.labels import file_name
from bench.methods.alignment import EXACT, START
from bench.methods.contract import Descriptor, FrameSource, GivenFrames, Stages, Upscaler
from bench.methods.forks import no_second_run
from bench.timing.measure import Call
from frames.errors import UserError
from frames.images import read_image, write_png
from frames.video import write_video


def to_tensor(frames: Sequence[np.ndarray], device: str) -> torch.Tensor:
    """uint8 (H, W, 3) frames -> uint8 (T, 3, H, W) on the device, copied one frame at a time."""
    height, width, channels = frames[0].shape
    clip = torch.empty((len(frames), channels, height, width), dtype=torch.uint8)
    for target, frame in zip(clip, frames, strict=True):
        target.copy_(torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1))
    return clip.to(device)


def to_frames(clip: torch.Tensor) -> Iterator[np.ndarray]:
    """uint8 (T, 3, H, W) -> uint8 (H, W, 3) frames, one at a time."""
    for frame in clip:
        yield frame.permute(1, 2, 0).contiguous().cpu().numpy()


def on_tensors(upscaler: Upscaler, lr: list[np.ndarray], device: str) -> Call:
    """The scope `tensors`: LR frames on the device to SR frames on the device.

    Warm-up gets the mirrored clip, so that the first repetition has new input.
    """
    frames = to_tensor(lr, device)

    def call(stages, warm_up: bool) -> Callable[[], torch.Tensor]:
        sr = _checked(_upscaled(upscaler, frames.flip(-1) if warm_up else frames, stages))
        return lambda: _unless_changed(sr, frames, lr)

    return call


def on_files(upscaler: Upscaler, lr: list[np.ndarray], device: str, folder: Path) -> Call:
    """The scope `files`: PNG frames read from disk, upscaled, written as PNG frames."""
    sources = [folder / f"lr{index:08d}.png" for index in range(len(lr))]
    for file, frame in zip(sources, lr):
        write_png(file, frame)

    def call(stages, warm_up: bool) -> torch.Tensor:
        with stages("read"):
            frames = to_tensor([read_image(file) for file in sources], device)
        sr = _checked(_upscaled(upscaler, frames.flip(-1) if warm_up else frames, stages))
        with stages("write"):
            for index, frame in enumerate(to_frames(sr)):
                write_png(folder / f"sr{index:08d}.png", frame)
        return sr

    return call


def _upscaled(upscaler: Upscaler, frames: torch.Tensor, stages: Stages) -> object:
    """Call an upscaler, and return whatever it returns."""
    with contained():
        return upscaler.upscale(frames, stages)


@contextmanager
def contained() -> Iterator[None]:
    """Contain a method's code: sys.exit becomes a UserError, and a process that it forks ends with it."""
    try:
        with no_second_run():
            yield
    except SystemExit as error:
        raise UserError(f"the method called sys.exit({error.code!r})") from error


def _checked(sr: object) -> torch.Tensor:
    """Return the SR frames if they are a uint8 tensor (T, 3, H, W); else raise ValueError."""
    if not isinstance(sr, torch.Tensor):
        raise ValueError(f"the method returned {type(sr).__name__} where a tensor of uint8 (T, 3, H, W) was due")
    if sr.dtype != torch.uint8 or sr.ndim != 4 or sr.shape[1] != 3:
        raise ValueError(f"the method returned {sr.dtype} {tuple(sr.shape)} where uint8 (T, 3, H, W) was due")
    return sr


def _unless_changed(sr: torch.Tensor, frames: torch.Tensor, lr: list[np.ndarray]) -> torch.Tensor:
    """Return the SR frames if the LR frames, which the next call gets, are unchanged; else raise ValueError."""
    for given, frame in zip(to_frames(frames), lr, strict=True):
        if not np.array_equal(given, frame):
            raise ValueError("the method changed the LR frames that it was given; it must work on a copy (lr.clone())")
    return sr


def plain(descriptor: Descriptor) -> dict[str, Any]:
    """A descriptor as plain data for a record; one of another class is taken attribute by attribute."""
    if isinstance(descriptor, Descriptor):
        return descriptor.to_json()
    found = {each.name: getattr(descriptor, each.name) for each in fields(Descriptor) if hasattr(descriptor, each.name)}
    return {
        name: value if value is None or isinstance(value, (int, float)) else str(value) for name, value in found.items()
    }


def check_contract(sr: torch.Tensor, clip: Clip) -> None:
    """Raise ValueError unless SR frames have the type and shape of the contract for this clip."""
    height, width = clip.lr_size
    expected = (clip.frames, 3, height * clip.scale, width * clip.scale)
    if sr.dtype != torch.uint8 or tuple(sr.shape) != expected:
        raise ValueError(f"the method returned {sr.dtype} {tuple(sr.shape)} where uint8 {expected} was due")


@dataclass(frozen=True)
class TensorFrames:
    """SR frames of a tensor, uint8 (T, 3, H, W), as uint8 (H, W, 3) frames: the clip is held once."""

    clip: torch.Tensor

    def __iter__(self) -> Iterator[np.ndarray]:
        return to_frames(self.clip)


def given_frames(method: GivenFrames, clip: Clip, alone: bool) -> FrameSource:
    """Frames that another program made, read when they are iterated.

    Args:
        alone: the data set has no other clip.
    Raises:
        ValueError: they do not have the clip's size or number, or their names are those of other frames.
    """
    source = method.source(clip.name, alone)
    if getattr(method, "align", EXACT) == START:
        source = first_frames(source, clip.frames)
    if source.frames <= clip.frames and (ours := files_of(source)) and clip.files:  # first: a gap is no missing end
        check_names(ours, clip.files, "SR and GT" if clip.has_gt else "SR and LR")
    height, width = (clip.scale * side for side in clip.lr_size)
    if (source.frames, *source.size) != (clip.frames, height, width):
        raise ValueError(
            f"{source.where}: {source.frames} SR frames of {source.size[1]}x{source.size[0]}, but clip {clip.name} "
            f"needs {clip.frames} of {width}x{height}{_remedy(source, clip)}"
        )
    return source


def _remedy(source: FrameSource, clip: Clip) -> str:
    """A hint for frames that a method padded or dropped; empty if the counts agree."""
    if source.frames > clip.frames:
        return f"; method.align={START} leaves out those beyond the clip, where the method padded its end"
    if source.frames < clip.frames:
        return f"; where the method dropped the last ones, data.frames={source.frames} scores every method on the rest"
    return ""


def save(sr: Iterable[np.ndarray], clip: Clip, folder: Path, kind: str) -> None:
    """Keep SR frames as PNG (`frames`) or one H.264 file (`video`) under the run's folder."""
    if kind == "frames":
        for index, frame in enumerate(sr):
            write_png(folder / file_name(clip.name) / f"{index:08d}.png", frame)
    else:
        write_video(folder / f"{file_name(clip.name)}.mp4", iter(sr), clip.fps)
