"""What a person sees while a stage trains: a bar on a terminal, a line each log interval everywhere."""

from __future__ import annotations

import time
from datetime import timedelta

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from turbovsr.train.console import CONSOLE


class Progress:
    """`with Progress(steps, first) as progress`, then `show` each step."""

    def __init__(self, steps: int, first: int, shown: bool = True):
        self.steps, self.first, self.shown = steps, first, shown
        self.began, self.now = time.time(), first
        self._bar = Bar(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=CONSOLE,
            transient=True,
            refresh_per_second=2,
            disable=not (shown and CONSOLE.is_terminal),
        )

    def __enter__(self) -> Progress:
        self._bar.start()
        self._task = self._bar.add_task("", total=self.steps, completed=self.first, state="")
        return self

    def __exit__(self, *exception) -> None:
        self._bar.stop()

    def show(self, step: int, loss: float, samples_per_second: float) -> None:
        """A step is done."""
        self.now = step
        rate = f", {samples_per_second:.1f} samples/s" if samples_per_second else ""
        self._bar.update(self._task, completed=step, state=f"loss {loss:.4f}{rate}, {self.left()} left")

    def left(self) -> str:
        """Time to the end at the pace so far, as h:mm:ss."""
        done = self.now - self.first
        seconds = (time.time() - self.began) / done * (self.steps - self.now) if done else 0
        return str(timedelta(seconds=round(seconds)))

    def line(self, step: int, entries: dict) -> None:
        """One line of the log for the eye; of scores, named clip/latent/metric, one a clip."""
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
            CONSOLE.print(f"step {step}/{self.steps}  {clip}  {listed}", markup=False)
