"""Finding clips on disk: frames in order, names that fit each other, and one clear line where they do not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from frames.errors import did_you_mean
from frames.images import IMAGE_SUFFIXES
from frames.video import VIDEO_SUFFIXES

T = TypeVar("T")


def is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES


def is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sort key under which frame9 comes before frame10."""
    parts = re.split(r"(\d+)", path.name)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


def entries(folder: Path) -> list[Path]:
    """What a folder holds, hidden files apart, in natural order.

    Raises:
        FileNotFoundError: no such folder.
    """
    try:
        return sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=natural_key)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{folder}: no such folder") from None


def images_in(folder: Path) -> list[Path]:
    """The images of a folder in natural order.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: there is no image in it.
    """
    found = [path for path in entries(folder) if is_image(path)]
    if not found:
        raise ValueError(f"{folder}: there is no image in it; frames are expected as {', '.join(IMAGE_SUFFIXES)}")
    return found


def frame_number(path: Path) -> int | None:
    """The last number in a file's stem: 17 for 00000017.png, None where there is none."""
    digits = re.findall(r"\d+", path.stem)
    return int(digits[-1]) if digits else None


def check_pairing(lr: list[Path], gt: list[Path]) -> None:
    """LR and GT frames are paired in order; make sure that this pairs the same moments.

    Raises:
        ValueError: the counts differ, or the numbers in the names drift apart (a frame is missing on one side).
    """
    if len(lr) != len(gt):
        raise ValueError(
            f"LR and GT differ in frames: {lr[0].parent} has {len(lr)}, {gt[0].parent} has {len(gt)}; "
            "`python -m bench data verify` names the missing ones"
        )
    numbers = zip(map(frame_number, lr), map(frame_number, gt))
    offsets = [None if None in pair else pair[0] - pair[1] for pair in numbers]
    for index, offset in enumerate(offsets):
        if offset is not None and offsets[0] is not None and offset != offsets[0]:
            raise ValueError(f"LR and GT frames do not belong together: {lr[index]} would be paired with {gt[index]}")


def selected(known: Iterable[str], wanted: Iterable[str] | None, where: str) -> list[str]:
    """The clips to use: all that are known, or those asked for, in the order of `known`.

    Raises:
        ValueError: a clip is asked for that is not known, with a suggestion.
    """
    known = list(known)
    if wanted is None:
        return known
    wanted = [str(name) for name in wanted]
    for name in wanted:
        if name not in known:
            raise ValueError(f"{where}: no clip '{name}'{did_you_mean(name, known)}")
    return [name for name in known if name in wanted]


def capped(paths: Sequence[T], frames: int | None) -> Sequence[T]:
    """The first `frames` of a sequence; all without a number."""
    if frames is not None and frames < 1:
        raise ValueError(f"data.frames={frames}: at least one frame is needed (null: all)")
    return paths[:frames]
