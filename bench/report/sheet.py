"""CSV files in which no cell can be taken for a formula."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from typing import IO

from frames.text import printable

_FORMULA = ("=", "+", "-", "@")


class Writer:
    """Writes rows into a file that was opened with newline="".

    Args:
        floats: format of floats, like ".10g"; empty: all their digits.
    """

    def __init__(self, out: IO[str], floats: str = "") -> None:
        self._csv = csv.writer(out, lineterminator="\n")
        self._floats = floats

    def row(self, values: Iterable[object]) -> None:
        """Write one row: text as `cell` gives it, None and NaN as empty cells."""
        self._csv.writerow([self._text(value) for value in values])

    def rows(self, rows: Iterable[Sequence[object]]) -> None:
        for each in rows:
            self.row(each)

    def _text(self, value: object) -> str:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return ""
        if isinstance(value, float):
            return f"{value:{self._floats}}" if self._floats else repr(value)
        return cell(value) if isinstance(value, str) else str(value)


def cell(text: str) -> str:
    """Text on one line, with an apostrophe in front if it begins like a formula and is no number."""
    text = printable(text)
    if not text.lstrip().startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
