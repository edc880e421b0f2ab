"""Options of `python -m bench envelope`: what is searched, within which limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.store.trials import AxisName
from frames.errors import UserError, did_you_mean

AXES: tuple[AxisName, ...] = ("frame", "clip")
OWN = ("memory", "axes", "size", "frames", "budget_s", "trial_s")
REFUSED = {
    "data": "an envelope makes its own frames; size=WxH and frames=N choose them",
    "degradation": "an envelope makes its own frames",
    "metrics": "an envelope scores nothing",
    "protocol": "an envelope scores nothing",
    "score_every": "an envelope scores nothing",
    "save": "an envelope keeps no frames",
    "store": "an envelope keeps its trials in its own folder, out=DIR",
}
_UNITS = {"MB": 10**6, "GB": 10**9, "MIB": 2**20, "GIB": 2**30}
_LEAST = 2**26
_CGROUP = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class SearchOptions:
    """The axes to search, and the limits of the trials."""

    memory: int | None = None  # bytes; None: half of the machine's on a CPU, all of a GPU's
    axes: tuple[AxisName, ...] = AXES
    size: tuple[int, int] = (320, 180)  # (width, height) of LR frames, while clips grow
    frames: int = 1  # of a clip, while frames grow; more where the method takes no fewer
    budget_s: float = 1800.0  # no trial begins once it is spent
    trial_s: float = 300.0  # a trial that takes longer is stopped

    def limit(self, device: str) -> int | None:
        """Bytes that a trial may take; None: all of the GPU."""
        if self.memory is not None or device.startswith("cuda"):
            return self.memory
        return machine_memory() // 2


def machine_memory() -> int:
    """Bytes of this machine's memory, or of the control group's where that is less."""
    total = psutil.virtual_memory().total
    try:
        return min(total, int(_CGROUP.read_text()))
    except (OSError, ValueError):  # no control groups, or "max"
        return total


def split(words: list[str]) -> tuple[list[str], SearchOptions]:
    """Split the options of an envelope from the other words of a command.

    Returns:
        (the other words, the options).
    Raises:
        UserError: an impossible value, or an option that means nothing here.
    """
    given, rest = {}, []
    for word in words:
        key, sign, value = word.partition("=")
        if sign and key in OWN:
            given[key] = value
        elif (group := key.lstrip("+").partition(".")[0]) in REFUSED:
            raise UserError(f"{word}: {REFUSED[group]}")
        else:
            rest.append(word)
    axes = tuple(_axis(name) for name in given.get("axes", ",".join(AXES)).split(","))
    return rest, SearchOptions(
        memory=_bytes(given["memory"]) if "memory" in given else None,
        axes=tuple(axis for axis in AXES if axis in axes),
        size=_size(given.get("size", "320x180")),
        frames=int(_number("frames", given.get("frames", "1"), whole=True)),
        budget_s=_number("budget_s", given.get("budget_s", "1800")),
        trial_s=_number("trial_s", given.get("trial_s", "300")),
    )


def _axis(name: str) -> AxisName:
    for known in AXES:
        if name == known:
            return known
    raise UserError(f"axes={name}: unknown{did_you_mean(name, AXES)}; write axes=frame, axes=clip or axes=frame,clip")


def _bytes(text: str) -> int:
    """Parse a size of memory, such as `8GB`, `500MB` or `7.5GiB`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B)", text, re.IGNORECASE)
    if not found or found[2].upper() not in _UNITS:
        raise UserError(f"memory={text}: write a number with its unit, such as memory=8GB (or MB, MiB, GiB)")
    number = int(float(found[1]) * _UNITS[found[2].upper()])
    if number < _LEAST:
        raise UserError(f"memory={text}: torch alone takes more; give at least 64MiB")
    return number


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not found or not int(found[1]) * int(found[2]):
        raise UserError(f"size={text}: write WIDTHxHEIGHT of the LR frames in pixels, such as size=320x180")
    return int(found[1]), int(found[2])


def _number(name: str, text: str, whole: bool = False) -> float:
    if not re.fullmatch(r"\d{1,7}" if whole else r"\d{1,7}(\.\d+)?", text) or not float(text):
        raise UserError(f"{name}={text}: write a {'whole ' * whole}number above 0")
    return float(text)
