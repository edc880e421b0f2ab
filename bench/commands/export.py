"""`python -m bench export RUN ... --out FILE.parquet`: every per-frame score and every repetition, for analysis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.commands.parser import Parser
from bench.commands.reading import read_run
from bench.store.record import Record
from frames.errors import NOTHING_MEASURED, OK, UserError

COLUMNS = ("run", "data", "clip", "method", "kind", "name", "index", "value", "signature", "device", "date")


def main(argv: list[str]) -> int:
    parser = Parser("export")
    parser.add_argument("runs", type=Path, nargs="+", help="folders of runs")
    parser.add_argument("--out", type=Path, required=True, help="FILE.parquet or FILE.csv")
    arguments = parser.parse_args(argv)
    if arguments.out.suffix not in (".parquet", ".csv"):
        raise UserError(f"--out {arguments.out}: give a name that ends in .parquet or .csv")
    lines = [line for run in arguments.runs for record in read_run(run) for line in _lines(run, record)]
    if not lines:
        print("nothing was measured in these runs")
        return NOTHING_MEASURED
    import pandas as pd  # takes a second to import

    frame = pd.DataFrame(lines, columns=COLUMNS)
    if arguments.out.suffix == ".parquet":
        frame.to_parquet(arguments.out, index=False)
    else:
        frame.to_csv(arguments.out, index=False)
    print(f"{len(frame)} rows in {arguments.out}")
    return OK


def _lines(run: Path, record: Record) -> Iterator[tuple]:
    """One row a scored frame (`score`: index is the frame's) and one a timed stage (`seconds`: the repetition's)."""
    start = (str(run), record.data, record.clip, record.method)
    end = (record.device, record.date)
    for name, score in record.scores.items():
        for index, value in zip(score.indices or (), score.values or ()):
            yield *start, "score", name, index, value, score.signature, *end
    for scope, times in record.timing.items():
        for index, repetition in enumerate(times.repetitions):
            for stage, seconds in {"total": repetition.total_s, **repetition.stages_s}.items():
                yield *start, "seconds", f"{scope}/{stage}", index, seconds, None, *end
