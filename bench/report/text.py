"""A grid as plain text: terminal (rich), Markdown, CSV."""

from __future__ import annotations

import csv
import io

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from bench.report.grid import BEST, SECOND, Cell, Grid

_RICH = {BEST: ("[bold]", "[/bold]"), SECOND: ("[underline]", "[/underline]")}
_MARKDOWN = {BEST: ("**", "**"), SECOND: ("<u>", "</u>")}


def terminal(grid: Grid, console: Console) -> None:
    """Print with rich; the best figure of a column is bold, the second underlined."""
    notes = "\n".join([grid.caption, *grid.notes])
    table = RichTable(title=grid.title, caption=escape(notes), caption_justify="left")
    for index, head in enumerate(grid.heads):
        title = f"{head.group}\n{head.text}" if head.group else head.text
        table.add_column(escape(title), justify="right" if head.numeric else "left", no_wrap=not index)
    for number, block in enumerate(grid.blocks):
        if number:
            table.add_section()
        if block.heading:
            table.add_row(f"[italic]{escape(block.heading)}[/italic]", end_section=False)
        for line in block.rows:
            table.add_row(*(_marked(cell, _RICH, escape) for cell in line))
    console.print(table)


def markdown(grid: Grid) -> str:
    """A pipe table: groups go into the heads, headings of blocks into rows of their own."""
    heads = [f"{head.group}: {head.text}" if head.group else head.text for head in grid.heads]
    lines = [f"### {_escaped(grid.title)}", "", _line(map(_escaped, heads))]
    lines.append("|" + "|".join("---:" if head.numeric else "---" for head in grid.heads) + "|")
    for block in grid.blocks:
        if block.heading:
            lines.append(_line([f"*{_escaped(block.heading)}*", *[""] * (len(heads) - 1)]))
        lines += [_line(_marked(cell, _MARKDOWN, _escaped) for cell in line) for line in block.rows]
    return "\n".join([*lines, "", _escaped(grid.caption), *(f"\n{_escaped(note)}" for note in grid.notes), ""])


def comma_separated(grid: Grid) -> str:
    """One line a row; marks are left out, the source of cited rows is in a last column where there are any."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    told = len({block.source for block in grid.blocks}) > 1
    heads = [f"{head.group}: {head.text}" if head.group else head.text for head in grid.heads]
    writer.writerow([*(["data"] if grid.data else []), *heads, *(["source"] if told else [])])
    for block in grid.blocks:
        for line in block.rows:
            texts = [
                cell.text if index else " ".join(filter(None, (cell.text, cell.sup))) for index, cell in enumerate(line)
            ]
            writer.writerow([*([grid.data] if grid.data else []), *texts, *([block.source] if told else [])])
    return out.getvalue()


def _line(cells) -> str:
    return "| " + " | ".join(cells) + " |"


def _marked(cell: Cell, signs: dict[str, tuple[str, str]], escaped) -> str:
    before, after = signs.get(cell.mark, ("", ""))
    return f"{before}{escaped(cell.text)}{after}" + (f" {escaped(cell.sup)}" if cell.sup else "")


def _escaped(text: str) -> str:
    """Text that Markdown would take for markup or for the end of a cell."""
    for sign in "\\|*<":
        text = text.replace(sign, {"|": "&#124;", "<": "&lt;"}.get(sign, "\\" + sign))
    return text
