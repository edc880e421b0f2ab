"""Training of the arms by the recipe `ltx`."""

from __future__ import annotations

from pathlib import Path

import torch

from studies.claims.material import model_options
from studies.claims.plan import HIGHEST_COMPRESSION, LOWEST_COMPRESSION, Arm, Plan
from turbovsr.train import stages
from turbovsr.train.composition import compose_plain
from turbovsr.train.config import build_config
from turbovsr.train.ltx.pace import sample_tflop

CPU = torch.device("cpu")


def train_arm(plan: Plan, arm: Arm, seed: int, work: Path) -> Path:
    """Train an arm with a seed, or resume; returns its weights."""
    out = folder_of(plan, arm, seed, work)
    stages.train(build_config(compose_plain(words(plan, arm, seed, work, out))), CPU)
    return out / f"{arm.kind}.safetensors"


def folder_of(plan: Plan, arm: Arm, seed: int, work: Path) -> Path:
    return work / "arms" / f"{arm.name}-{seed if arm.has_seeds else plan.seeds[0]}"


def words(plan: Plan, arm: Arm, seed: int, work: Path, out: Path) -> list[str]:
    """The words of `python -m turbovsr.train` for an arm."""
    model = model_options(plan, arm.space, **arm.model)
    shape = {
        "autoencoder": model.autoencoder,
        "transformer_width": model.transformer_width,
        "transformer_depth": model.transformer_depth,
        "transformer_heads": model.transformer_heads,
    } | arm.model
    batch = batch_of(plan, arm.space)
    stage = {
        "batch.images": batch,
        "batch.clips": batch,
        "batch.frames": plan.bucket.frames,
        "micro_batch": batch,
        "loop.steps": arm.steps,
        "loop.learning_rate": plan.learning_rate,
        "loop.warmup": plan.warmup,
        "loop.ema_decay": 0.99,
        "loop.log_every": 25,
        "loop.save_every": 100,
        "loop.validate_every": arm.steps,
        "start": _start(plan, arm, seed, work),
    } | arm.options
    settings = [f"model.{key}={value}" for key, value in shape.items()]
    settings += [f"stages.{arm.kind}.{key}={_written(value)}" for key, value in stage.items()]
    common = ["checkpointing=false", "workers=0", "device=cpu", "lpips=''", "vgg=''", "dists=''", "keep_last=1"]
    paths = [f"data={latents_of(work, arm.space)}", f"out={out}", f"seed={seed if arm.has_seeds else plan.seeds[0]}"]
    if arm.start is None:
        paths.append(f"weights={autoencoder_of(work, arm.space)}")
    return ["recipe=ltx", f"stage={arm.kind}", *paths, *common, *settings]


def _start(plan: Plan, arm: Arm, seed: int, work: Path) -> Path | None:
    if arm.start is None:
        return None
    start = [path for path in (work / "arms").glob(f"{arm.start}-*") if path.name.rpartition("-")[2] == str(seed)]
    start = start or [work / "arms" / f"{arm.start}-{plan.seeds[0]}"]
    return next(start[0].glob("*.safetensors"))


def _written(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"'{value}'" if isinstance(value, Path) else str(value)


def latents_of(work: Path, space: str) -> Path:
    return work / space / "latents"


def autoencoder_of(work: Path, space: str) -> Path:
    return work / space / "autoencoder.safetensors"


def batch_of(plan: Plan, space: str) -> int:
    return plan.batch if space == HIGHEST_COMPRESSION else plan.batch_of_many_tokens


def latent_shape(plan: Plan, space: str, frames: int) -> tuple[int, int, int]:
    """Frames, rows and columns of the latents of a clip."""
    space_factor, _, time_factor = (int(part) for part in space.split("x"))
    return 1 + (frames - 1) // time_factor, plan.bucket.height // space_factor, plan.bucket.width // space_factor


def tflop_of_two_steps(plan: Plan, space: str) -> float:
    """TFLOP of a training step on stills and one on clips together."""
    config = model_options(plan, space).config()
    lengths = (1, plan.bucket.frames)
    return batch_of(plan, space) * sum(sample_tflop(config, latent_shape(plan, space, length)) for length in lengths)


def steps_of_many_tokens(plan: Plan) -> int:
    """Steps at 8x8x4 that cost as much arithmetic as 1,000 at 32x32x8."""
    return round(1000 * tflop_of_two_steps(plan, HIGHEST_COMPRESSION) / tflop_of_two_steps(plan, LOWEST_COMPRESSION))
