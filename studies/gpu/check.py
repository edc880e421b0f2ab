"""Checks of correctness before speed: results compared with a CPU's, clocks, and stages that add up.

Every check is a row with a value, its limit and whether it holds; the step's exit code is 1 when one does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bench.timing.clock import REST, Stopwatch
from frames.errors import OK, REGRESSED
from studies.gpu.cases import FULL, PATHS, SCALE, TINY, turbovsr
from studies.gpu.machine import synchronize
from studies.gpu.measure import clips, released, timed
from studies.gpu.record import Record
from turbovsr import TurboVSR
from turbovsr.generator import Generator
from turbovsr.ltx.autoencoder import LTXAutoencoder
from turbovsr.ltx.model import LTXModel

FLOAT32 = 1e-4  # relative error against float32 on the CPU, from another order of sums
BFLOAT16 = 5e-2  # the same for bfloat16, from 8 bits of mantissa in dozens of layers
CLOCK = 0.02  # relative error of event times against the host's clock
STAGES = 0.02  # share of the total that no announced stage covers
LOOSE = 0.5  # of the clock and the stages at toy size on a shared CPU, where only the code is tried
SLEEP_S = 0.1
LAYOUTS = ("0.9.0-tiny", "0.9.1-tiny", "0.9.5-tiny")


def run(record: Record, device: str, tiny: bool) -> int:
    """Make all checks; returns the exit code."""
    with _exact_float32():
        for name, part in _parts():
            _against_cpu(record, name, part, device, torch.float32, FLOAT32)
            if name == "conditional decoder" and torch.device(device).type == "cpu":
                continue  # torch resizes no bfloat16 pictures there
            _against_cpu(record, name, part, device, torch.bfloat16, BFLOAT16)
    _clock(record, device, tiny)
    _adding_up(record, device, tiny)
    record.say("")
    record.table({"check": "check", "found": "found", "limit": "limit", "holds": "holds"})
    return OK if all(row.get("holds") for row in record.rows) else REGRESSED


Part = tuple[Any, Callable[[Any, Tensor], Tensor], Tensor]  # network, call(network, input), input


def _parts() -> Iterator[tuple[str, Callable[[], Part]]]:
    """Yield name and builder of each part: a network, a call and its input, all on the CPU in float32."""
    for layout in LAYOUTS:
        yield (
            f"encoder {layout}",
            partial(_part, partial(_filled, layout), LTXAutoencoder.encode, (3, 9, 64, 96)),
        )
        yield f"decoder {layout}", partial(_part, partial(_filled, layout), _decoded, (128, 2, 2, 3))
    for path in PATHS:
        yield f"transformer {path}", partial(_part, partial(_model, path), _velocity, (128, 3, 4, 6))
        yield f"condition {path}", partial(_part, partial(_model, path), LTXModel.condition, (3, 9, 16, 24))
    yield "conditional decoder", partial(_part, partial(_model, "turbo"), _decoded_with_lr, (128, 2, 2, 3))


def _part(build: Callable[[], Any], call: Callable[[Any, Tensor], Tensor], shape: tuple[int, ...]) -> Part:
    return build(), call, _noise(*shape)


def _noise(*shape: int) -> Tensor:
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(1)).clamp(-1, 1)


def _filled(layout: str) -> LTXAutoencoder:
    torch.manual_seed(0)
    network = LTXAutoencoder(layout).eval().requires_grad_(False)
    for name, value in network.named_parameters():
        if name.endswith((".gain1", ".gain2")):  # these start at zero
            value.fill_(0.1)
    return network


def _model(path: str) -> Generator:
    frames, height, width = TINY.clip
    return turbovsr(TINY.model, path, "cpu", height, width, frames).model


def _decoded(network: LTXAutoencoder, latent: Tensor) -> Tensor:
    return torch.stack(list(network.decode_frames(latent)))


def _velocity(model: Generator, latent: Tensor) -> Tensor:
    times = torch.full((1, 1, 1, 1), 0.7, device=latent.device)
    condition = latent.flip(2)
    return model.transformer(latent, condition, times, torch.ones(1, device=latent.device))


def _decoded_with_lr(model: Generator, latent: Tensor) -> Tensor:
    lr = _noise(3, 9, 16, 24).to(latent)
    return torch.stack(list(model.decode_frames(lr, latent)))


def _against_cpu(
    record: Record, name: str, part: Callable[[], Part], device: str, dtype: torch.dtype, limit: float
) -> None:
    def work() -> dict:
        network, call, given = part()
        with torch.inference_mode():
            expected = call(network, given)
            found = call(network.to(device, dtype), given.to(device, dtype)).float().cpu()
        error = float((found - expected).norm() / expected.norm())
        return {"found": error, "limit": limit, "holds": error <= limit}

    with released(device):
        record.measure({"check": f"{name}, {str(dtype).removeprefix('torch.')}, relative error"}, work)


def _clock(record: Record, device: str, tiny: bool) -> None:
    """Check the harness's stopwatch against a sleep of known length.

    On a GPU the sleep is a kernel that spins for a number of cycles: the host's clock measures a cycle over a long one,
    and events must then give the right time for a short one.
    """

    def work() -> dict:
        if torch.device(device).type == "cuda":
            spin, due = _spinning(device)
        else:
            spin, due = (lambda: time.sleep(SLEEP_S)), SLEEP_S
        watch = Stopwatch(device)
        with watch.total():
            spin()
        error = abs(watch.seconds()[0] / due - 1)
        limit = LOOSE if tiny else CLOCK
        return {"found": error, "limit": limit, "holds": error <= limit, "due_s": due}

    record.measure({"check": "stopwatch against a known sleep, relative error"}, work)


def _spinning(device: str) -> tuple[Callable[[], None], float]:
    """A kernel that takes a known time, and that time in seconds."""
    cycles = 200_000_000
    torch.cuda._sleep(cycles)  # so that the clock of the card is up
    synchronize(device)
    started = time.perf_counter()
    torch.cuda._sleep(10 * cycles)
    synchronize(device)
    return lambda: torch.cuda._sleep(cycles), (time.perf_counter() - started) / 10


def _adding_up(record: Record, device: str, tiny: bool) -> None:
    """Check that announced stages cover the whole call, for nano and both paths of the LTX shape."""
    sizes = TINY if tiny else FULL
    frames, height, width = sizes.clip
    limit = LOOSE if tiny else STAGES
    builds: dict[str, Callable[[], TurboVSR]] = {
        f"{sizes.model} {path}": partial(turbovsr, sizes.model, path, device, height, width, frames) for path in PATHS
    }
    builds["nano"] = partial(TurboVSR, device=device)

    def work(build: Callable[[], TurboVSR]) -> dict:
        model = build()
        inputs = clips(frames, height // SCALE, width // SCALE, device)
        found = timed(model.upscale, inputs, device, warmup=1, repeats=3)
        total, stages = found["seconds"], found["stages_s"]
        error = max(stages[REST], abs(sum(stages.values()) - total)) / total
        return {"found": error, "limit": limit, "holds": error <= limit, "seconds": total, "stages_s": stages}

    for name, build in builds.items():
        with released(device):
            record.measure({"check": f"stages of {name}, share not covered"}, partial(work, build))


class _exact_float32:
    """Switch TF32 off during the block, in which float32 is compared."""

    def __enter__(self) -> None:
        self.before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

    def __exit__(self, *_) -> None:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = self.before
