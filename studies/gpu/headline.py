"""The headline: a 2-second 1080p clip by both paths in 1, 2 and 4 steps, eager and compiled; other methods; a large
image; the longest clip and the largest image that fit.

The most important rows come first, in case the machine is taken back early. The models of the LTX shape have random
weights, and every row says so: their times count, their frames do not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from studies.gpu.cases import FULL, METHODS, PATHS, SCALE, TINY, Sizes, from_conf, precision, tflop, turbovsr
from studies.gpu.machine import ceilings
from studies.gpu.measure import clips, released, timed
from studies.gpu.record import Record
from studies.gpu.stand_in import PerFrameDiffusion
from turbovsr import TurboVSR

COLUMNS = {
    "method": "method",
    "path": "path",
    "steps": "steps",
    "mode": "mode",
    "size": "size",
    "frames": "frames",
    "weights": "weights",
    "seconds": "s",
    "fps": "fps",
    "mpx_s": "Mpx/s",
    "peak_gib": "GiB",
    "tflop_s": "TFLOP/s",
    "of_ceiling": "of matmul",
}


def run(record: Record, device: str, tiny: bool, repeats: int) -> int:
    """Measure all rows; returns the exit code."""
    sizes = TINY if tiny else FULL
    frames, height, width = sizes.clip
    with released(device):
        found = ceilings(device, tiny)
    record.note("ceilings", found)
    record.say(f"ceilings: {found['matmul_tflop_s']:.4g} TFLOP/s bf16 matmul, {found['copy_tb_s']:.4g} TB/s copy")
    headline = _TurboVSR(record, device, sizes, found["matmul_tflop_s"], repeats)
    for compiled in (False, True):
        for path in PATHS:
            headline.clip(path, frames, height, width, sizes.steps, compiled)
        if not compiled:
            _beside(record, device, sizes, repeats, tiny)
    for path in PATHS:
        headline.clip(path, 1, *sizes.image, sizes.steps[:1], compiled=False)
    for path in PATHS:
        headline.envelope(path)
    record.say("\nrandom: the weights are random and the frames mean nothing; only time and memory do.")
    record.table(COLUMNS)
    _stages(record)
    return record.exit_code()


class _TurboVSR:
    """Rows for TurboVSR of the LTX shape."""

    def __init__(self, record: Record, device: str, sizes: Sizes, ceiling: float, repeats: int) -> None:
        self.record, self.device, self.sizes, self.ceiling, self.repeats = record, device, sizes, ceiling, repeats

    def clip(self, path: str, frames: int, height: int, width: int, steps: tuple[int, ...], compiled: bool) -> None:
        """Measure one row for each number of steps; the model is built and compiled once."""
        with released(self.device):
            model: TurboVSR | None = None

            def work(count: int) -> dict:
                nonlocal model
                if model is None:
                    model = turbovsr(self.sizes.model, path, self.device, height, width, frames, compiled)
                model.steps = count
                return self._row(model, path, frames, height, width, count, self.repeats)

            for count in steps:
                self.record.measure(self._names(path, frames, height, width, count, compiled), partial(work, count))
            del model

    def envelope(self, path: str) -> None:
        """Measure longer clips of the headline's size in one chunk, then larger images, until one does not fit."""
        _, height, width = self.sizes.clip
        for shapes in ([(n, height, width) for n in self.sizes.lengths], [(1, *size) for size in self.sizes.frames]):
            for shape in shapes:
                with released(self.device):
                    names = self._names(path, *shape, 1, False) | {"envelope": True}
                    row = self.record.measure(names, partial(self._once, path, *shape))
                if "error" in row:
                    break

    def _once(self, path: str, frames: int, height: int, width: int) -> dict:
        model = turbovsr(self.sizes.model, path, self.device, height, width, frames)
        return self._row(model, path, frames, height, width, 1, repeats=1)

    def _names(self, path: str, frames: int, height: int, width: int, steps: int, compiled: bool) -> dict:
        return {
            "method": f"turbovsr {self.sizes.model}",
            "path": path,
            "steps": steps,
            "mode": "compiled" if compiled else "eager",
            "size": f"{height}x{width}",
            "frames": frames,
            "weights": "random",
            "precision": precision(self.device),
        }

    def _row(self, model, path: str, frames: int, height: int, width: int, steps: int, repeats: int) -> dict:
        inputs = clips(frames, height // SCALE, width // SCALE, self.device, count=min(3, repeats + 1))
        found = timed(model.upscale, inputs, self.device, warmup=1 + (repeats > 1), repeats=repeats)
        work = tflop(self.sizes.model, path, frames, height, width, steps)
        if work is not None:
            found["tflop"] = work
            found["tflop_s"] = work / found["seconds"]
            found["of_ceiling"] = found["tflop_s"] / self.ceiling
        return found


def _beside(record: Record, device: str, sizes: Sizes, repeats: int, tiny: bool) -> None:
    """Measure other methods on the same clip, and the per-frame diffusion stand-in on one frame of it."""
    frames, height, width = sizes.clip
    inputs = clips(frames, height // SCALE, width // SCALE, device)
    names = {"mode": "eager", "size": f"{height}x{width}", "precision": precision(device)}

    def measured(build: Callable, inputs: list[torch.Tensor], repeats: int) -> dict:
        return timed(build().upscale, inputs, device, warmup=1, repeats=repeats)

    for name in METHODS:
        with released(device):
            record.measure(
                {"method": name, **names, "frames": frames, "weights": "published"},
                partial(measured, partial(from_conf, name, device), inputs, min(repeats, 3)),
            )

    def stand_in() -> PerFrameDiffusion:
        return PerFrameDiffusion(device, getattr(torch, precision(device)), sizes.diffusion_steps, tiny)

    single = [clip[:1] for clip in inputs]
    with released(device):
        row = record.measure(
            {
                "method": "per-frame diffusion",
                "steps": sizes.diffusion_steps,
                **names,
                "frames": 1,
                "weights": "random",
                "about": "stand-in of SD 2.1's U-Net shape, U-Net alone",
            },
            lambda: measured(stand_in, single, min(repeats, 2)),
        )
    if "seconds" in row:
        whole = row["seconds"] * frames
        record.note("per_frame_diffusion_clip_s", whole)
        record.say(f"  per-frame diffusion, {frames} frames: {whole:.4g} s, extrapolated from one")


def _stages(record: Record) -> None:
    """Print the time of each stage."""
    rows = [row for row in record.rows if "stages_s" in row and "path" in row and not row.get("envelope")]
    names = list(dict.fromkeys(name for row in rows for name in row["stages_s"]))
    record.say("\nstage budget, seconds")
    columns = {"path": "path", "steps": "steps", "mode": "mode", "size": "size", "frames": "frames"}
    columns |= {name: name for name in [*names, "seconds"]}
    record.table(columns, [row | row["stages_s"] for row in rows])
