"""Published figures beside measured ones, from `results/published/`, always marked.

A dagger says that a row is cited. A double dagger says that a cell's protocol or LR frames are not those of its column,
so that it must not be compared with the figures above it.
"""

from __future__ import annotations

import csv
import math
import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.labels import parts
from bench.report.columns import Column, Fact
from bench.report.grid import Block, Cell, Head, Provenance, figure
from bench.store.record import Record
from frames.errors import UserError, did_you_mean

CITED, UNLIKE = "†", "‡"
HEADING = "cited, not measured here"
ELSEWHERE = "give results/published of a checkout as --published FOLDER"  # an installed package does not bring them
SCALE = 4  # of every published figure
LARGEST = 1_000_000  # pixels of a side, frames of a clip
METRICS = {"lpips-alex": "lpips"}  # our names -> those in papers


@dataclass(frozen=True)
class Figure:
    """One published figure, in the digits of its source."""

    group: str
    method: str
    data: str  # empty for a speed, which was measured on a size
    metric: str  # as in summary.csv; of qualities the publication's name
    value: str
    protocol: str  # of a speed: GPU, size, frames
    source: str
    colour: str = ""
    ssim_colour: str = ""
    crop: str = ""
    degradation: str = ""

    def is_about(self, data: str) -> bool:
        """Whether the figure is of this data set; speeds are shown with every data set, marked as unlike."""
        return not self.data or self.data.lower() == parts(data)[0].lower()

    def alike(self, column: Column, records: list[Record]) -> bool:
        """Whether it was computed as the column's figures were: on all frames, and LR frames made the same way."""
        if not column.signature or not self.colour:
            return False
        made = {(r.data_config.get("degradation"), r.scale) for r in records}
        cut = any(r.data_config.get(option) is not None for r in records for option in ("frames", "clips"))
        colour = self.ssim_colour if self.metric == "ssim" else self.colour
        parts = f"{column.signature}|".split("|")  # a foreign recipe may be a name alone
        if made != {(self.degradation, SCALE)} or cut or any(part.startswith(("frames", "every")) for part in parts):
            return False
        return self.metric not in ("psnr", "ssim") or (parts[1].startswith(colour) and f"crop{self.crop}" in parts)


@dataclass(frozen=True)
class Speed:
    """One published speed with its conditions."""

    group: str
    method: str
    gpu: str
    width: int
    height: int
    frames: str
    steps: str
    value: float
    unit: str
    peak_gb: str
    source: str
    text: str = ""  # the value in the digits of its source

    @property
    def fps(self) -> float | None:
        """Output frames a second: as cited, or computed from a time and a number of frames."""
        if self.unit.startswith("fps"):
            return self.value
        if self.unit.startswith("ms per frame"):
            return 1e3 / self.value
        return int(self.frames) / self.value if self.frames.isdigit() else None

    @property
    def mpx_per_s(self) -> float | None:
        return self.fps * self.width * self.height / 1e6 if self.fps else None

    @property
    def conditions(self) -> str:
        """GPU, size, number of frames, and what was timed."""
        gpu = "GPU not stated" if self.gpu == "not stated" else self.gpu
        count = f"{self.frames} frames of " if self.frames.isdigit() and self.frames != "1" else ""
        count = f"{self.frames} at " if self.frames and not self.frames.isdigit() else count
        return f"{gpu}, {count}{self.width}×{self.height}, {self.unit}"

    def figures(self) -> list[Figure]:
        """The speed as figures for the columns of a measured table."""
        found = {"fps": self.fps, "mpx_per_s": self.mpx_per_s, "ms_per_frame": 1e3 / self.fps if self.fps else None}
        return [
            Figure(self.group, self.method, "", metric, figure(value, None), self.conditions, self.source)
            for metric, value in found.items()
            if value is not None
        ]


def load(folder: Path) -> tuple[list[Figure], list[Speed]]:
    """All published figures of a folder like `results/published`.

    Raises:
        UserError: the files are not there, or a line cannot be read.
    """
    try:
        recipe = ("colour", "ssim_colour", "crop", "degradation")
        protocols = {line["protocol"]: line for line in _lines(folder / "protocols.csv", recipe)}
        quality = [
            Figure(
                *(line[key] for key in ("group", "method", "dataset", "metric", "value", "protocol", "source")),
                *(protocols.get(line["protocol"], {}).get(key, "") for key in recipe),
            )
            for line in _lines(folder / "quality.csv", ("value", "note"), _check_quality)
        ]
        speed = [
            Speed(
                line["group"],
                line["method"],
                line["gpu"],
                int(line["width"]),
                int(line["height"]),
                line["frames"],
                line["steps"],
                float(line["value"]),
                line["unit"],
                line["peak_gb"],
                line["source"],
                line["value"],
            )
            for line in _lines(folder / "speed.csv", ("value", "peak_gb"), _check_speed)
        ]
    except FileNotFoundError as error:
        raise UserError(
            f"{folder}: no published figures here ({Path(error.filename).name} is missing); {ELSEWHERE}"
        ) from error
    except (KeyError, ValueError, csv.Error) as error:
        raise UserError(f"{folder}: a line of the published figures cannot be read: {error}") from error
    return quality, speed


