"""`python -m bench watch RUN`: the progress of a run, its workers and failures, from its files only."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from bench.commands.parser import Parser
from bench.run.watching import State, Watched, duration
from bench.store.records import is_run
from frames.errors import OK, UserError
from frames.text import printable

EVERY_S = 1.0
MOST_FAILURES = 10
UNWRAPPED = 10_000
"""Width of the console where the output is a file or a pipe, so that no line of a log is broken."""


def main(argv: list[str]) -> int:
    parser = Parser("watch", "Reads the run's files and writes none: it may be closed at any time, and by anybody.")
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("--once", action="store_true", help="print the state once, for logs")
    arguments = parser.parse_args(argv)
    console = Console(width=None if Console().is_terminal else UNWRAPPED, highlight=False)
    watched = Watched(arguments.run)
    state = watched()
    if state is None:
        if not is_run(arguments.run):
            raise UserError(
                f"{arguments.run}: no run is at work here, and there are no records; give the folder of a run "
                "(python -m bench run ... out=DIR)"
            )
        print(f"{arguments.run}: no run is at work here; python -m bench table {arguments.run} shows what it has")
        return OK
    if arguments.once or not console.is_terminal:
        console.print(_shown(state))
        return OK
    last: State = state
    try:
        with Live(_shown(last), console=console, auto_refresh=False) as live:
            while (found := watched()) is not None:
                last = found
                live.update(_shown(last), refresh=True)
                if last.done == last.total:
                    break
                time.sleep(EVERY_S)
    except KeyboardInterrupt:
        print("the run goes on", file=sys.stderr)
    return OK


def _shown(state: State) -> RenderableType:
    """The state as text: one line for the run, one a worker, one a failure."""
    rate = "" if state.clips_per_minute is None else f", {state.clips_per_minute:.3g} clips a minute"
    left = "" if state.left_s is None or state.done == state.total else f", about {duration(state.left_s)} left"
    head = f"{state.folder}: {state.done} of {state.total} units done{rate}{left}"
    head += f"; {state.good} cells good, {state.failed} failed"
    head += f", {state.to_score} wait for their scores" if state.to_score else ""
    table = Table(box=None, pad_edge=False)
    for title in ("worker", "machine", "device", "works at", "sign of life"):
        table.add_column(title)
    for worker in state.workers:
        what = worker.unit or "between two clips"
        again = f" (attempt {worker.attempt})" if worker.attempt > 1 else ""
        sign = f"{worker.silent_s:.0f} s ago" if worker.is_alive else "dead"
        device = worker.device + (", scores" if worker.scores else "")
        cells = (worker.name, worker.host, device, what + again, sign)
        table.add_row(*(escape(printable(cell)) for cell in cells))
    parts: list[RenderableType] = [escape(printable(head))]
    parts.append(table if state.workers else "nobody is at work")
    parts += [escape(printable(line)) for line in state.failures[-MOST_FAILURES:]]
    if len(state.failures) > MOST_FAILURES:
        parts.append(f"and {len(state.failures) - MOST_FAILURES} failures before")
    return Group(*parts)
