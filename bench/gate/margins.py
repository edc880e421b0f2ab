"""Margins: how far a figure may fall before it counts as worse."""

from __future__ import annotations

import math
from collections.abc import Iterable

from bench.store.record import Score
from frames.errors import UserError, did_you_mean

MARGINS = {"psnr": 0.05, "ssim": 0.002, "lpips": 0.003, "dists": 0.003, "speed": 0.10}
"""Margins of no change, by metric or family of metrics: dB, SSIM, distances; speed as a share."""


def family(metric: str) -> str:
    """`psnr-y` -> `psnr`, `pyiqa/musiq` -> `pyiqa`."""
    return metric.partition("-")[0].partition("/")[0]


def parse(items: Iterable[str], metrics: Iterable[str]) -> dict[str, float]:
    """The default margins, updated by those of the command line.

    Args:
        items: NAME=VALUE each; NAME is a metric, or a family of them.
        metrics: the metrics of the golden run.
    Raises:
        UserError: an unknown name, or a value that is no finite number from 0 on.
    """
    known = {*MARGINS, *metrics, *map(family, metrics)}
    found = dict(MARGINS)
    for item in items:
        name, _, text = item.partition("=")
        if name not in known:
            raise UserError(f"--margin {item}: unknown metric{did_you_mean(name, known)}")
        try:
            value = float(text)
        except ValueError:
            raise UserError(f"--margin {item}: '{text}' is no number; write {name}=0.1") from None
        if not math.isfinite(value) or value < 0:
            raise UserError(f"--margin {item}: a margin is a finite number, 0 or more")
        found[name] = value
    return found


def margin_of(metric: str, score: Score, margins: dict[str, float]) -> float:
    """A metric's margin: its own, its family's, or half a unit of the last digit that tables print."""
    for name in (metric, family(metric)):
        if name in margins:
            return margins[name]
    return 0.5 * 10.0**-score.digits
