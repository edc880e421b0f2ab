"""`python -m bench agreement DATASET.json`: how far viewers agree with each metric."""

from __future__ import annotations

from pathlib import Path

from bench.commands.parser import Parser
from frames.errors import OK

ABOUT = """DATASET.json is the file of AVT-VQDB-UHD-1-VSR (QoMEX 2026), which you download yourself. The table has
Spearman's correlation of each metric with mean opinion scores, among the upscalings of one LR input, or of one source,
as the mean over all of them. It should be negative for distances (LPIPS, DISTS, NIQE) and positive for all others."""


def main(argv: list[str]) -> int:
    parser = Parser("agreement", ABOUT)
    parser.add_argument("dataset", type=Path, metavar="DATASET.json", help="file of the set with opinion scores")
    parser.add_argument("--metrics", help="comma-separated fields of the file (default: those of the published table)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table there as well")
    arguments = parser.parse_args(argv)
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from bench.labels import listed
    from bench.metrics.agreement import GROUPS, METRICS, agreements, read
    from bench.report import sheet
    from frames.atomic import replacing
    from frames.text import printable

    rows = read(arguments.dataset)
    found = agreements(rows, dict.fromkeys(listed(arguments.metrics or "")) or METRICS)
    table = Table(title=f"Spearman's correlation with mean opinion scores, {len(rows)} clips")
    for header in ("metric", *(f"within {name}" for name in GROUPS.values()), "clips"):
        table.add_column(header, justify="left" if header == "metric" else "right")
    for each in found:
        figures = ("–" if value is None else f"{value:+.2f}" for value in each.within.values())
        table.add_row(escape(printable(each.metric)), *figures, str(each.clips))
    Console(highlight=False).print(table)
    if arguments.csv:
        with replacing(arguments.csv) as part, open(part, "w", encoding="utf-8", newline="") as out:
            lines = sheet.Writer(out, floats=".3f")
            lines.row(("metric", "within_lr_input", "within_source", "clips"))
            lines.rows([each.metric, *each.within.values(), each.clips] for each in found)
    return OK
