"""`python -m bench export RUN ... --out FILE.parquet`: every per-frame score and every repetition, for analysis."""

from __future__ import annotations

from collections.abc import Iterator
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
    lines = [line for run in arguments.runs for record in by_settings(read_run(run)) for line in _lines(run, record)]
    if not lines:
        print("nothing was measured in these runs")
        return NOTHING_MEASURED
    with replacing(arguments.out) as file:
        (_write_parquet if arguments.out.suffix == ".parquet" else _write_csv)(lines, file)
    print(f"{len(lines)} rows in {arguments.out}")
    return OK


def _write_csv(lines: list[tuple], file: Path) -> None:
    with open(file, "w", encoding="utf-8", newline="") as out:
        writer = sheet.writer(out)
        writer.row(COLUMNS)
        writer.rows(lines)


def _write_parquet(lines: list[tuple], file: Path) -> None:
    import pandas as pd  # takes a second to import

    texts = [[printable(each) if isinstance(each, str) else each for each in line] for line in lines]
    pd.DataFrame(texts, columns=COLUMNS).to_parquet(file, index=False)


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
