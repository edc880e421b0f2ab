"""The output of frames: a video, an image or a folder of PNG files, depending on its name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from frames.codecs import Encoding
from frames.images import write_image
from frames.listing import IMAGE_SUFFIXES, entries
from frames.source import Source
from frames.video.encode import DEFAULT, WRITTEN_SUFFIXES
from frames.video.info import BT2020, SQUARE, TRANSFERS_OF_HDR


def is_written_video(output: Path) -> bool:
    """Whether an output of this name is written as a video."""
    return output.suffix.lower() in WRITTEN_SUFFIXES and not output.is_dir()


def check_destination(
    output: Path, given: Path, source: Source, scale: int, overwrite: bool, encoding: Encoding = DEFAULT
) -> None:
    """Refuse an output that cannot be written or would destroy something, before the work is done.

    Args:
        given: the path of the input.
        encoding: for an output that is a video.
    Raises:
        ValueError: one line that names the output.
    """
    if _same(output, given):
        raise ValueError(f"{output}: the input itself; give another name for the output")
    suffix = output.suffix.lower()
    if str(output) == "-":
        raise ValueError(f"{output}: nothing is written to standard output; give the name of a file or a folder")
    if suffix in IMAGE_SUFFIXES and not source.still and source.count != 1:
        raise ValueError(f"{output}: a clip does not fit into an image; give a folder or a name in {_videos()}")
    if suffix in WRITTEN_SUFFIXES or suffix in IMAGE_SUFFIXES:
        if output.is_dir():
            raise ValueError(f"{output}: there is a folder of this name; give another name")
        if suffix in WRITTEN_SUFFIXES:
            _check_size(output, source, scale, encoding)
    else:
        _check_folder(output, given, overwrite)
    if (any(output.iterdir()) if output.is_dir() else output.exists()) and not overwrite:
        raise ValueError(f"{output}: is there already; give another name, or --overwrite")
    _check_writable(output)


def write_images(output: Path, frames: Iterable[np.ndarray], source: Source) -> None:
    """Write frames as an image or a folder of PNG files, depending on the output's name.

    Args:
        output: a path that `check_destination` has accepted, and no video.
        frames: uint8 (H, W, 3) RGB.
        source: the input; gives names to images.
    Raises:
        ValueError, OSError: the output cannot be written.
    """
    if output.suffix.lower() in IMAGE_SUFFIXES and not output.is_dir():
        for frame in frames:
            write_image(output, frame)
    else:
        for index, frame in enumerate(frames):
            if index == 0 and output.is_dir():
                _empty(output)
            write_image(output / f"{source.names[index] if source.names else f'{index:08d}'}.png", frame)


def lost_properties(source: Source, output: Path, bits: int = 8) -> Iterator[str]:
    """Properties of the source that the output lacks or alters, one line each.

    `frames.video.tracks` lists the streams that an output video cannot take over.

    Args:
        bits: bits a sample of the output.
    """
    form, video = source.format, output.suffix.lower() in WRITTEN_SUFFIXES
    if (form.sound or form.subtitles) and not video:
        kinds = [f"{n} of {what}" for n, what in ((form.sound, "sound"), (form.subtitles, "subtitles")) if n]
        yield f"streams are not carried over: {', '.join(kinds)}"
    if form.other_videos and not video:
        yield f"the first video is upscaled, {form.other_videos} more are not"
    if form.alpha:
        yield "transparency is dropped"
    if form.bits > bits:
        yield f"{form.bits} bits a sample become {bits}"
    if form.interlaced:
        yield "the video is interlaced and upscaled as if it was not; deinterlace it first (ffmpeg's filter bwdif)"
    if form.transfer in TRANSFERS_OF_HDR or form.primaries == BT2020:
        kept = (
            "its primaries and transfer are kept as tags" if video else "images have no tags for its light and colours"
        )
        yield f"the video has the colours or the light of HDR; {kept}"
    if form.beside_pixels:
        yield f"stored with its pixels and left out: {', '.join(form.beside_pixels)}"
    if form.pixel_aspect != SQUARE and not video:
        aspect = form.pixel_aspect
        yield f"pixels are {aspect.numerator}:{aspect.denominator} and images have no place for that"


def _same(output: Path, given: Path) -> bool:
    return output.resolve() == given.resolve() or (output.exists() and output.samefile(given))


def _check_writable(output: Path) -> None:
    """Raise ValueError if nothing can be written into the output's folder, or into the one that it would be made in."""
    places = output.absolute().parents if not output.is_dir() else (output,)
    place = next(folder for folder in places if folder.exists())
    if not place.is_dir():
        raise ValueError(f"{output}: {place} is a file; give a name in a folder")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ValueError(f"{output}: nothing can be written into {place}; check its permissions")


def _check_size(output: Path, source: Source, scale: int, encoding: Encoding) -> None:
    height, width = (scale * edge for edge in source.size)
    complaint = encoding.size_complaint(height, width)
    if complaint:
        raise ValueError(f"{output}: {complaint}; give another codec, or a folder for PNG files")


def _check_folder(output: Path, given: Path, overwrite: bool) -> None:
    if output.suffix and not output.is_dir():
        written = ", ".join((*WRITTEN_SUFFIXES, *IMAGE_SUFFIXES))
        raise ValueError(
            f"{output}: {output.suffix} is not written; give a name in {written}, or without a suffix for a folder of "
            "PNG files"
        )
    if output.exists() and not output.is_dir():
        raise ValueError(f"{output}: there is a file of this name; give another name for a folder of PNG files")
    if output.is_dir() and output.resolve() in given.resolve().parents:
        raise ValueError(f"{output}: the input lies in this folder; give another one")
    if output.is_dir() and overwrite:
        for entry in entries(output):
            if entry.suffix.lower() != ".png" or not entry.is_file():
                raise ValueError(f"{entry}: not a frame, so --overwrite leaves this folder alone; give another one")


def _empty(folder: Path) -> None:
    """Remove the frames of an earlier clip, so that none stays between the new ones."""
    for entry in entries(folder):
        if entry.suffix.lower() == ".png":
            entry.unlink()


def _videos() -> str:
    return ", ".join(WRITTEN_SUFFIXES)
