"""Two workers on two cores against two runs of one worker, one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.run import device
from studies.forked import ROOT

WORDS = (
    "method=turbovsr,bicubic",
    "data=sample",
    "metrics=[psnr,ssim,lpips-alex]",
    "timing=none",
    "store=null",
)
CLIPS = (("city", "astronaut", "rocket"), ("bunny", "street", "coffee", "chelsea"))
"""Two halves of the sample set, about equally long."""


@dataclass(frozen=True)
class Efficiency:
    """Seconds of both ways, in pairs."""

    together: list[float]
    apart: list[float]

    def __str__(self) -> str:
        share = median(self.apart) / median(self.together) / 2
        return (
            f"two workers {median(self.together):.1f} s, two runs in sequence {median(self.apart):.1f} s (medians of "
            f"{len(self.apart)}, interleaved): efficiency {100 * share:.0f} %"
        )


def measured(repeats: int, out: Path | None = None) -> Efficiency:
    """Both ways in turn, each with one thread a worker; both load the program once a process."""
    root = Path(tempfile.mkdtemp(prefix="efficiency-", dir=out))
    together, apart = [], []
    core = device.cores()[0]
    for index in range(repeats):
        clips = f"data.clips=[{','.join(name for half in CLIPS for name in half)}]"
        together.append(_seconds([*WORDS, clips, "workers=2", f"out={root / f'together{index}'}"]))
        apart.append(
            sum(
                _seconds([*WORDS, f"data.clips=[{','.join(half)}]", f"out={root / f'apart{index}-{n}'}"], core)
                for n, half in enumerate(CLIPS)
            )
        )
        print(f"{together[-1]:.1f} s together, {apart[-1]:.1f} s apart", flush=True)
    return Efficiency(together, apart)


def _seconds(words: list[str], core: int | None = None) -> float:
    command = [sys.executable, "-m", "bench", "run", *words]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "BENCH_KEY": "of the study"}
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return time.perf_counter() - began
