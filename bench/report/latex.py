"""A grid as a LaTeX table: booktabs, units in the heads, protocol in the caption, notes below."""

from __future__ import annotations

import unicodedata

from bench.report.grid import BEST, SECOND, Cell, Grid

NEEDS = "% needs \\usepackage{booktabs}"
_WIDE = 7  # from so many columns on the table takes the whole width of the page
_COMMANDS = {BEST: r"\textbf", SECOND: r"\underline"}
_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "×": r"$\times$",
    "±": r"$\pm$",
    "–": "--",
    "∞": r"$\infty$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "§": r"\S{}",
    "µ": r"$\mu$",
    "²": r"\textsuperscript{2}",
    "·": r"$\cdot$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
}


def latex(grid: Grid, label: str = "") -> str:
    """The table environment; it compiles with booktabs alone.

    Args:
        grid: a table.
        label: for `\\ref`; none when empty.
    """
    width = len(grid.heads)
    environment = "table*" if width >= _WIDE else "table"
    columns = "".join("r" if head.numeric else "l" for head in grid.heads)
    lines = [
        NEEDS,
        rf"\begin{{{environment}}}[t]",
        r"\centering",
        rf"\caption{{{escaped(grid.title)}. {escaped(grid.caption)}.}}",
        *([rf"\label{{{label}}}"] if label else []),
        r"\footnotesize" if width >= _WIDE else r"\small",
        rf"\setlength{{\tabcolsep}}{{{3.5 if width > 10 else 5}pt}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
    ]
    if grid.grouped:
        spans, rules, start = [], [], 1
        for text, count in grid.spans():
            spans.append(rf"\multicolumn{{{count}}}{{c}}{{{escaped(text)}}}" if text else "")
            rules += [rf"\cmidrule(lr){{{start}-{start + count - 1}}}"] if text else []
            start += count
        lines += [" & ".join(spans) + r" \\", " ".join(rules)]
    lines.append(" & ".join(escaped(head.text) for head in grid.heads) + r" \\")
    for block in grid.blocks:
        lines.append(r"\midrule")
        if block.heading:
            lines.append(rf"\multicolumn{{{width}}}{{l}}{{\textit{{{escaped(block.heading)}}}}} \\")
        lines += [" & ".join(map(_cell, line)) + r" \\" for line in block.rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    if grid.notes:
        notes = r" \\ ".join(escaped(note) for note in grid.notes)
        lines.append(rf"\\[2pt] \parbox{{0.97\linewidth}}{{\scriptsize {notes}}}")
    return "\n".join([*lines, rf"\end{{{environment}}}", ""])


def figure(file: str, title: str, caption: str, label: str, wide: bool) -> str:
    """The environment for a plot that lies in a file."""
    environment, width = ("figure*", r"\textwidth") if wide else ("figure", r"\columnwidth")
    return "\n".join(
        [
            "% needs \\usepackage{graphicx}",
            rf"\begin{{{environment}}}[t]",
            r"\centering",
            rf"\includegraphics[width={width}]{{{file}}}",
            rf"\caption{{{escaped(title)}. {escaped(caption)}.}}",
            rf"\label{{{label}}}",
            rf"\end{{{environment}}}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Text with LaTeX's own signs spelled; letters that no standard font has are taken apart or named."""
    return "".join(_SIGNS.get(sign) or _plain(sign) for sign in text)


def _plain(sign: str) -> str:
    if ord(sign) < 0x180:  # what inputenc's utf8 and the standard fonts know
        return sign
    apart = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return apart or f"(U+{ord(sign):04X})"


def _cell(cell: Cell) -> str:
    text = escaped(cell.text)
    if cell.mark:
        text = f"{_COMMANDS[cell.mark]}{{{text}}}"
    return text + (rf"\textsuperscript{{{escaped(cell.sup)}}}" if cell.sup else "")
