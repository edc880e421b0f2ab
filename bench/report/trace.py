"""The records behind each printed figure."""

from __future__ import annotations

from collections.abc import Iterator

from bench.report.grid import Grid, Provenance
from bench.report.summary import Row
from bench.store.record import Record
from bench.timing.stats import mean


def sources(row: Row, records: list[Record]) -> tuple[Provenance, ...]:
    """The clips behind a set's figure.

    Args:
        row: of a whole set; without a signature where its clips were scored under unlike recipes.
        records: of its method on its data set.
    """
    found = []
    for record in records:
        value = _score(row, record) if not row.signature.startswith("time|") else _time(row, record)
        if value:
            frames = f"frames {(record.sr_sha256 or '')[:12]}"
            recipe = row.signature or record.scores[row.metric].signature
            found.append(Provenance(record.run, record.clip, value, frames, record.date, recipe))
    return tuple(found)


def lines(name: str, grid: Grid) -> Iterator[str]:
    """Yield for each cell its place and figure, then a line for each clip: run, clip, figure, record, date, signature.

    A record is named by the start of its frames' sha256, which `records.jsonl` has as `sr_sha256`.
    """
    for block in grid.blocks:
        for row in block.rows:
            for head, cell in list(zip(grid.heads, row))[1:]:
                if cell.sources:
                    column = f"{head.group}: {head.text}" if head.group else head.text
                    yield f"{name} | {row[0].text} | {column} | {cell.text}"
                    yield from (
                        f"    {s.run} | {s.clip} | {s.value} | {s.record} | {s.date} | {s.signature}"
                        for s in cell.sources
                    )


def _score(row: Row, record: Record) -> str:
    score = record.scores.get(row.metric)
    if not score or not score.values or row.signature not in ("", score.signature):
        return ""
    return f"{mean(score.values):.6g} (mean of {len(score.values)} frames)"


def _time(row: Row, record: Record) -> str:
    scope = row.signature.split("|")[1]
    times = record.timing.get(scope)
    if not times or not row.signature.startswith(f"time|{scope}|{times.clock}|{record.device}|"):
        return ""
    if row.metric.startswith("peak_memory"):
        peak = times.peak_memory_mb
        return "not seen" if peak is None else f"{peak:.6g} MiB"
    seconds = ", ".join(f"{seconds:.6g}" for seconds in times.seconds)
    return f"{seconds} s for {record.frames} frames"
