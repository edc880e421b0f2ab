"""Tables for people: one a data set, methods down, speed and quality across; terminal, Markdown, CSV, LaTeX."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from bench.report.summary import ALL, Row, rows

_SPEED = {  # metric: (title, unit, better, digits)
    "fps": ("FPS", "1/s", "higher", None),
    "ms_per_frame": ("time per frame", "ms", "lower", None),
    "mpx_per_s": ("output", "Mpx/s", "higher", None),
    "peak_memory_mb": ("peak memory", "MiB", "lower", 0),
    "energy_j_per_frame": ("energy per frame", "J", "lower", None),
}
_ARROW = {"higher": "↑", "lower": "↓"}


@dataclass(frozen=True)
class Column:
    """One metric under one recipe: unlike signatures make unlike columns."""

    metric: str
    title: str
    unit: str
    better: str
    digits: int | None  # None: three significant digits
    signature: str | None  # None for times: their recipe is in the caption and in summary.csv

    @property
    def header(self) -> str:
        unit = f" [{self.unit}]" if self.unit else ""
        return f"{self.title}{unit} {_ARROW[self.better]}"


@dataclass(frozen=True)
class Table:
    """Cells as rows computed them; None where nothing was measured."""

    data: str
    title: str
    caption: str
    columns: list[Column]
    methods: list[str]
    cells: dict[tuple[str, Column], Row]
    expected: int  # clips of the complete set
    notes: list[str]

    def text(self, method: str, column: Column) -> str:
        """The printed figure, with n/expected where it lacks clips that the row's others have; a dash for nothing."""
        row = self.cells.get((method, column))
        if row is None or row.value is None:
            return "–"
        value = "∞" if math.isinf(row.value) else _figure(row.value, column.digits)
        return value if row.n == self.counted(method)[0] else f"{value} ({row.n}/{row.expected})"

    def counted(self, method: str) -> tuple[int, int]:
        """(clips measured, clips expected) of a method."""
        found = [row for (name, _), row in self.cells.items() if name == method]
        return max((row.n for row in found), default=0), self.expected

    @property
    def header(self) -> list[str]:
        """Column titles; the clips are counted where any are missing."""
        return ["method", *(["clips"] if self.incomplete else []), *(column.header for column in self.columns)]

    def line(self, method: str, bold: Callable[[str], str]) -> list[str]:
        """One method's cells as text, the best figures passed through `bold`."""
        count = ["{}/{}".format(*self.counted(method))] if self.incomplete else []
        cells = [(self.text(method, column), method in self.best(column)) for column in self.columns]
        return [*count, *(bold(text) if best else text for text, best in cells)]

    @property
    def incomplete(self) -> bool:
        return any(measured < expected for measured, expected in map(self.counted, self.methods))

    def best(self, column: Column) -> set[str]:
        """The methods that share the best figure as printed, among those that measured every clip."""
        complete = {m: r for m in self.methods if (r := self.cells.get((m, column))) and r.value is not None}
        if len(complete) < 2:
            return set()
        pick = max if column.better == "higher" else min
        top = self.text(pick(complete, key=lambda m: complete[m].value), column)
        return {method for method in complete if self.text(method, column) == top}


def tables(records: list[dict], mix: bool = False) -> list[Table]:
    """One table a data set, in the order of the records.

    Unlike signatures never share a column, unless `mix` asks for it: then the column's head says so.
    """
    found = rows(records)
    return [
        _table(data, [r for r in records if r["data"] == data], [r for r in found if r.data == data], mix)
        for data in dict.fromkeys(record["data"] for record in records)
    ]


def terminal(table: Table, console: Console) -> None:
    """Print with rich; the best figure of a column is bold."""
    rich = RichTable(title=table.title, caption="\n".join([table.caption, *table.notes]), caption_justify="left")
    for index, header in enumerate(table.header):
        rich.add_column(escape(header), justify="right" if index else "left", no_wrap=not index)
    for method in table.methods:
        rich.add_row(escape(method), *table.line(method, lambda text: f"[bold]{text}[/bold]"))
    console.print(rich)


def markdown(table: Table) -> str:
    lines = [
        f"### {table.title}",
        "",
        "| " + " | ".join(table.header) + " |",
        "|---|" + "---:|" * (len(table.header) - 1),
    ]
    lines += [
        f"| {method} | " + " | ".join(table.line(method, lambda text: f"**{text}**")) + " |" for method in table.methods
    ]
    return "\n".join([*lines, "", table.caption, *(f"\n{note}" for note in table.notes), ""])


