"""The command `python -m turbovsr IN OUT`: read, upscale, write."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from frames.command_line import Parser
from frames.errors import OK
from frames.images import write_image
from frames.listing import IMAGE_SUFFIXES
from frames.source import Source, open_source
from frames.video import write_video
from turbovsr.color_fix import COLOR_FIXES
from turbovsr.pipeline import SCALES, TurboVSR
from turbovsr.precision import PRECISIONS

ABOUT = "Upscale a video, an image or a folder of images."
EPILOG = """OUT is a video if its name ends in .mp4, .mkv or .mov, an image if IN is one and the name ends like one, else
a folder of PNG files. Memory does not grow with the length of the video."""
FPS_OF_IMAGES = Fraction(24)
VIDEOS = (".mp4", ".mkv", ".mov")  # that are written


def parse(argv: list[str]) -> argparse.Namespace:
    parser = Parser("python -m turbovsr", ABOUT, EPILOG)
    parser.add_argument("input", type=Path, metavar="IN", help="a video, an image or a folder of images")
    parser.add_argument("output", type=Path, metavar="OUT", help="a video, an image or a folder for PNG files")
    parser.add_argument("--scale", type=int, default=4, choices=SCALES)
    parser.add_argument("--steps", type=int, default=1, help="sampling steps: 1, 2, 4, 8 or 16 (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", default="nano", help="a packaged name or a .safetensors file (default nano)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", default="auto", choices=("auto", *PRECISIONS))
    parser.add_argument("--color-fix", default="none", choices=tuple(COLOR_FIXES))
    parser.add_argument("--tile", default="auto", help="LR pixels decoded at once, 0 for whole frames (default auto)")
    parser.add_argument("--fps", type=_fps, help="of a video made from images (default 24)")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it is there already")
    arguments = parser.parse_args(argv)
    if arguments.fps is not None and arguments.fps <= 0:
        parser.error(f"--fps {arguments.fps}: give a number above 0")
    if arguments.tile != "auto":
        try:
            arguments.tile = int(arguments.tile)
        except ValueError:
            parser.error(f"--tile {arguments.tile}: give auto or a number")
    return arguments


def _fps(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number like 24 or 30000/1001") from error


def main(argv: list[str]) -> int:
    """Run the command; returns its exit code.

    Raises:
        ValueError, OSError: files or options that do not do.
    """
    run(parse(argv))
    return OK


def run(arguments: argparse.Namespace) -> None:
    """Read, upscale and write.

    Raises:
        ValueError, OSError: files or options that do not do.
    """
    source = open_source(arguments.input)
    check_output(arguments.output, arguments.input, source, arguments.overwrite)
    model = TurboVSR.from_pretrained(
        arguments.weights,
        steps=arguments.steps,
        seed=arguments.seed,
        device=arguments.device,
        precision=arguments.precision,
        scale=arguments.scale,
        tile=arguments.tile,
        color_fix=arguments.color_fix,
    )
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
    ) as progress:
        described = f"{model.descriptor.name} x{model.scale}, {model.descriptor.dtype} on {model.descriptor.device}"
        task = progress.add_task(described, total=source.count)
        write(arguments.output, source, counted(upscaled(model, source), lambda: progress.advance(task)), arguments.fps)


def check_output(output: Path, given: Path, source: Source, overwrite: bool) -> None:
    """Refuse an output that cannot be written or would destroy something, before the work is done.

    Raises:
        ValueError: one line that names it.
    """
    if output.resolve() == given.resolve():
        raise ValueError(f"{output}: the input itself; give another name for the output")
    if output.suffix.lower() in IMAGE_SUFFIXES and not source.still:
        raise ValueError(f"{output}: a clip does not fit into an image; give a folder or a name in {', '.join(VIDEOS)}")
    if (any(output.iterdir()) if output.is_dir() else output.exists()) and not overwrite:
        raise ValueError(f"{output}: is there already; give another name, or --overwrite")


def upscaled(model: TurboVSR, source: Source) -> Iterator[np.ndarray]:
    """The SR frames of a source, (H, W, 3)."""
    planar = (torch.from_numpy(frame.transpose(2, 0, 1).copy()) for frame in source.frames())
    return (frame.permute(1, 2, 0).numpy() for frame in model.stream(planar))


def counted(frames: Iterator[np.ndarray], advance) -> Iterator[np.ndarray]:
    """The same frames; `advance` is called when one has been dealt with."""
    for frame in frames:
        yield frame
        advance()


def write(output: Path, source: Source, frames: Iterator[np.ndarray], fps: Fraction | None) -> None:
    """Write SR frames in the way that the output's name asks for."""
    suffix = output.suffix.lower()
    if suffix in VIDEOS:
        write_video(output, frames, fps or source.fps or FPS_OF_IMAGES)
    elif suffix in IMAGE_SUFFIXES:
        for frame in frames:
            write_image(output, frame)
    else:
        for index, frame in enumerate(frames):
            write_image(output / f"{source.names[index] if source.names else f'{index:08d}'}.png", frame)
