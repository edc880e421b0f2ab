"""Efficiency of two workers on two cores, compared with two runs of one worker in sequence; also the time of starting,
and the ceiling of this machine: two plain runs at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.config import compose
from bench.run import device
from bench.targets import open_dataset
from frames.images import write_png
from studies.forked import ROOT
from studies.workers.unit_costs import in_use

WORDS = [
    "method=bicubic,realesrgan,turbovsr",
    "data=folder",
    "metrics=[psnr,ssim,lpips-vgg]",
    "timing=none",
    "store=null",
    "threads=1",
]
CLIPS = 40
LENGTHS = (2, 4, 4, 6)
"""Frames of the clips, in turn."""
WINDOW = (144, 208)
"""GT of each clip: a window (height, width) of the sample set's videos, another one for each clip."""


@dataclass
class Efficiency:
    """Seconds of each way to run, by round; `start_...`: of the smallest run, a clip of one frame."""

    together: list[float] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)  # both runs
    at_once: list[float] = field(default_factory=list)  # the same two runs at the same time, a core each
    start_together: list[float] = field(default_factory=list)
    start_apart: list[float] = field(default_factory=list)  # of one run

    def share(self, minutes: float | None = None) -> float:
        """Efficiency as measured, or extrapolated to a table on which one worker works for `minutes`."""
        if minutes is None:
            return median(self.apart) / median(self.together) / 2
        start, own = median(self.start_together), 2 * median(self.start_apart)
        rate = (median(self.together) - start) / (median(self.apart) - own)  # seconds for one of one worker's
        return (60 * minutes + own) / (start + rate * 60 * minutes) / 2

    @property
    def ceiling(self) -> float:
        """Efficiency of two plain runs at once, which this machine's cores limit."""
        return median(self.apart) / median(self.at_once) / 2

    def __str__(self) -> str:
        start, own = median(self.start_together), median(self.start_apart)
        of_tables = ", ".join(f"{100 * self.share(m):.0f} % of {m} minutes" for m in (2, 5, 10, 60))
        return (
            f"two workers {median(self.together):.1f} s, two runs in sequence {median(self.apart):.1f} s (medians of "
            f"{len(self.apart)}, interleaved): efficiency {100 * self.share():.0f} %, start and tables included\n"
            f"start and tables alone: two workers {start:.1f} s, one run {own:.1f} s; so a table on which one worker "
            f"works for so long has an efficiency of {of_tables}\n"
            f"ceiling: two plain runs at once, a core each, {median(self.at_once):.1f} s: {100 * self.ceiling:.0f} %"
        )


def measured(repeats: int, out: Path | None = None) -> Efficiency:
    """Time all ways in turn, with one thread for each worker; every process loads the program anew.

    Compiled bytecode is kept in the study's own folder and filled by one run that does not count, as in an installation
    that has been used before.
    """
    root = Path(tempfile.mkdtemp(prefix="efficiency-", dir=out))
    names, found = _clips(root / "gt"), Efficiency()
    halves = names[::2], names[1::2]
    one, other = (device.cores() * 2)[:2]
    small = [names[0]]

    def run(name: str, clips: Sequence[str], *more: str, core: int | None) -> subprocess.Popen:
        own = (f"data.gt={root / 'gt'}", f"data.clips=[{','.join(clips)}]", f"out={root / name}")
        return _start([*WORDS, *own, *more], core, root / "bytecode")

    def seconds(*runs: tuple) -> float:
        return _seconds([run(*words, core=core) for *words, core in runs])

    seconds(("first", small, "data.frames=1", None))
    for index in range(repeats):
        found.together.append(seconds((f"together{index}", names, "workers=2", None)))
        found.apart.append(seconds((f"apart{index}-0", halves[0], one)) + seconds((f"apart{index}-1", halves[1], one)))
        if index < 2:
            found.start_together.append(seconds((f"start2-{index}", small, "data.frames=1", "workers=2", None)))
            found.start_apart.append(seconds((f"start1-{index}", small, "data.frames=1", one)))
        if index < 1:
            found.at_once.append(seconds(("once0", halves[0], one), ("once1", halves[1], other)))
        print(f"{found.together[-1]:.1f} s together, {found.apart[-1]:.1f} s apart", flush=True)
    shutil.rmtree(root / "bytecode")
    return found


def _clips(root: Path) -> list[str]:
    """Write the table's GT; returns the clips' names."""
    films = [list(clip.gt()) for clip in open_dataset(compose(["data=sample", "data.clips=[bunny,city]"])).clips()]
    names = []
    for index in range(CLIPS):
        film, length = films[index % len(films)], LENGTHS[index // 2 % len(LENGTHS)]
        rows, columns = (side - cut for side, cut in zip(film[0].shape, WINDOW))
        top, left = 7 * index % (rows + 1), 11 * index % (columns + 1)
        names.append(f"clip{index:02}")
        for number in range(length):
            frame = film[number][top : top + WINDOW[0], left : left + WINDOW[1]]
            write_png(root / names[-1] / f"{number:08}.png", frame)
    return names


def _start(words: Sequence[str], core: int | None, bytecode: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "bench", "run", *words]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    environment = in_use(bytecode) | {"OMP_NUM_THREADS": "1", "BENCH_KEY": "of the study"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _seconds(processes: Sequence[subprocess.Popen]) -> float:
    """Wait for processes that have just been started; returns the seconds until all have ended.

    Raises:
        RuntimeError: one failed; the message is its standard error.
    """
    began = time.perf_counter()
    for process in processes:
        _, errors = process.communicate()
        if process.returncode:
            raise RuntimeError(errors.decode(errors="replace"))
    return time.perf_counter() - began
