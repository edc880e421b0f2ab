"""The command `python -m turbovsr IN OUT`: read, upscale, write."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from frames.codecs import Encoding
from frames.destination import check_destination, is_written_video, lost_properties, write_images
from frames.errors import OK, UserError, one_line
from frames.out_of_memory import is_out_of_memory
from frames.source import Source, open_source
from frames.video.info import Format
from frames.video.tracks import Plan, plan_tracks
from turbovsr import many
from turbovsr.models import Models
from turbovsr.partial import folder_of
from turbovsr.pipeline import TurboVSR
from turbovsr.progress import bar
from turbovsr.video import Excerpt, VideoJob, versions

Frame = np.ndarray  # uint8 (H, W, 3) RGB


def run(arguments: argparse.Namespace) -> int:
    """Read, upscale and write as the parsed command line says; returns the exit code.

    Raises:
        UserError, ValueError, OSError: files or options that cannot be used; a damaged input, after what can be read
            of it has been written.
    """
    models = Models(arguments)
    videos = many.videos_in(arguments.input)
    if videos:
        return many.run(videos, arguments, lambda given, output: upscale(given, output, arguments, models))
    if arguments.container and arguments.output.suffix.lower() != f".{arguments.container}":
        name = arguments.output.with_suffix(f".{arguments.container}")
        raise UserError(f"{arguments.output}: --container is for a folder of videos; to choose it here, write {name}")
    upscale(arguments.input, arguments.output, arguments, models)
    return OK


def upscale(given: Path, output: Path, arguments: argparse.Namespace, models: Models) -> None:
    """Upscale one video, image or folder of images; errors as `run`."""
    try:
        _upscale(given, output, arguments, models)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(f"{given}: out of memory; try smaller tiles (--tile 64): {one_line(error)[:200]}") from error


def _upscale(given: Path, output: Path, arguments: argparse.Namespace, models: Models) -> None:
    source = open_source(given, exact=arguments.preview is None)
    if is_written_video(output):
        _video(given, source, output, arguments, models)
    elif arguments.preview is not None:
        raise ValueError(f"{output}: a preview is a video; give a name in .mp4, .mkv or .mov")
    else:
        check_destination(output, given, source, arguments.scale, arguments.overwrite)
        _say(given, lost_properties(source, output))
        _images(source, output, models.model(given, source))


def _video(given: Path, source: Source, output: Path, arguments: argparse.Namespace, models: Models) -> None:
    suffix = output.suffix.lower()
    try:
        encoding = Encoding.chosen(
            suffix, source.format.bits, arguments.codec, arguments.quality, arguments.preset, arguments.bits
        )
    except ValueError as error:
        raise ValueError(f"{output}: {error}") from None
    check_destination(output, given, source, arguments.scale, arguments.overwrite, encoding)
    plan = Plan()
    if source.timed is not None:
        sound = arguments.audio and arguments.fps is None
        subtitles = arguments.subtitles and arguments.fps is None
        plan = plan_tracks(given, suffix, sound, subtitles, arguments.fps)
    if arguments.fps is not None:
        plan = replace(plan, notes=(*plan.notes, *_without_times(source.format, arguments)))
    _say(given, (*lost_properties(source, output, encoding.bits), *plan.notes))
    excerpt = None if arguments.preview is None else Excerpt(arguments.start, arguments.preview)
    job = VideoJob(given, source, output, encoding, plan, arguments.fps, excerpt)
    model = models.model(given, source)
    identity = models.identity(model) | {"versions": versions()}
    with bar() as progress:
        task = progress.add_task(_model_line(model), total=job.count)
        try:
            wrong = job.run(model, identity, arguments.overwrite, lambda count: progress.advance(task, count))
        except KeyboardInterrupt:
            progress.stop()
            done = f"what is done is kept in {folder_of(output)}; the same command continues"
            print(f"turbovsr: {given}: {done}", file=sys.stderr)
            raise
    if wrong:
        raise many.DamagedInput(f"{'; '.join(wrong)}; the frames that could be read are in {output}")


def _without_times(form: Format, arguments: argparse.Namespace) -> Iterator[str]:
    """Yield a line that names what a video loses to --fps, if it loses anything."""
    sound, subtitles = form.sound and arguments.audio, form.subtitles and arguments.subtitles
    lost = [name for name, n in (("sound", sound), ("subtitles", subtitles), ("chapters", form.chapters)) if n]
    if lost:
        yield f"left out because --fps changes the times: {', '.join(lost)}"


def _images(source: Source, output: Path, model: TurboVSR) -> None:
    """Upscale a source and write its SR frames as images, to one file or a folder."""
    damage: list[Exception] = []
    with bar() as progress:
        task = progress.add_task(_model_line(model), total=source.count)
        frames = with_progress(upscaled(model, source, damage), lambda: progress.advance(task))
        write_images(output, frames, source)
    if damage:
        raise UserError(f"{one_line(damage[0])}; the frames that could be read are in {output}")


def upscaled(model: TurboVSR, source: Source, damage: list[Exception]) -> Iterator[Frame]:
    """Upscale a source to SR frames, uint8 (H, W, 3).

    A damaged video gives the frames that can be decoded, images those before the first that cannot be read. The error
    is appended to `damage`.
    """
    planar = (torch.from_numpy(frame.transpose(2, 0, 1).copy()) for frame in readable_frames(source, damage))
    return (frame.permute(1, 2, 0).numpy() for frame in model.stream(planar))


def readable_frames(source: Source, damage: list[Exception]) -> Iterator[Frame]:
    """Yield the LR frames of a source that can be read; see `upscaled`.

    Raises:
        ValueError, OSError: the first frame cannot be read.
    """
    frames = source.frames()
    yield next(frames)
    try:
        yield from frames
    except (ValueError, OSError) as error:
        damage.append(error)


def with_progress(frames: Iterator[Frame], advance: Callable[[], None]) -> Iterator[Frame]:
    """Pass frames through; call `advance` after each one has been used."""
    for frame in frames:
        yield frame
        advance()


def _model_line(model: TurboVSR) -> str:
    return f"{model.descriptor.name} x{model.scale}, {model.descriptor.dtype} on {model.descriptor.device}"


def _say(given: Path, lines) -> None:
    for line in lines:
        print(f"turbovsr: {given}: {line}", file=sys.stderr)
