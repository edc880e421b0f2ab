"""The command `python -m turbovsr IN OUT`: read, upscale, write."""

from __future__ import annotations

import argparse
import sys
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from frames.command_line import Parser
from frames.destination import check_destination, losses, write_frames
from frames.errors import OK
from frames.source import Source, open_source
from frames.video import DamagedVideo
from turbovsr.color_fix import COLOR_FIXES
from turbovsr.pipeline import SCALES, TurboVSR
from turbovsr.precision import PRECISIONS

ABOUT = "Upscale a video, an image or a folder of images."
EPILOG = """OUT is a video if its name ends in .mp4, .mkv or .mov, an image if IN is one and the name ends like one, a
folder of PNG files if it has no suffix. Memory does not grow with the length of the video. What of IN is not in OUT
(sound, transparency, bits beyond 8) is said on stderr. Of a damaged video the frames that can be read are written, and
the exit code is 3."""
Frame = np.ndarray  # uint8 (H, W, 3) RGB


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
    if arguments.fps is not None and not 0 < arguments.fps <= 1000:
        parser.error(f"--fps {arguments.fps}: give a number above 0, at most 1000")
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
    check_destination(arguments.output, arguments.input, source, arguments.scale, arguments.overwrite)
    for loss in losses(source, arguments.output):
        print(f"turbovsr: {arguments.input}: {loss}", file=sys.stderr)
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
        times: deque[Fraction] = deque()
        damage: list[DamagedVideo] = []
        frames = counted(upscaled(model, source, times, damage), lambda: progress.advance(task))
        shown = None if source.timed is None else iter(times.popleft, None)
        write_frames(arguments.output, frames, source, shown, arguments.fps)
    if damage:
        raise DamagedVideo(f"{damage[0]}; the frames that could be read are in {arguments.output}")


def upscaled(model: TurboVSR, source: Source, times: deque[Fraction], damage: list[DamagedVideo]) -> Iterator[Frame]:
    """The SR frames of a source, (H, W, 3); the times of a video's frames go into `times`.

    A damaged video ends where its frames do; what is wrong with it goes into `damage`.
    """
    planar = (torch.from_numpy(frame.transpose(2, 0, 1).copy()) for frame in kept(source, times, damage))
    return (frame.permute(1, 2, 0).numpy() for frame in model.stream(planar))


def kept(source: Source, times: deque[Fraction], damage: list[DamagedVideo]) -> Iterator[Frame]:
    """The LR frames of a source as far as they can be read; see `upscaled`."""
    if source.timed is None:
        yield from source.frames()
        return
    try:
        for frame in source.timed():
            times.append(frame.time)
            yield frame.pixels
    except DamagedVideo as error:
        damage.append(error)


def counted(frames: Iterator[Frame], advance: Callable[[], None]) -> Iterator[Frame]:
    """The same frames; `advance` is called when one has been dealt with."""
    for frame in frames:
        yield frame
        advance()
