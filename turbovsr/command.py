"""The command `python -m turbovsr IN OUT`: read, upscale, write."""

from __future__ import annotations

import argparse
import sys
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from frames.destination import check_destination, losses, write_frames
from frames.errors import OK
from frames.source import Source, open_source
from frames.video import DamagedVideo
from turbovsr.pipeline import TurboVSR

Frame = np.ndarray  # uint8 (H, W, 3) RGB


def run(arguments: argparse.Namespace) -> int:
    """Read, upscale and write, as the arguments of `turbovsr.arguments` say; returns the exit code.

    Raises:
        ValueError, OSError: files or options that cannot be used.
    """
    source = open_source(arguments.input)
    check_destination(arguments.output, arguments.input, source, arguments.scale, arguments.overwrite)
    for loss in losses(source, arguments.output):
        print(f"turbovsr: {arguments.input}: {loss}", file=sys.stderr)
    model = TurboVSR.from_pretrained(
        arguments.weights,
        steps=arguments.steps,
        seed=arguments.seed,
        device=arguments.device or ("cuda" if torch.cuda.is_available() else "cpu"),
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
    return OK


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
