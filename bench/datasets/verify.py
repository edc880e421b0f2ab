"""Verification of frames on disk by decoding every one. Each problem is one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from bench.datasets.pairing import frame_numbers
from frames.images import Size, read_image
from frames.listing import entries, is_image
from frames.video import read_video, video_info


def numbering_problems(folder: Path, official: int | None = None) -> Iterator[str]:
    """Lines on frames that are missing or extra by the numbers in their names, and on files that are no frames.

    With an official count n the frames are 0..n-1, 1..n, or n from the first one on, whichever fits best; else first to
    last without a gap.
    """
    images = []
    for path in entries(folder):
        if is_image(path):
            if not path.is_dir():  # a folder that is called like an image is reported when it is read
                images.append(path)
        elif official is not None:  # in the user's own folder a readme or a licence may lie beside the frames
            yield f"{path}: extra: not a frame"
    found = {path: number for path, number in zip(images, frame_numbers(images)) if number is not None}
    if len(found) < len(images):
        if official is not None and len(images) != official:
            yield f"{folder}: {len(images)} frames where {official} belong"
        return
    numbers = Counter(found.values())
    if official is not None:
        starts = (0, 1, min(numbers, default=0))
        start = max(starts, key=lambda s: sum(n in numbers for n in range(s, s + official)))
        wanted = range(start, start + official)
    else:
        wanted = range(min(numbers), max(numbers) + 1) if numbers else range(0)
    for gap in _gaps(sorted(number for number in numbers if number in wanted), wanted):
        yield f"{folder}: {_missing(*gap)}"
    seen: set[int] = set()
    for path, number in found.items():
        if number not in wanted or number in seen:
            yield f"{path}: extra: {'a second frame ' + str(number) if number in seen else 'beyond the clip'}"
        seen.add(number)


def gap_in(frames: Sequence[Path]) -> str:
    """The first gap between the numbers of these frames ("frame 3 is missing"); empty if there is none."""
    present = sorted({number for number in frame_numbers(frames) if number is not None})
    wanted = range(present[0], present[-1] + 1) if present else range(0)
    return next((_missing(*gap) for gap in _gaps(present, wanted)), "")


def _missing(first: int, last: int) -> str:
    return f"frame {first} is missing" if first == last else f"frames {first} to {last} are missing"


def _gaps(present: list[int], wanted: range) -> Iterator[tuple[int, int]]:
    """First and last number of each run of `wanted` that `present` (sorted, within `wanted`) lacks."""
    for before, after in zip([wanted.start - 1, *present], [*present, wanted.stop]):
        if after - before > 1:
            yield before + 1, after - 1


def decoding_problems(folder: Path, size: Size | None = None) -> Generator[str, None, Size | None]:
    """Lines on frames that do not decode, or have another size than `size` (None: than most of the folder).

    Returns:
        The size of the frames, (height, width); None if none decodes.
    """
    sizes: dict[Path, Size] = {}
    for path in entries(folder):
        if is_image(path):
            try:
                height, width, _ = read_image(path).shape
                sizes[path] = height, width
            except (ValueError, FileNotFoundError) as error:
                yield str(error)
    if not sizes:
        yield f"{folder}: no frame in it can be read"
        return None
    usual = size or Counter(sizes.values()).most_common(1)[0][0]
    for path, other in sizes.items():
        if other != usual:
            yield f"{path}: {other[1]}x{other[0]} where {usual[1]}x{usual[0]} is expected"
    return usual


def image_problems(path: Path) -> Iterator[str]:
    """A line on an image that does not decode."""
    try:
        read_image(path)
    except (ValueError, FileNotFoundError) as error:
        yield str(error)


def video_problems(path: Path, official: int | None = None) -> Iterator[str]:
    """Lines on a video that is cut short or damaged, or has another number of frames than announced or official."""
    try:
        info = video_info(path)
        count = sum(1 for _ in read_video(path))
    except (ValueError, FileNotFoundError) as error:
        yield str(error)
        return
    if count != info.frames:
        yield f"{path}: {count} frames can be decoded, {info.frames} are announced"
    if official is not None and count != official:
        yield f"{path}: {count} frames where {official} belong"
