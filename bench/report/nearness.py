"""The values that rank a method: its scores, or their distances from GT's value where that is the best."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from statistics import fmean

from bench.report.columns import Column
from bench.report.summary import Row
from bench.store.record import Record
from frames.errors import UserError


def nearness(row: Row | None, column: Column, records: list[Record]) -> Row | None:
    """A set's row as distances from GT's own value, for a column in which nearer to that is better.

    The distance is taken frame by frame; a clip's is the mean over its frames, the set's the mean over its clips.

    Args:
        records: of the data set, all methods.
    Returns:
        None if there is no row, or a clip lacks GT's own value.
    """
    if row is None:
        return None
    distances: dict[str, float] = {}
    for record in records:
        score = record.scores.get(column.metric)
        if record.method == row.method and score and score.values and column.signature in (None, score.signature):
            values = record.rank_values(column.metric)
            if not values:
                return None
            distances[record.clip] = fmean(values.values())
    if not distances:
        return None
    evidence: dict[str, tuple[float, ...]] = {clip: (each,) for clip, each in distances.items()}
    return replace(row, value=fmean(distances.values()), evidence=evidence)


def ranking_row(row: Row | None, by: Column, records: list[Record]) -> Row | None:
    """The row that ranks a method in a column; None if the column has no direction, or `nearness` has none."""
    if by.better == "none":
        return None
    return nearness(row, by, records) if by.better == "nearer" else row


def place(row: Row | None, by: Column, records: list[Record]) -> float:
    """Sort key of a method by a column, best first; methods without a figure come last.

    Raises:
        UserError: the column has no direction.
    """
    if by.better == "none":
        raise UserError(f"cannot sort by {by.metric}: it has no direction and ranks no method")
    row = ranking_row(row, by, records)
    if row is None or row.value is None or math.isnan(row.value):
        return float("inf")
    return -row.value if by.better == "higher" else row.value


def unranked_notes(records: list[Record]) -> Iterator[str]:
    """A line for each metric that cannot rank methods, because GT's own value was not measured."""
    lacking = dict.fromkeys(
        name
        for record in records
        for name, score in record.scores.items()
        if score.better == "nearer" and score.values and not record.rank_values(name)
    )
    for name in lacking:
        yield f"{name} is not ranked: nearer to GT's own value is better, and that was not measured (metric {name}-gt)"
