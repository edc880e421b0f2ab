"""`python -m bench history RUN ...`: scores and speed of methods over commits."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench import labels
from bench.commands.parser import Parser
from bench.commands.reading import read_environment, read_run, run_folders
from bench.store.moments import moment
from bench.store.workers import read_workers
from frames.errors import NOTHING_MEASURED, OK, UserError, did_you_mean
from frames.text import printable

if TYPE_CHECKING:
    from bench.report.history import Line, Run
    from bench.report.intervals import Interval
    from bench.store.record import Score

ABOUT = """Shows runs, or folders of them, in the order of their dates, each with the commit that its environment names.
A line joins runs that can be compared. It breaks where the recipe of a score, the clips or the method's options change;
a line of speeds also breaks where the machine changes. Times of a busy machine are shown but not judged. On a shared
machine compare speeds by --reference, as ratios to a method of the same run. A figure is worse if it has fallen by more
than the gate's margin and its interval lies below zero change."""


def main(argv: list[str]) -> int:
    parser = Parser("history", ABOUT, "Exit codes: 0 shown, whatever it shows; 2 nothing was measured; 3 an error.")
    parser.add_argument("folders", type=Path, nargs="+", metavar="RUN", help="runs, or folders of them")
    parser.add_argument("--metrics", type=labels.listed, metavar="A,B", help="scores, and fps or speed (default: all)")
    parser.add_argument("--methods", type=labels.listed, metavar="A,B", help="methods (default: all)")
    parser.add_argument("--data", type=labels.listed, metavar="A,B", help="data sets (default: all)")
    parser.add_argument(
        "--reference", metavar="METHOD", help="the method whose time is the unit of speed (default: FPS)"
    )
    parser.add_argument("--format", choices=("term", "md", "csv"), default="term", help="format of the tables")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write a plot for each data set there (PNG and SVG)")
    options = parser.parse_args(argv)
    if options.out is not None and options.out.exists() and not options.out.is_dir():
        raise UserError(f"--out {options.out}: it is a file; give a folder")
    from bench.report import history

    runs = _runs(options.folders)
    known = {record.method for run in runs for record in run.records}
    if options.reference is not None and options.reference not in known:
        raise UserError(f"--reference {options.reference}: not in these runs{did_you_mean(options.reference, known)}")
    found = history.lines(runs, judge, options.reference)
    for name, wanted in (("metric", options.metrics), ("method", options.methods), ("data", options.data)):
        found = _chosen(found, name, wanted)
    if not found:
        print("bench: nothing was measured in these runs", file=sys.stderr)
        return NOTHING_MEASURED
    _show(found, options.format)
    for line in history.worse(found):
        print(f"bench: {printable(line)}", file=sys.stderr)
    if options.out is not None:
        _plot(found, runs, options.out)
    return OK


def judge(metric: str, score: Score | None, change: float, interval: Interval | None) -> str:
    """The gate's verdict on a change (see `bench.report.history.Judge`), but worse only where the interval says so.

    A gate must not pass a fall beyond the margin because few clips were measured; a history marks what is certain.
    """
    from bench.gate.margins import MARGINS, margin_of
    from bench.gate.verdict import verdict_of

    margin = math.log1p(MARGINS["speed"]) if score is None else margin_of(metric, score, MARGINS)
    verdict = verdict_of(change, interval, margin)
    return "inconclusive" if verdict == "worse" and (interval is None or interval[1] >= 0) else verdict


def _runs(folders: Sequence[Path]) -> list[Run]:
    """The runs in the folders or below them, each once, by date; UserError for a folder without a run."""
    from bench.report.history import Run, in_order
    from bench.report.merge import run_names

    found = run_folders(folders, "give folders of runs (python -m bench run ... out=DIR)")
    names = run_names(map(str, found))
    runs = []
    for folder in found:
        records = read_run(folder)
        if not records:
            continue
        workers = [facts.environment for facts in read_workers(folder).values()]
        environments = [each for each in (read_environment(folder / "environment.json"), *workers) if each]
        commits = {str(each.get("commit") or "") for each in environments}
        modified = any(each.get("dirty") for each in environments)
        date = max((record.date for record in records), key=moment)
        runs.append(Run(names[str(folder)], date, commits.pop() if len(commits) == 1 else "", modified, records))
    return in_order(runs)


def _chosen(found: list[Line], name: str, wanted: Iterable[str] | None) -> list[Line]:
    known = {getattr(line, name) for line in found}
    for word in wanted or ():
        if word not in known:
            option = {"metric": "--metrics", "method": "--methods"}.get(name, "--data")
            raise UserError(f"{option} {word}: not in these runs{did_you_mean(word, known)}")
    return [line for line in found if not wanted or getattr(line, name) in wanted]


def _show(found: Sequence[Line], kind: str) -> None:
    from rich.console import Console

    from bench.report import history, text

    for grid in history.grids(found):
        if kind == "md":
            print(text.markdown(grid))
        elif kind == "csv":
            print(text.comma_separated(grid), end="")
        else:
            text.terminal(grid, Console(width=None if Console().is_terminal else 200, highlight=False))


def _plot(found: Sequence[Line], runs: Sequence[Run], out: Path) -> None:
    from bench.report.plots import style
    from bench.report.plots.history import history_plot

    for data in dict.fromkeys(line.data for line in found):
        figure = history_plot([line for line in found if line.data == data], runs)
        out.mkdir(parents=True, exist_ok=True)
        for file in style.write(figure, out / f"history-{labels.file_name(data)}"):
            print(file)
