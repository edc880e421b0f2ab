"""Checks of the options that all data sets share; each mistake is one line that names the option."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from frames.errors import did_you_mean

T = TypeVar("T")


def selected(known: Iterable[str], wanted: object, where: str) -> list[str]:
    """The clips to use: all that are known, or those asked for, in the order of `known`.

    Args:
        wanted: data.clips: names, one name, or None for all.
    Raises:
        ValueError: a clip is asked for that is not known, with a suggestion; or `wanted` is no list of names, or empty.
    """
    known = list(known)
    if wanted is None:
        return known
    if isinstance(wanted, str):
        wanted = [wanted]
    if not isinstance(wanted, Iterable):
        raise ValueError(f"data.clips={wanted}: give names of clips in brackets, e.g. data.clips=[{known[0]}]")
    names = [str(name) for name in wanted]
    if not names:
        raise ValueError("data.clips=[]: it names no clip; name some, or leave it out (null: all)")
    for name in names:
        if name not in known:
            raise ValueError(f"{where}: no clip '{name}'{did_you_mean(name, known)}")
    return [name for name in known if name in names]


def first_frames(paths: Sequence[T], frames: object) -> Sequence[T]:
    """The first `frames` of a sequence; all with None.

    Raises:
        ValueError: data.frames is no whole number from 1 up.
    """
    if frames is None:
        return paths
    if isinstance(frames, bool) or not isinstance(frames, int) or frames < 1:
        raise ValueError(f"data.frames={frames}: a whole number of frames from 1 up is needed (null: all)")
    return paths[:frames]


def rate(fps: object) -> float:
    """data.fps as a number.

    Raises:
        ValueError: it is not above 0 and finite.
    """
    try:
        number = float(fps)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(f"data.fps={fps}: frames per second are a number above 0")
    return number


def path_of(given: object, option: str) -> Path:
    """The path that an option gives. An empty one is refused: it would be the current folder.

    Raises:
        ValueError: it is empty, or no text.
    """
    if not isinstance(given, (str, Path)):
        raise ValueError(f"{option}={given}: give a path (one that reads as a number or a list is written in quotes)")
    if not str(given).strip():
        raise ValueError(f"{option}= is empty; give a path")
    return Path(given)