def of_groups(folder: Path, groups: list[str]) -> list[Figure]:
    """The figures of these groups, quality and speed.

    Raises:
        UserError: there is no such group.
    """
    quality, speed = load(folder)
    known = {f.group for f in quality} | {s.group for s in speed}
    for group in groups:
        if group not in known:
            raise UserError(f"--cite {group}: unknown group{did_you_mean(group, known)}")
    found = quality + [f for each in speed for f in each.figures()]
    return [f for group in groups for f in found if f.group == group]


def block(
    figures: list[Figure], heads: list[Head], shown: list[Column | Fact], records: list[Record]
) -> tuple[Block, list[str]]:
    """Rows with published figures for a measured table, one for each method, protocol and source.

    Args:
        figures: of this data set.
        heads, shown: the table's heads, and the columns that its last heads stand for.
        records: those of the table, which say how their LR frames were made.
    Returns:
        (block, notes): a letter on each row leads to the note with its protocol and source.
    """
    lines: dict[tuple[str, str, str], dict[str, Figure]] = {}
    for each in figures:
        lines.setdefault((each.method, each.protocol, each.source), {})[each.metric] = each
    origins = list(dict.fromkeys((protocol, source) for _, protocol, source in lines))
    rows, unlike = [], set()
    for (method, protocol, source), found in lines.items():
        letter = letter_of(origins.index((protocol, source)), len(origins))
        cells = [Cell(method, sup=CITED + letter), *[Cell("–")] * (len(heads) - 1 - len(shown))]
        for column in shown:
            quoted = None if isinstance(column, Fact) else found.get(METRICS.get(column.metric, column.metric))
            alike = quoted is not None and isinstance(column, Column) and quoted.alike(column, records)
            if quoted and not alike:
                unlike.add((protocol, source))
            cells.append(_cell(quoted, "" if alike else UNLIKE))
        rows.append(tuple(cells))
    notes = [
        f"{CITED}{letter_of(index, len(origins))} cited: {source}; {protocol}"
        for index, (protocol, source) in enumerate(origins)
    ]
    if unlike:
        notes.append(f"{UNLIKE} another protocol, other LR frames, size or device than the column's: do not compare")
    return Block(tuple(rows), HEADING, "cited"), notes


def letter_of(index: int, count: int) -> str:
    """a, b, c, ... for the notes of several sources; nothing for a single one."""
    return "" if count == 1 else string.ascii_lowercase[index % 26] * (index // 26 + 1)


def _cell(each: Figure | None, sup: str) -> Cell:
    if each is None:
        return Cell("–")
    return Cell(
        each.value, sup=sup, sources=(Provenance("published", each.data, each.value, each.group, "", each.protocol),)
    )


def _check_quality(line: dict[str, str]) -> None:
    if not math.isfinite(float(line["value"])):
        raise ValueError(f"the value {line['value']} is no number")


def _check_speed(line: dict[str, str]) -> None:
    sides, frames = (int(line["width"]), int(line["height"])), line["frames"]
    if not 0 < float(line["value"]) < math.inf or not all(0 < side <= LARGEST for side in sides):
        raise ValueError("value, width and height must be numbers above 0")
    if frames.isdigit() and not 0 < int(frames) <= LARGEST:
        raise ValueError(f"{frames[:40]} frames")


def _lines(
    file: Path, figures: tuple[str, ...], check: Callable[[dict[str, str]], None] = lambda line: None
) -> list[dict[str, str]]:
    """The lines of a CSV file.

    Args:
        figures: the columns that say something about what the others name.
        check: raises ValueError for a line that cannot be used.
    Raises:
        ValueError: a line that `check` refuses, that has more or fewer fields than the first, or that names what an
            earlier one does.
    """
    found: list[dict[str, str]] = []
    seen: dict[tuple[str, ...], int] = {}
    with open(file, encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        for line in reader:
            where = f"{file.name}, line {reader.line_num}"
            if None in line or None in line.values():
                raise ValueError(f"{where}: not as many fields as in its first line")
            try:
                check(line)
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from None
            first = seen.setdefault(tuple(t for k, t in line.items() if k not in figures), reader.line_num)
            if first != reader.line_num:
                raise ValueError(f"{where}: line {first} has this figure already")
            found.append(line)
    return found
