"""Log of a stage: `log.jsonl`, and what is shown on the terminal."""

from __future__ import annotations

import json
import math
import os
import time
from collections import defaultdict
from datetime import timedelta
from io import FileIO
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from frames.appending import append_whole
from frames.text import printable
from turbovsr.train.messages import CONSOLE


def five_digits(value: float) -> float:
    """Round to five significant digits: of an error near 1e-5, five decimals would be one digit or none."""
    return float(f"{value:.5g}")


class IntervalMeans:
    """Means of the loss terms and the pace since the last line of the log.

    The mean of a term is over the steps that have it: stills have none of change, and each task its own steps.
    """

    def __init__(self) -> None:
        self.sums: defaultdict[str, float] = defaultdict(float)
        self.counts: defaultdict[str, int] = defaultdict(int)
        self.steps, self.samples, self.since = 0, 0, time.perf_counter()

    def add(self, terms: dict[str, float], samples: int) -> None:
        """Count one step: its loss terms, and the clips or stills that it saw in all processes."""
        for name, value in terms.items():
            self.sums[name] += value
            self.counts[name] += 1
        self.steps += 1
        self.samples += samples

    @property
    def samples_per_second(self) -> float:
        return self.samples / self._spent()

    def entries(self, learning_rate: float) -> dict[str, float]:
        """Entries of a line of the log."""
        spent = self._spent()
        means = {name: five_digits(value / self.counts[name]) for name, value in self.sums.items()}
        pace = {"s/step": round(spent / self.steps, 3), "samples/s": round(self.samples / spent, 2)}
        return means | {"lr": learning_rate} | pace

    def _spent(self) -> float:
        return max(time.perf_counter() - self.since, 1e-9)  # a coarse clock may give the same time twice


class ProgressBar:
    """Progress bar on a terminal, for `with`; nothing elsewhere."""

    def __init__(self, steps: int, first: int, shown: bool = True):
        self.steps, self.first, self.shown = steps, first, shown
        self.started, self.done = time.perf_counter(), first
        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=CONSOLE,
            transient=True,
            refresh_per_second=2,
            disable=not (shown and CONSOLE.is_terminal),
        )

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        self._task = self._bar.add_task("", total=self.steps, completed=self.first, state="")
        return self

    def __exit__(self, *exception) -> None:
        self._bar.stop()

    def update(self, step: int, loss: float, samples_per_second: float) -> None:
        """Show that `step` steps are done."""
        self.done = step
        state = f"loss {loss:.4f}, {samples_per_second:.1f} samples/s, {self.left()} left"
        self._bar.update(self._task, completed=step, state=state)

    def left(self) -> str:
        """Remaining time at the pace so far, as h:mm:ss."""
        done = self.done - self.first
        seconds = (time.perf_counter() - self.started) / done * (self.steps - self.done) if done else 0
        return str(timedelta(seconds=round(seconds)))

    def line(self, step: int, entries: dict[str, float]) -> None:
        """Print a line of the log; scores, named clip/latent/metric, have one line a clip."""
        if not self.shown:
            return
        scores: dict[str, dict[str, list[str]]] = {}
        for name, value in entries.items():
            if name.count("/") == 2:
                clip, latent, metric = name.split("/")
                scores.setdefault(clip, {}).setdefault(latent, []).append(f"{metric} {value:.4g}")
        rest = "  ".join(f"{name} {value:.4g}" for name, value in entries.items() if name.count("/") != 2)
        if rest:
            CONSOLE.print(f"step {step}/{self.steps}  {rest}  ({self.left()} left)", markup=False)
        for clip, latents in scores.items():
            listed = "; ".join(f"{latent}: {', '.join(values)}" for latent, values in latents.items())
            CONSOLE.print(f"step {step}/{self.steps}  {printable(clip)}  {listed}", markup=False)


def append_line(path: Path, step: int, entries: dict[str, float]) -> None:
    """Append a line of JSON to a log; an unfinished last line, left by a kill, is ended first.

    Values that are not finite, like the PSNR of frames that equal GT, become null, since JSON has none.

    Raises:
        OSError: the line could not be written as a whole, as on a full disk; it names the log, which is as before.
    """
    finite = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in entries.items()
    }
    line = (json.dumps({"step": step} | finite) + "\n").encode()
    with open(path, "a+b", buffering=0) as file:
        append_whole(file, line if not file.tell() or _ends_with_newline(file) else b"\n" + line)


def _ends_with_newline(file: FileIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
