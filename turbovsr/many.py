"""A folder of videos: each output has its input's name; finished ones are skipped, and one failure stops no other."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable
from itertools import chain, count
from pathlib import Path

from frames.atomic import replacing
from frames.errors import ERROR, OK, UserError, one_line
from frames.listing import entries, is_image, is_video
from frames.text import printable
from frames.text_files import read_text
from frames.unexpected import is_deliberate
from frames.video.encode import WRITTEN_SUFFIXES

ANY = ".mkv"  # takes every kind of stream
SHOWN = 5  # names that a line lists


class DamagedInput(UserError):
    """An input that is damaged; what could be read of it has been written."""


def videos_in(given: Path) -> list[Path]:
    """List the videos of a folder; empty for a folder that has images, too, and for anything but a folder."""
    if not given.is_dir():
        return []
    files = entries(given)
    videos = [path for path in files if is_video(path) and not path.is_dir()]  # a dead link is an error, too
    if videos and any(is_image(path) for path in files):
        count = f"{len(videos)} video{'s' * (len(videos) > 1)} in it"
        print(f"turbovsr: {given}: a folder of images; {count} left out", file=sys.stderr)
        return []
    others = [path.name for path in files if path not in videos]
    if videos and others:
        shown = ", ".join(others[:SHOWN]) + f" and {len(others) - SHOWN} more" * (len(others) > SHOWN)
        print(f"turbovsr: {given}: left out, not videos by their names: {shown}", file=sys.stderr)
    return videos


def run(videos: list[Path], arguments: argparse.Namespace, upscale: Callable[[Path, Path], None]) -> int:
    """Upscale each video into the folder of the output; returns the exit code.

    What is wrong with a damaged video is kept in a file beside its output, so that a later call says it again.

    Args:
        upscale: upscale(video, output).
    Raises:
        ValueError: the output is no folder, or that of the input.
    """
    folder = arguments.output
    if folder.suffix.lower() in WRITTEN_SUFFIXES or (folder.exists() and not folder.is_dir()):
        raise ValueError(f"{folder}: {arguments.input} holds several videos; give the name of a folder for the output")
    if folder.exists() and os.path.samefile(folder, arguments.input):
        raise ValueError(f"{folder}: the input itself; give another folder for the output")
    failed = 0
    for number, (video, output) in enumerate(outputs(videos, folder, arguments.container), start=1):
        where = f"turbovsr: {number} of {len(videos)}, {video.name}"
        note = note_of(output)
        if output.exists() and not arguments.overwrite:
            print(f"{where}: is there already as {output}", file=sys.stderr)
            if note.exists():
                failed += 1
                fault = printable(" ".join(read_text(note, "delete it").split()))
                print(f"turbovsr: {fault} (--overwrite makes it again)", file=sys.stderr)
            continue
        print(f"{where} -> {output}", file=sys.stderr)
        try:
            upscale(video, output)
            note.unlink(missing_ok=True)
        except Exception as error:
            if not is_deliberate(error):
                raise
            failed += 1
            print(f"turbovsr: {one_line(error)}", file=sys.stderr)
            if isinstance(error, DamagedInput):
                with replacing(note) as part:
                    part.write_text(one_line(error) + "\n", encoding="utf-8", errors="backslashreplace")
    if failed:
        print(f"turbovsr: {arguments.input}: {failed} of {len(videos)} videos failed", file=sys.stderr)
    return ERROR if failed else OK


def note_of(output: Path) -> Path:
    """The file that says what was wrong with the input of an output."""
    return output.with_name(f"{output.name}.damaged.txt")


def outputs(videos: list[Path], folder: Path, container: str | None) -> list[tuple[Path, Path]]:
    """Pair each video with its output: in the named container, else in its own if that is written, else in Matroska.

    Where several outputs would have one name, each is the whole name of its input, perhaps a number, and the suffix.
    """
    suffixes = [f".{container}" if container else _own(video) for video in videos]
    plain = [video.stem + suffix for video, suffix in zip(videos, suffixes)]
    given = Counter(name.casefold() for name in plain)
    taken = {name for name, times in given.items() if times == 1}
    pairs = []
    for video, suffix, name in zip(videos, suffixes, plain):
        if given[name.casefold()] > 1:
            numbers = chain([""], (f".{number}" for number in count(2)))
            tried = (f"{video.name}{number}{suffix}" for number in numbers)
            name = next(name for name in tried if name.casefold() not in taken)
            taken.add(name.casefold())
        pairs.append((video, folder / name))
    return pairs


def _own(video: Path) -> str:
    suffix = video.suffix.lower()
    return suffix if suffix in WRITTEN_SUFFIXES else ANY
