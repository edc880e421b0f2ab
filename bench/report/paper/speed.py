"""A table of speeds as papers print it: a block for each machine and size, ours measured, peers cited by group."""

from __future__ import annotations

from dataclasses import replace

from bench.labels import parts
from bench.report import cited
from bench.report.columns import FACTS, Column, Fact
from bench.report.grid import MARKS, Block, Cell, Grid, Head, Provenance, figure, rank
from bench.report.methods import RANDOM_NOTE, steps
from bench.report.paper.gather import rows_of
from bench.report.paper.spec import Spec
from bench.report.summary import Row, most_clips
from bench.report.tables import RANDOM, Table, tables
from bench.store.record import Record

_HEADS = (
    Head("method", numeric=False),
    Head("steps"),
    Head("time [s] ↓"),
    Head("FPS [1/s] ↑"),
    Head("output [Mpx/s] ↑"),
    Head("peak memory [GB] ↓"),
)


def grid(spec: Spec, runs: dict[str, list[Record]], published: list[cited.Speed]) -> Grid:
    """Build the table; a block's heading says what was timed and where, and only rows of one block compare."""
    rows = rows_of(spec, runs)
    labelled = [replace(record, method=label) for label, found in rows.items() for record in found]
    blocks, notes, dates = [], [], []
    for table in tables(labelled):
        for device in dict.fromkeys(r.device for r in table.records):
            for scope in dict.fromkeys(s for r in table.records if r.device == device for s in r.timing):
                blocks.append(_block(table, device, scope))
        notes += [f"{table.title}: {note}" for note in table.notes if not note.startswith(RANDOM)]
        dates.append(max(record.date for record in table.records)[:10])
        untrained = [method for method in table.methods if method in table.random]
        notes += [f"{RANDOM} {', '.join(untrained)}: {RANDOM_NOTE}"] if untrained else []
    absent = [rule.label for rule in spec.rows if not rows[rule.label]]
    if absent:
        notes.append(f"not measured: {'; '.join(absent)}")
    quoted = [each for each in published if any(c.fits(each.group, each.method, each.conditions) for c in spec.cite)]
    sources = list(dict.fromkeys(each.source for each in quoted))
    for conditions in dict.fromkeys((each.group, each.conditions) for each in quoted):
        members = [each for each in quoted if (each.group, each.conditions) == conditions]
        lines = [_cited_line(each, cited.letter_of(sources.index(each.source), len(sources))) for each in members]
        heading = f"cited, group {conditions[0]}: {conditions[1]}"
        blocks.append(Block(tuple(lines), heading, f"cited, group {conditions[0]}: {conditions[1]}"))
    notes += [
        f"{cited.CITED}{cited.letter_of(index, len(sources))} cited: {source}" for index, source in enumerate(sources)
    ]
    if quoted:
        notes.append("cited time, FPS, Mpx/s: what the source does not give is computed from its frames and size")
    if any(cell.text == "–" for block in blocks for line in block.rows for cell in line[1:]):
        notes.append("– not measured, not stated, or (steps) none")
    measured = [f"measured {', '.join(dict.fromkeys(dates))}; medians of repetitions"] if dates else []
    marked = any(cell.mark for block in blocks for line in block.rows for cell in line)
    phrases = [*measured, "only rows of one block compare", *([MARKS] if marked else []), spec.note]
    caption = "; ".join(phrases).rstrip("; ")
    return Grid(spec.title, caption, _HEADS, tuple(blocks), tuple(dict.fromkeys(notes)))


def _block(table: Table, device: str, scope: str) -> Block:
    """Our rows on one data set, machine and scope."""
    suffix = "" if scope == "tensors" else f"-{scope}"
    shown = {
        metric: column
        for metric in ("fps", "mpx_per_s", "peak_memory_mb")
        for column in table.columns
        if column.metric == metric + suffix and column.device in (None, device)
    }
    speeds = _values(table, shown["fps"])
    members = list(speeds)
    peaks = shown.get("peak_memory_mb")
    memory = {m: mb * 2**20 / 1e9 for m, mb in _values(table, peaks).items() if peaks and peaks.better == "lower"}
    peak_rows = {m: table.cells[m, peaks] for m in memory if peaks}
    alike = most_clips(peak_rows.values())  # who lacks the largest clip needs less memory
    ranked = {m: memory[m] for m, row in peak_rows.items() if row.clips == alike}
    least = rank(ranked, "lower", lambda method: figure(memory[method], None), lambda one, other: False)
    timed = [r for r in table.records if r.method in members and r.device == device and scope in r.timing]
    lines = []
    for method in members:
        own = [r for r in timed if r.method == method]
        speed = table.cell(method, shown["fps"], counted=True)
        peak = table.cell(method, peaks, counted=True) if peaks and method in memory else Cell("–")
        count = next((n for record in own if (n := steps(record)) is not None), None)
        frames = sum(record.frames for record in own)
        seconds = frames / speeds[method]
        lines.append(
            (
                Cell(method, sup=RANDOM if method in table.random else ""),
                Cell("–" if count is None else str(count)),
                Cell(figure(seconds, None), speed.mark, speed.sup, speed.sources),
                speed,
                table.cell(method, shown["mpx_per_s"]),
                Cell(_counted(peak_rows[method], memory[method]), least.get(method, ""), "", peak.sources)
                if method in memory
                else peak,
            )
        )
    clips = {record.clip: record.frames for record in timed}
    what = "LR tensors to SR tensors" if scope == "tensors" else "PNG files to PNG files"
    precision = Fact("precision", FACTS["precision"]).text(timed)
    size = Fact("size", FACTS["size"]).text(timed)
    counts = f"{sum(clips.values())} frames of {size} in {len(clips)} clip{'s' * (len(clips) > 1)}"
    heading = f"measured here: {device}, {precision}; {parts(table.data)[0]}, {counts}; {what}"
    return Block(tuple(lines), heading)


def _counted(row: Row, value: float) -> str:
    """A figure, with n/expected where clips are missing."""
    return figure(value, None) + (f" ({row.n}/{row.expected})" if row.n < row.expected else "")


def _values(table: Table, column: Column | None) -> dict[str, float]:
    """A column's figures by method, of those measured (a program's memory may not have been seen)."""
    found = {m: row for m in table.methods if column is not None and (row := table.cells.get((m, column)))}
    return {method: row.value for method, row in found.items() if row.value}


def _cited_line(each: cited.Speed, letter: str) -> tuple[Cell, ...]:
    def cell(value: float | None, given: bool) -> Cell:
        if value is None:
            return Cell("–")
        text = each.text if given else figure(value, None)
        computed = "" if given else " (computed)"
        source = Provenance("published", each.conditions, text, f"group {each.group}", "", f"{each.source}{computed}")
        return Cell(text, sources=(source,))

    is_time, count = each.unit.startswith("s"), int(each.frames) if each.frames.isdigit() else None
    seconds = each.value if is_time else count / each.fps if count and each.fps else None
    return (
        Cell(each.method, sup=cited.CITED + letter),
        Cell(each.steps if each.steps.isdigit() else "–"),
        cell(seconds, is_time),
        cell(each.fps, each.unit.startswith("fps")),
        cell(each.mpx_per_s, False),
        Cell(each.peak_gb or "–"),
    )
