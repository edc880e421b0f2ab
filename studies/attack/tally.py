"""Outcomes of the cases so far: a table, and a file that keeps them between calls."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from studies.attack.case import COLUMNS, Case, Outcome


@dataclass(frozen=True)
class Count:
    """Result of one case, as it is counted in the table."""

    number: int
    kind: str
    code: int
    faults: list[str]
    unforeseen: bool
    peak_mb: int

    @classmethod
    def of(cls, number: int, case: Case, outcome: Outcome) -> Count:
        kind, peak = case.kind.split(":")[0], round(outcome.peak_mb)
        return cls(number, kind, outcome.code, outcome.faults(case), outcome.unforeseen, peak)


class Tally:
    """Results of the cases of one seed.

    Args:
        seed: results of other seeds in the file stay as they are.
        file: one line for each case; None: nothing is kept. Cases without a fault are done, others are tried again.
    """

    def __init__(self, seed: int, file: Path | None = None) -> None:
        self._seed, self._file = seed, file
        self._counts: dict[int, Count] = {}
        if file is not None and file.is_file():
            for line in file.read_text(encoding="utf-8").splitlines():
                kept = json.loads(line)
                if kept.pop("seed") == seed:
                    self._counts[kept["number"]] = Count(**kept)

    def done(self, number: int) -> bool:
        """Whether the case was tried and had no fault."""
        return number in self._counts and not self._counts[number].faults

    def add(self, count: Count) -> None:
        """Add the result of a case; it replaces that of an earlier try."""
        self._counts[count.number] = count
        if self._file is not None:
            with open(self._file, "a", encoding="utf-8") as file:
                file.write(json.dumps({"seed": self._seed, **asdict(count)}) + "\n")

    def summary(self, numbers: list[int]) -> tuple[list[str], int, int]:
        """Summarise the cases of these numbers: lines of a table by kind of input, number of cases tried, faults."""
        counts = [self._counts[number] for number in numbers if number in self._counts]
        kinds = dict.fromkeys(each.kind for each in counts)
        rows = {kind: _row([each for each in counts if each.kind == kind]) for kind in kinds}
        total = rows["all"] = _row(counts)
        codes = sorted(name for name in total if name.startswith("exit ") and name != "exit code")
        columns = ["cases", *codes, *COLUMNS, "unforeseen", "peak MB"]
        cells = [["input", *columns]] + [[name, *(str(row[each]) for each in columns)] for name, row in rows.items()]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(map(str.rjust, row, widths)) for row in cells]
        return lines, len(counts), sum(total[column] for column in COLUMNS)


def _row(counts: list[Count]) -> Counter[str]:
    row: Counter[str] = Counter(cases=len(counts))
    for count in counts:
        row.update([f"exit {count.code}", *count.faults, *["unforeseen"] * count.unforeseen])
        row["peak MB"] = max(row["peak MB"], count.peak_mb)
    return row
