"""Summary tables of the page, and a table of all clips and methods that its script sorts and filters."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.report.grid import figure
from bench.report.page.figures import three
from bench.report.page.order import Metric, metrics_of, rank_values, values
from bench.report.tables import TRAINED, Table
from bench.store.record import Record
from bench.timing.stats import mean


@dataclass(frozen=True)
class HeadCell:
    """A column's head: a button that sorts; `better` is a metric's direction, or "text"."""

    title: str
    better: str
    tip: str = ""


@dataclass(frozen=True)
class BodyCell:
    """A figure as printed, and as sorted (a distance, where nearer to GT is better); `kind` is a class of the style."""

    text: str
    value: float | None
    kind: str = ""

    @property
    def number(self) -> str:
        """The value as the page's script reads it; empty where there is none."""
        if self.value is None or math.isnan(self.value):
            return ""
        return f"{self.value:.10g}".replace("inf", "Infinity")


@dataclass(frozen=True)
class Line:
    """A row: words for the filter, the method with its index in the order of colours, and its figures."""

    words: str
    method: str
    index: int
    cells: list[BodyCell]
    clip: str = ""
    data: str = ""


@dataclass(frozen=True)
class SortedTable:
    """A table that a reader can sort."""

    title: str
    label: str
    heads: list[HeadCell]
    lines: list[Line]
    caption: str = ""


def summary(table: Table, methods: list[str]) -> SortedTable:
    """The table of one data set."""
    heads = [HeadCell("method", "text")]
    heads += [HeadCell("clips", "higher")] if table.incomplete else []
    heads += [HeadCell(column.header, column.better, column.signature or "") for column in table.columns]
    lines = []
    for method in table.methods:
        cells = []
        if table.incomplete:
            measured, expected = table.counted(method)
            cells.append(BodyCell(f"{measured}/{expected}", measured, "lacking" if measured < expected else ""))
        for column in table.columns:
            row = table.cells.get((method, column))
            best = "best" if method in table.best(column) else ""
            mark = f" {TRAINED}" if row and row.value is not None and table.is_trained_on(method, column) else ""
            by = table.ranking_row(method, column)
            cells.append(BodyCell(table.text(method, column) + mark, by.value if by else None, best))
        lines.append(Line(f"{method} {table.data}".lower(), method, methods.index(method), cells))
    return SortedTable(
        table.title, f"Summary of {table.title}", heads, lines, "; ".join(filter(None, (table.caption, table.trained)))
    )


def clips(records: list[Record], methods: list[str]) -> SortedTable:
    """A table with a line for each cell, a clip and a method: its times and its scores."""
    metrics = metrics_of(records)
    timed = list(dict.fromkeys((scope, record.device) for record in records for scope in record.timing))
    timed = sorted(timed, key=lambda each: each[0] != "tensors") or [("tensors", "")]
    several = len({device for _, device in timed}) > 1
    heads = [HeadCell(name, "text") for name in ("clip", "data", "method")]
    heads += [HeadCell(_time_head(scope, device if several else ""), "lower") for scope, device in timed]
    heads += [HeadCell(metric.header, metric.better, metric.signature) for metric in metrics]
    lines = [
        Line(
            f"{record.clip} {record.data} {record.method}".lower(),
            record.method,
            methods.index(record.method),
            [*(_time(record, *each) for each in timed), *(_score(record, metric) for metric in metrics)],
            record.clip,
            record.data,
        )
        for record in records
    ]
    return SortedTable(f"Every clip and method ({len(lines)} rows)", "Every clip and method", heads, lines)


def _score(record: Record, metric: Metric) -> BodyCell:
    scores, ranked = (list(each(record, metric).values()) for each in (values, rank_values))
    text = figure(mean(scores), metric.digits) if scores else "–"
    return BodyCell(text, mean(ranked) if ranked else None)


def _time_head(scope: str, device: str) -> str:
    """The head of a column of times; of one scope and one device, which is named where there are several."""
    head = "ms per frame" if scope == "tensors" else f"ms per frame ({scope})"
    return f"{head}, {device} ↓" if device else f"{head} ↓"


def _time(record: Record, scope: str, device: str) -> BodyCell:
    if not record.ok:
        return BodyCell("failed", None, "lacking")
    times = record.timing.get(scope) if record.device == device else None
    if times is None:
        return BodyCell("–", None)
    value = 1e3 * times.median_s / record.frames
    return BodyCell(three(value), value)
