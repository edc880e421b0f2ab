"""Progress of a run: a live bar on a terminal, plain lines elsewhere; all on stderr."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from frames.text import printable


class Reporter:
    """Counts finished cells and shows the running one; `with Reporter(total) as reporter`.

    Args:
        total: number of cells; None if other workers share them.
    """

    def __init__(self, total: int | None) -> None:
        self.total, self.done = total, 0
        self.console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            refresh_per_second=2,  # it redraws while methods are timed: seldom
            disable=not self.console.is_terminal,
        )

    def __enter__(self) -> Reporter:
        self._bar.start()
        self._all = self._bar.add_task("clips", total=self.total)
        self._now = self._bar.add_task("", total=None)
        return self

    def __exit__(self, *exception) -> None:
        self._bar.stop()

    def working(self, what: str, total: int | None = None) -> None:
        """Show the running step, with its number of frames if it has one."""
        self._bar.reset(self._now, description=printable(what), total=total)

    def advance(self) -> None:
        """Count one finished frame of the running step."""
        self._bar.advance(self._now)

    def finished(self, line: str) -> None:
        """Count one finished cell; its line stays on the screen and in the log."""
        self.done += 1
        self._bar.advance(self._all)
        count = f"{self.done}" if self.total is None else f"{self.done}/{self.total}"
        self.console.print(f"[{count}] {printable(line)}", markup=False)

    def note(self, line: str) -> None:
        """Print a note to the user below the results."""
        self.console.print(f"      {printable(line)}", markup=False)
