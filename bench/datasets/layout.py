"""Finding clips on disk: frames in order, names that fit each other, and one clear line where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from frames.errors import did_you_mean
from frames.listing import frame_number

T = TypeVar("T")


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
