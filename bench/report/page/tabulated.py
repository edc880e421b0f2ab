"""The summary tables of the page, and one line a clip and method below: sorted and filtered by the page's script."""

from __future__ import annotations

import math
from html import escape

from bench.report.page import marks
from bench.report.page.figures import three
from bench.report.page.order import metrics_of, values
from bench.report.tables import Table
from bench.store.record import Record


def section(tables: list[Table], records: list[Record], methods: list[str]) -> str:
    """All data sets' tables, and the clips behind them."""
    parts = [_summary(table, methods) for table in tables]
    return "\n".join([*parts, _clips(records, methods)])


def _summary(table: Table, methods: list[str]) -> str:
    heads = [_head("method", "text")]
    heads += [_head("clips", "higher")] if table.incomplete else []
    heads += [_head(column.header, column.better, column.signature or "") for column in table.columns]
    lines = []
    for method in table.methods:
        cells = [_name(method, methods)]
        if table.incomplete:
            measured, expected = table.counted(method)
            cells.append(_cell(f"{measured}/{expected}", measured, measured < expected and "lacking"))
        for column in table.columns:
            row = table.cells.get((method, column))
            best = "best" if method in table.best(column) else ""
            cells.append(_cell(table.text(method, column), row.value if row else None, best))
        lines.append(f'<tr data-words="{escape(f"{method} {table.data}".lower())}">{"".join(cells)}</tr>')
    label = escape(f"Summary of {table.title}")
    return (
        f'<div class="card"><h3>{escape(table.title)}</h3>{_table(label, heads, lines)}'
        f'<p class="caption">{escape(table.caption)}</p></div>'
    )


def _clips(records: list[Record], methods: list[str]) -> str:
    """One line a cell: its time and its scores."""
    metrics = metrics_of(records)
    heads = [_head(name, "text") for name in ("clip", "data", "method")] + [_head("ms per frame ↓", "lower")]
    heads += [_head(metric.header, metric.better, metric.signature) for metric in metrics]
    lines = []
    for record in records:
        cells = [f'<th scope="row">{escape(record.clip)}</th>', f"<td>{escape(record.data)}</td>"]
        cells.append(_name(record.method, methods, "td"))
        if record.status == "ok":
            cells.append(_time(record))
        else:
            cells.append(_cell("failed", None, "lacking"))
        for metric in metrics:
            scores = list(values(record, metric).values())
            mean = sum(scores) / len(scores) if scores else None
            cells.append(_cell(_figure(mean, metric.digits), mean))
        words = escape(f"{record.clip} {record.data} {record.method}".lower())
        lines.append(f'<tr data-words="{words}">{"".join(cells)}</tr>')
    return (
        f'<details class="card"><summary>Every clip and method ({len(lines)} rows)</summary>'
        f"{_table('Every clip and method', heads, lines)}</details>"
    )


def _time(record: Record) -> str:
    scope = next(iter(record.timing.values()), None)
    if scope is None:
        return _cell("–", None)
    value = 1e3 * scope.median_s / record.frames
    return _cell(three(value), value)


def _table(label: str, heads: list[str], lines: list[str]) -> str:
    return (
        f'<div class="scroll" role="region" aria-label="{label}" tabindex="0"><table class="sortable">'
        f"<thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
        '<p class="none" hidden>No row fits the filter.</p>'
    )


def _head(title: str, better: str, signature: str = "") -> str:
    tip = f' title="{escape(signature)}"' if signature else ""
    return (
        f'<th scope="col" aria-sort="none" data-better="{better}"{tip}>'
        f'<button type="button">{escape(title)}<span class="arrow" aria-hidden="true"></span></button></th>'
    )


def _name(method: str, methods: list[str], tag: str = "th") -> str:
    scope = ' scope="row"' if tag == "th" else ""
    return f'<{tag}{scope} class="name">{marks.key(methods.index(method))}{escape(method)}</{tag}>'


def _cell(text: str, value: float | None, kind: str | bool = "") -> str:
    number = "" if value is None or math.isnan(value) else f"{value:.10g}"
    return f'<td class="figure {kind or ""}" data-value="{number}">{escape(text)}</td>'


def _figure(value: float | None, digits: int) -> str:
    if value is None:
        return "–"
    return "∞" if math.isinf(value) else f"{value:.{digits}f}"