def comma_separated(table: Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["data", *table.header])
    for method in table.methods:
        writer.writerow([table.data, method, *table.line(method, str)])
    return out.getvalue()


def latex(table: Table) -> str:
    """A booktabs table; the best figure of a column is bold."""
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_tex(table.title)}. {_tex(table.caption)}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
        r"\toprule",
        " & ".join(map(_tex, table.header)) + r" \\",
        r"\midrule",
    ]
    for method in table.methods:
        cells = [
            text if text.startswith(r"\textbf") else _tex(text)
            for text in table.line(method, lambda text: rf"\textbf{{{_tex(text)}}}")
        ]
        lines.append(" & ".join([_tex(method), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _table(data: str, records: list[dict], found: list[Row], mix: bool) -> Table:
    total = [row for row in found if row.clip == ALL]
    kinds = {(name, s["signature"]): s for record in records for name, s in record["scores"].items()}
    columns: list[Column] = []
    for metric, (title, unit, better, digits) in _SPEED.items():
        for name in dict.fromkeys(r.metric for r in total if r.metric.split("-")[0] == metric):
            scope = name.removeprefix(metric).lstrip("-")
            columns.append(Column(name, f"{title} ({scope})" if scope else title, unit, better, digits, None))
    for (name, signature), kind in kinds.items():
        if mix:
            others = [s for n, s in kinds if n == name and s != signature]
            title, signature = (f"{kind['title']} (mixed recipes)", None) if others else (kind["short"], signature)
        else:
            title = kind["short"]
        column = Column(name, title, kind["unit"], kind["better"], kind["digits"], signature)
        if not any((c.metric, c.signature) == (name, signature) for c in columns):
            columns.append(column)
    cells = {
        (row.method, column): row
        for row in total
        for column in columns
        if row.metric == column.metric and column.signature in (None, row.signature)
    }
    clips = {record["clip"]: record["frames"] for record in records}
    expected = records[-1]["expected_clips"]
    caption = (
        f"{len(clips)}{'' if len(clips) == expected else f' of {expected}'} clips, {sum(clips.values())} frames; "
        f"protocol {_listed(r['protocol'] for r in records)}; "
        f"LR {_listed(r['lr_origin'] for r in records)}; {_listed(r['device'] for r in records)}; "
        f"times: {_listed(scope for r in records for scope in r['timing'])}, median; {records[-1]['date'][:10]}"
    )
    notes = [
        f"{record['clip']}, {record['method']}: failed: {record['reason']}"
        for record in records
        if record["status"] != "ok"
    ]
    notes += [
        f"{record['clip']}, {record['method']}: the doctor says: {finding['text']} (scored as it is)"
        for record in records
        for finding in record.get("doctor") or ()
    ]
    notes += [
        f"{record['clip']}, {record['method']}: {note}"
        for record in records
        for times in record["timing"].values()
        for note in _doubts(times)
    ]
    methods = list(dict.fromkeys(record["method"] for record in records))
    return Table(
        data, f"{data} ×{_listed(r['scale'] for r in records)}", caption, columns, methods, cells, expected, notes
    )


def _doubts(times: dict) -> list[str]:
    """What a reader should know before trusting these times."""
    found = []
    if times.get("same_output") is False:
        found.append("repetitions gave different frames: the method is not deterministic")
    if times.get("redone"):
        found.append(f"{times['redone']} repetitions redone because the GPU throttled")
    if any((each.get("telemetry") or {}).get("throttled") for each in times["repetitions"]):
        found.append("the GPU throttled all the same")
    return found


def _figure(value: float, digits: int | None) -> str:
    if digits is not None:
        return f"{value:.{digits}f}"
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _listed(values) -> str:
    return ", ".join(dict.fromkeys(str(value) for value in values))


def _tex(text: str) -> str:
    for plain, escaped in (
        ("\\", r"\textbackslash "),
        ("_", r"\_"),
        ("%", r"\%"),
        ("&", r"\&"),
        ("#", r"\#"),
        ("×", r"$\times$"),
        ("–", "--"),
        ("∞", r"$\infty$"),
        ("↑", r"$\uparrow$"),
        ("↓", r"$\downarrow$"),
    ):
        text = text.replace(plain, escaped)
    return text
