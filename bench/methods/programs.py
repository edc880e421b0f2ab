"""One clip through an upscaler that is an external program: input files, the clock, output frames."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from bench.datasets.clip import Clip
from bench.datasets.sources import FrameSource, image_files
from bench.methods.calls import to_tensor
from bench.methods.contract import FileUpscaler
from bench.timing.measure import Call
from frames.images import read_image, write_png
from frames.listing import files_below, is_image, natural_key
from frames.video import read_video, write_video

FPS = 25
"""Frame rate of the videos that programs read; no upscaler here uses it."""


def on_program(method: FileUpscaler, lr: list[np.ndarray], clip: Clip, folder: Path) -> Call:
    """The scope `files`: PNG frames on disk before the clock starts, PNG frames on disk when it stops.

    Stages: `pack` (PNG frames into the video that the program reads), `program`, `unpack` (the video that it wrote into
    PNG frames). Reading the SR frames back for scoring is not timed. Warm-up sees the clip mirrored. A program that
    changes the LR frames is refused, because its next call gets the same files.

    Args:
        folder: where all files go; the caller removes it.
    """
    as_video, to_video = "%" not in method.reads, "*" not in method.writes
    pattern = "%08d.png" if as_video else method.reads
    given = {False: folder / "lr", True: folder / "lr-mirrored"}
    for warm_up, where in given.items():
        for index, frame in enumerate(lr):
            write_png(where / (pattern % index), np.ascontiguousarray(frame[:, ::-1]) if warm_up else frame)
    written = {warm_up: _digests(where) for warm_up, where in given.items()}
    count = itertools.count()

    def call(stages, warm_up: bool) -> Callable[[], torch.Tensor]:
        frames, target = given[warm_up], folder / f"sr{next(count)}"
        target.mkdir()
        output = target / method.writes if to_video else target
        if as_video:
            with stages("pack"):
                read = (read_image(frames / (pattern % index)) for index in range(len(lr)))
                write_video(folder / method.reads, read, FPS, lossless=True)
        with stages("program"):
            method.upscale_files(folder / method.reads if as_video else frames, output)
        if to_video:
            with stages("unpack"):
                for index, frame in enumerate(read_video(_written(output, method, target))):
                    write_png(target / "frames" / f"{index:08d}.png", frame)
        return lambda: fetched(warm_up, target / "frames" if to_video else target)

    def fetched(warm_up: bool, sr: Path) -> torch.Tensor:
        if _digests(given[warm_up]) != written[warm_up]:
            raise ValueError(
                f"{method.descriptor.name} changed the LR frames in the folder {{input}}, which its next call gets, "
                "too; let the command work on a copy"
            )
        return _fetched(sr, method, clip)

    return call


def _digests(folder: Path) -> dict[Path, str]:
    """The sha256 of every image below a folder."""
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files_below(folder) if is_image(path)}


def _fetched(folder: Path, method: FileUpscaler, clip: Clip) -> torch.Tensor:
    """Read the SR frames in a folder, uint8 (T, 3, H, W), and remove the folder.

    Raises:
        ValueError: their number or size is not what the clip needs.
    """
    found = _frames(folder, method)
    height, width = (clip.scale * side for side in clip.lr_size)
    if (found.frames, *found.size) != (clip.frames, height, width):
        raise ValueError(
            f"{method.descriptor.name} wrote {found.frames} frames of {found.size[1]}x{found.size[0]}, but clip "
            f"{clip.name} needs {clip.frames} of {width}x{height} (method.output={method.writes}, scale={clip.scale})"
        )
    sr = to_tensor(list(found), "cpu")
    shutil.rmtree(folder)
    return sr


def _frames(folder: Path, method: FileUpscaler) -> FrameSource:
    pattern = method.writes if "*" in method.writes else "*.png"
    paths = sorted((path for path in folder.glob(pattern) if path.is_file()), key=natural_key)
    if not paths:
        raise ValueError(_nothing(folder, method))
    return image_files(paths)


def _written(video: Path, method: FileUpscaler, folder: Path) -> Path:
    if not video.is_file():
        raise ValueError(_nothing(folder, method))
    return video


def _nothing(folder: Path, method: FileUpscaler) -> str:
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    instead = f"it left {', '.join(left[:5])}{' ...' * (len(left) > 5)}" if left else "it left no file"
    return f"{method.descriptor.name} wrote nothing that is method.output={method.writes}; {instead}"
