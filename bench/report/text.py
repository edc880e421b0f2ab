"""A grid as plain text: terminal (rich), Markdown, CSV."""

from __future__ import annotations

import io
import re

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from bench.report import fitting, sheet
from bench.report.grid import BEST, SECOND, Cell, Grid
from frames.text import printable

_RICH = {BEST: ("[bold]", "[/bold]"), SECOND: ("[underline]", "[/underline]")}
_SIGNS = {"\\": "\\\\", "*": "\\*", "`": "\\`", "|": "&#124;", "<": "&lt;", "&": "&amp;", "~": "&#126;"}
_MARKDOWN = {BEST: ("**", "**"), SECOND: ("<u>", "</u>")}


def terminal(grid: Grid, console: Console) -> None:
    """Print with rich; the best figure of a column is bold, the second underlined.

    Columns for which a narrow terminal has no room go into further tables below. Each note is one line, which the
    terminal may wrap, so that names of files in it stay whole.
    """
    for number, part in enumerate(fitting.parts(grid, console.width, _unmarked)):
        console.print(_part(grid, part, f"{grid.title}, continued" if number else grid.title))
    for note in (grid.caption, *grid.notes):
        console.print(_rich(note), style="table.caption", highlight=False, emoji=False, soft_wrap=True)


def _part(grid: Grid, part: fitting.Part, title: str) -> RichTable:
    """Some columns of a grid as a table of rich."""
    table = RichTable(title=_rich(title))
    for index, width in zip(part.columns, part.widths, strict=True):
        head = grid.heads[index]
        text = f"{_rich(head.group)}\n{_rich(head.text)}" if head.group else _rich(head.text)
        table.add_column(text, justify="right" if head.numeric else "left", width=width, overflow="fold")
    for number, block in enumerate(grid.blocks):
        if number:
            table.add_section()
        if block.heading:
            table.add_row(f"[italic]{_rich(block.heading)}[/italic]", end_section=False)
        for line in block.rows:
            table.add_row(*(_marked(line[index], _RICH, _rich) for index in part.columns))
    return table


def markdown(grid: Grid) -> str:
    """A pipe table: groups go into the heads, headings of blocks into rows of their own."""
    heads = [f"{head.group}: {head.text}" if head.group else head.text for head in grid.heads]
    lines = [f"### {_escaped(grid.title)}", "", _line(map(_escaped, heads))]
    lines.append("|" + "|".join("---:" if head.numeric else "---" for head in grid.heads) + "|")
    for block in grid.blocks:
        if block.heading:
            lines.append(_line([f"*{_escaped(block.heading)}*", *[""] * (len(heads) - 1)]))
        lines += [_line(_marked(cell, _MARKDOWN, _escaped) for cell in line) for line in block.rows]
    return "\n".join([*lines, "", _paragraph(grid.caption), *(f"\n{_paragraph(note)}" for note in grid.notes), ""])


def comma_separated(grid: Grid) -> str:
    """CSV with a line for each row, without marks; if rows are cited, a last column has the source of each."""
    out = io.StringIO()
    write = sheet.Writer(out).row
    has_sources = len({block.source for block in grid.blocks}) > 1
    heads = [f"{head.group}: {head.text}" if head.group else head.text for head in grid.heads]
    write([*(["data"] if grid.data else []), *heads, *(["source"] if has_sources else [])])
    for block in grid.blocks:
        for line in block.rows:
            texts = [
                cell.text if index else " ".join(filter(None, (cell.text, cell.sup))) for index, cell in enumerate(line)
            ]
            write([*([grid.data] if grid.data else []), *texts, *([block.source] if has_sources else [])])
    return out.getvalue()


def _rich(text: str) -> str:
    return escape(printable(text))


def _line(cells) -> str:
    return "| " + " | ".join(cells) + " |"


def _marked(cell: Cell, signs: dict[str, tuple[str, str]], escaped) -> str:
    before, after = signs.get(cell.mark, ("", ""))
    return f"{before}{escaped(cell.text)}{after}" + (f" {escaped(cell.sup)}" if cell.sup else "")


def _unmarked(cell: Cell) -> str:
    return _marked(cell, {}, printable)


def _escaped(text: str) -> str:
    """Escape what Markdown would take for markup, for a link, or for the end of a cell."""
    text = "".join(_SIGNS.get(sign, sign) for sign in printable(text))
    text = text.replace("](", "]\\(").replace("]:", "]\\:")
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\_", text)


def _paragraph(text: str) -> str:
    """Escape a paragraph, also where Markdown would take it for a heading, list, quotation, rule or code."""
    text = _escaped(text.strip())
    return re.sub(r"^(\d+)([.)])|^([#>+=-])", lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", text)
