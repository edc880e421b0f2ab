"""How far viewers agree with a metric: rank correlation of its values with mean opinion scores.

Within one group (all upscalings of one LR input, or of one source) the metric answers the question of a comparison of
methods: which of them looks better? Over all clips together it would be rewarded for telling hard inputs from easy
ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from frames.errors import UserError, did_you_mean
from frames.text_files import read_json

METRICS = (
    "lpips-alex",
    "dists",
    "lpips-vgg",
    "fastervqa",
    "clipiqa+",
    "dover",
    "musiq",
    "niqe",
    "psnr-y",
    "ssim",
    "vmaf",
)
"""Fields that the table shows by default."""
GROUPS = {"source_encoding": "one LR input", "source": "one source"}
MOS, ORIGINAL = "mos", "source"  # the field of the opinion scores; the method of clips that nobody upscaled
_SET = "the dataset.json of AVT-VQDB-UHD-1-VSR"


@dataclass(frozen=True)
class Agreement:
    """Spearman's correlation of one metric with mean opinion scores, averaged over the groups of each kind."""

    metric: str
    within: dict[str, float | None]  # kind of group -> correlation; None: no group has two unlike values
    clips: int


def read(file: Path) -> list[dict[str, Any]]:
    """The rated clips of a `dataset.json` of AVT-VQDB-UHD-1-VSR, without the sources themselves.

    Raises:
        UserError: it cannot be read, or is no such file.
    """
    rows = read_json(file, f"give {_SET}")
    needed = (MOS, "method", *GROUPS)
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and all(key in row for key in needed) for row in rows
    ):
        raise UserError(f"{file}: not a list of clips with {', '.join(needed)}; give {_SET}")
    found = [row for row in rows if row["method"] != ORIGINAL and _number(row[MOS]) is not None]
    if not found:
        raise UserError(f"{file}: it has no upscaled clip with a mean opinion score")
    return found


def agreements(rows: Sequence[Mapping[str, Any]], metrics: Iterable[str] = METRICS) -> list[Agreement]:
    """The agreement of viewers with each metric, in the order of the metrics.

    Raises:
        UserError: a metric that no clip has.
    """
    found = []
    for metric in metrics:
        rated = [row for row in rows if _number(row.get(metric)) is not None]
        if not rated:
            known = {key for row in rows for key, value in row.items() if _number(value) is not None}
            raise UserError(f"no clip has '{metric}'{did_you_mean(metric, known)}")
        within = {name: _within(rated, key, metric) for key, name in GROUPS.items()}
        found.append(Agreement(metric, within, len(rated)))
    return found


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Correlation of ranks, equal values at their mean rank; None where one side has no two unlike values."""
    a, b = _ranks(one), _ranks(other)
    mean = (len(a) - 1) / 2
    spread = math.sqrt(sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b))
    return sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True)) / spread if spread else None


def _within(rows: Sequence[Mapping[str, Any]], key: str, metric: str) -> float | None:
    groups: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        groups.setdefault(str(row[key]), []).append((float(row[metric]), float(row[MOS])))
    found = [spearman(*zip(*pairs)) for pairs in groups.values()]
    known = [value for value in found if value is not None]
    return fmean(known) if known else None


def _ranks(values: Sequence[float]) -> list[float]:
    """Each value's rank from 0, ties at their mean."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) - 1) / 2 for value in values
    ]


def _number(value: Any) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return None
    return number if math.isfinite(number) else None
