"""Pairing of frames of two folders: equal numbers, and the same moments as far as names tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from frames.listing import DIGITS, frame_number


def check_pairing(lr: Sequence[Path], gt: Sequence[Path]) -> None:
    """Check that LR and GT frames, paired in order, show the same moments.

    Raises:
        ValueError: the counts differ, or the names drift apart (a frame is missing on one side).
    """
    if len(lr) != len(gt):
        raise ValueError(
            f"LR and GT differ in frames: {lr[0].parent} has {len(lr)}, {gt[0].parent} has {len(gt)}; "
            "`python -m bench data verify` names the missing ones"
        )
    check_names(lr, gt, "LR and GT")


def check_names(ours: Sequence[Path], theirs: Sequence[Path], what: str) -> None:
    """Check by their names that two equally long sequences of frames show the same moments.

    Numbers in the names may begin anywhere but must increase alike; a name without a number that both sides have must
    be at the same place.

    Args:
        what: the two sides, for the message: "LR and GT".
    Raises:
        ValueError: the names drift apart.
    """
    numbers = list(zip(frame_numbers(ours), frame_numbers(theirs)))
    places = {path.stem: index for index, path in enumerate(theirs)}
    for index, (one, other) in enumerate(numbers):
        if one is not None and other is not None:
            first, second = numbers[0]
            apart = first is not None and second is not None and one - other != first - second
        else:
            apart = places.get(ours[index].stem, index) != index
        if apart:
            raise ValueError(
                f"{what} frames do not belong together: {ours[index]} would be paired with {theirs[index]}"
            )


def frame_numbers(paths: Sequence[Path]) -> list[int | None]:
    """Each frame's number: the last one in the names that differs between frames (`0001_x4.png` is frame 1)."""
    found = [DIGITS.findall(path.stem) for path in paths]
    if len(paths) > 1 and len({len(digits) for digits in found}) == 1:
        for column in reversed(list(zip(*found))):
            if len(set(column)) > 1:
                return [int(digits) for digits in column]
    return [frame_number(path) for path in paths]
