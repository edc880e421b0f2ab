"""A grid as a LaTeX table: booktabs, units in the heads, protocol in the caption, notes below."""

from __future__ import annotations

import textwrap
import unicodedata

from bench.report.grid import BEST, SECOND, Cell, Grid, Head
from frames.text import printable

NEEDS = "% needs \\usepackage{booktabs} and \\usepackage{graphicx}, which shrinks what is too wide"
_FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
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
    "→": r"$\rightarrow$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "¶": r"\P{}",
    "§": r"\S{}",
    "µ": r"$\mu$",
    "²": r"\textsuperscript{2}",
    "·": r"$\cdot$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
}


def latex(grid: Grid, label: str = "") -> str:
    """A grid as a table environment of LaTeX, which needs booktabs and graphicx.

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
        _caption(grid.title, grid.caption),
        r"\vspace{4pt}",
        *([rf"\label{{{label}}}"] if label else []),
        r"\footnotesize" if width >= _WIDE else r"\small",
        rf"\setlength{{\tabcolsep}}{{{3.5 if width > 10 else 5}pt}}",
        _FIT,
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
    lines.append(" & ".join(map(_head, grid.heads)) + r" \\")
    letters = _letters(grid)
    for block in grid.blocks:
        lines.append(r"\midrule")
        if block.heading:
            for part in textwrap.wrap(block.heading, letters):
                lines.append(rf"\multicolumn{{{width}}}{{l}}{{\textit{{{escaped(part)}}}}} \\")
        lines += [_begun(" & ".join(map(_cell, line))) + r" \\" for line in block.rows]
    lines += [r"\bottomrule", r"\end{tabular}}"]
    if grid.notes:
        notes = r" \\ ".join(_begun(escaped(note)) for note in grid.notes)
        lines.append(rf"\par\vspace{{3pt}}\parbox{{0.97\linewidth}}{{\scriptsize {notes}}}")
    return "\n".join([*lines, rf"\end{{{environment}}}", ""])


def figure(file: str, title: str, caption: str, label: str, wide: bool) -> str:
    """A figure environment of LaTeX for a plot in a file."""
    environment = "figure*" if wide else "figure"
    return "\n".join(
        [
            "% needs \\usepackage{graphicx}",
            rf"\begin{{{environment}}}[t]",
            r"\centering",
            rf"{_FIT}",
            rf"\includegraphics{{{file}}}}}",
            _caption(title, caption),
            rf"\label{{{label}}}",
            rf"\end{{{environment}}}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Escape text for LaTeX; letters that no standard font has become plain letters, or their code points."""
    return "".join(_SIGNS.get(sign) or _plain(sign) for sign in printable(text))


def _caption(title: str, text: str) -> str:
    return rf"\caption{{{escaped(title)}. {escaped(text[:1].upper() + text[1:])}.}}"


def _head(head: Head) -> str:
    """A column's head, on two lines if it is long: the unit, or the part after a hyphen, goes below."""
    cut = head.text.find(" [") if " [" in head.text else head.text.find("-")
    if not head.numeric or len(head.text) < 9 or cut < 0:
        return escaped(head.text)
    cut += head.text[cut] == "-"
    return rf"\shortstack[r]{{{escaped(head.text[:cut])} \\{{}} {escaped(head.text[cut:].strip())}}}"


def _letters(grid: Grid) -> int:
    """The approximate width of the table in letters; longer headings of blocks are broken."""
    longest = [
        max((len(line[index].text) for block in grid.blocks for line in block.rows), default=0)
        for index in range(len(grid.heads))
    ]
    heads = [max(map(len, head.text.replace("-", " [").split(" ["))) for head in grid.heads]
    return max(40, sum(max(pair) + 2 for pair in zip(longest, heads)))


def _begun(line: str) -> str:
    r"""A line that may follow `\\` or `\midrule`, which take a bracket or a star behind them for their own argument."""
    return "{}" + line if line.startswith(("[", "*")) else line


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
