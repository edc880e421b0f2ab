"""`python -m bench export RUN ... --out FILE.parquet`: every per-frame score and every repetition, for analysis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

from bench.commands.parser import Parser
from bench.commands.reading import read_run
from bench.report import sheet
from bench.report.merge import by_settings
from bench.store.record import Record
from frames.atomic import replacing
from frames.errors import NOTHING_MEASURED, OK, UserError
from frames.text import printable

WHOLE = "total"  # the name of a repetition's whole time among its stages
COLUMNS = ("run", "data", "clip", "method", "kind", "name", "index", "value", "signature", "device", "date")


def main(argv: list[str]) -> int:
    parser = Parser("export")
    parser.add_argument("runs", type=Path, nargs="+", help="folders of runs")
    parser.add_argument("--out", type=Path, required=True, help="FILE.parquet or FILE.csv")
    arguments = parser.parse_args(argv)
    if arguments.out.suffix not in (".parquet", ".csv"):
        raise UserError(f"--out {arguments.out}: give a name that ends in .parquet or .csv")
    found = [(run, record) for run in arguments.runs for record in by_settings(read_run(run))]
    lines = (line for run, record in found for line in _lines(run, record))
    first = next(lines, None)
    if first is None:
        print("nothing was measured in these runs")
        return NOTHING_MEASURED
    with replacing(arguments.out) as file:
        count = (_write_parquet if arguments.out.suffix == ".parquet" else _write_csv)(chain([first], lines), file)
    print(f"{count} rows in {arguments.out}")
    return OK


def _write_csv(lines: Iterable[tuple], file: Path) -> int:
    """Write the lines as they come; returns their number."""
    count = 0
    with open(file, "w", encoding="utf-8", newline="") as out:
        writer = sheet.Writer(out)
        writer.row(COLUMNS)
        for line in lines:
            writer.row(line)
            count += 1
    return count


def _write_parquet(lines: Iterable[tuple], file: Path) -> int:
    """Write the lines by columns, in which equal texts are one object; returns their number."""
    import pandas as pd  # takes a second to import

    shown = cache(printable)
    columns: dict[str, list] = {name: [] for name in COLUMNS}
    for line in lines:
        for column, each in zip(columns.values(), line, strict=True):
            column.append(shown(each) if isinstance(each, str) else each)
    frame = pd.DataFrame(columns)
    frame.to_parquet(file, index=False)
    return len(frame)


def _lines(run: Path, record: Record) -> Iterator[tuple]:
    """A record's rows: kind `score` for each scored frame, `seconds` for each stage of each timed repetition."""
    start = (str(run), record.data, record.clip, record.method)
    end = (record.device, record.date)
    for name, score in record.scores.items():
        values = score.values or ()
        for index, value in zip(score.indices or range(len(values)), values):
            yield *start, "score", name, index, value, score.signature, *end
    for scope, times in record.timing.items():
        for index, repetition in enumerate(times.repetitions):
            yield *start, "seconds", f"{scope}/{WHOLE}", index, repetition.total_s, None, *end
            for stage, seconds in repetition.stages_s.items():
                name = f"{stage} (stage)" if stage == WHOLE else stage
                yield *start, "seconds", f"{scope}/{name}", index, seconds, None, *end
