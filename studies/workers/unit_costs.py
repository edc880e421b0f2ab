"""Costs of units of a real run by pixel, and of a worker and its leases."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from bench.config import compose
from bench.launch.crew import command
from bench.run.job import FinishedUnit, jobs
from bench.run.units import Unit
from bench.targets import open_dataset
from frames.images import write_png
from studies.forked import ROOT
from studies.workers import lease_costs

METHODS = (
    *("nearest", "bilinear", "bicubic", "lanczos", "turbovsr"),
    *("realesrgan", "esrgan", "span", "basicvsr", "dat_light"),
)
WORDS = ("timing=none", "store=null", "threads=1", "workers=0", "launch.scorers=0")
PHOTOGRAPHS = ("data=sample", "data.clips=[rocket,chelsea,coffee]", "metrics=[psnr,ssim,lpips-alex,dists]")
IN_PARTS = ("metrics=[psnr]", "launch.expected=1")
"""A known score costs the last unit of a clip nothing, so PSNR stands for all metrics."""
LENGTHS = (3, 9)
"""Frames of the films that are scored in parts."""
HEIGHT, WIDTH = 1080, 1920


@dataclass(frozen=True)
class Costs:
    """Costs in seconds; those of units are per pixel of their LR frames."""

    upscaling: dict[str, float]
    gt: float  # of scoring: once a unit
    scoring: float  # of scoring: once for each method
    joining: float  # once for each method of a clip that is scored in parts: frames are read again, and checked
    ending: float  # the same, for each clip and method and not per pixel: the doctor, the record
    start: float  # of a worker, from imports to its end
    lease: float  # for each unit: claim, look at the logs, log
    look: float  # added to it for each other worker

    def __str__(self) -> str:
        slowest = max(self.upscaling, key=lambda name: self.upscaling[name])
        frame = 1920 * 1080 / 16
        return (
            f"a frame of 1080p by one thread: upscaling {sum(self.upscaling.values()) * frame:.0f} s by all "
            f"{len(self.upscaling)} methods ({slowest} {self.upscaling[slowest] * frame:.0f} s), scoring "
            f"{self.scoring * frame:.1f} s a method and {self.gt * frame:.1f} s for GT, putting parts together "
            f"{self.joining * frame:.2f} s a method, and {self.ending:.1f} s a clip and method; a worker starts and "
            f"ends in {self.start:.1f} s, a lease takes {1e3 * self.lease:.1f} ms and {1e3 * self.look:.2f} ms for "
            "each other"
        )


def measured(out: Path | None = None, methods: tuple[str, ...] = METHODS) -> Costs:
    """Measure all costs.

    Runs all methods on three photographs, with upscaling and scoring in units of their own, and one method alone; then
    two methods on films of 1080p that are scored in parts; then the leases.

    Raises:
        RuntimeError: the costs contradict each other because the machine was busy.
    """
    root = Path(tempfile.mkdtemp(prefix="costs-", dir=out))
    os.environ.setdefault("BENCH_KEY", "of the study")
    units, _ = _run(root / "all", methods, *PHOTOGRAPHS)  # which compiles what is imported
    alone, start = _run(root / "one", methods[:1], *PHOTOGRAPHS)
    upscaling = {name: _rate(units, "upscale", [name]) for name in methods}
    together, one = _rate(units, "score", list(methods)), _rate(alone, "score", list(methods[:1]))
    scoring = (together - one) / max(1, len(methods) - 1)
    if not 0 < scoring < one:
        raise RuntimeError("one method took longer to score than all: the machine is too busy to measure costs")
    joining, ending = _joining(root)
    few, many = lease_costs.measured(400, 2, root), lease_costs.measured(800, 16, root)
    look = max(0.0, (many.cpu_ms - few.cpu_ms) / 14e3)
    return Costs(upscaling, one - scoring, scoring, joining, ending, start, few.cpu_ms / 1e3, look)


def _joining(root: Path) -> tuple[float, float]:
    """Cost of a clip's last unit for each method: seconds per pixel of LR frames, and a constant."""
    (film,) = open_dataset(compose(["data=sample", "data.clips=[bunny]"])).clips()
    frames = [np.tile(frame, (5, 5, 1))[:HEIGHT, :WIDTH] for frame in film.gt()]
    for length in LENGTHS:
        for index, frame in enumerate(frames[:length]):
            write_png(root / "films" / f"{length:02}" / f"{index:08}.png", frame)
    methods = ("bicubic", "lanczos")
    units, _ = _run(root / "parts", methods, *IN_PARTS, "data=folder", f"data.gt={root / 'films'}")
    took = {unit.frames: done.seconds / len(methods) for unit, done in units if unit.joins}
    frame_s = (took[LENGTHS[1]] - took[LENGTHS[0]]) / (LENGTHS[1] - LENGTHS[0])
    ending = took[LENGTHS[0]] - frame_s * LENGTHS[0]
    if min(frame_s, ending) <= 0:
        raise RuntimeError("a short film took as long as a longer one: the machine is too busy to measure costs")
    return frame_s / (HEIGHT * WIDTH / 16), ending


def _run(out: Path, methods: tuple[str, ...], *more: str) -> tuple[list[tuple[Unit, FinishedUnit]], float]:
    """Run one worker; returns the units with their times, and the worker's seconds besides them."""
    environment = in_use(out.with_name("bytecode")) | {"OMP_NUM_THREADS": "1"}
    words = [command(out)[0], "-m", "bench", "run", f"method={','.join(methods)}", *WORDS, *more, f"out={out}"]
    subprocess.run(words, cwd=ROOT, env=environment, check=True, capture_output=True)
    began = time.perf_counter()
    subprocess.run(command(out), cwd=ROOT, env=environment, check=True, capture_output=True)
    took = time.perf_counter() - began
    (job,) = jobs(out)
    done = job.done()
    return [(unit, done[unit.number]) for unit in job.plan().units], took - sum(each.seconds for each in done.values())


def in_use(bytecode: Path) -> dict[str, str]:
    """This process's environment, with compiled bytecode kept in a folder, as in an installation in use."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(bytecode)}


def _rate(units: list[tuple[Unit, FinishedUnit]], step: str, methods: list[str]) -> float:
    """Seconds per pixel of LR frames: the median over the clips, so that loading the method does not count."""
    return median(d.seconds / u.pixels for u, d in units if u.step == step and u.methods == methods)
