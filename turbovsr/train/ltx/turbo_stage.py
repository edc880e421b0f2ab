"""Training of the turbo path's projection and decoder."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor

from frames.errors import UserError
from turbovsr.ltx.model import LTXConfig, LTXModel
from turbovsr.train.distributed import world_size
from turbovsr.train.loop import Loop
from turbovsr.train.ltx.data import open_source
from turbovsr.train.ltx.options import LTXTrainConfig, Turbo
from turbovsr.train.ltx.samples import SampleBatch, draw_step
from turbovsr.train.ltx.turbo import TurboLoss, TurboParts, state_of, turbo_config, turbo_model
from turbovsr.train.ltx.validate import build_validation
from turbovsr.train.ltx.weights import Trained
from turbovsr.train.messages import info
from turbovsr.train.perceptual import perceptual_networks
from turbovsr.train.phases import even_out
from turbovsr.train.provenance import store_settings
from turbovsr.train.rng import StepRng


class TurboLoop(Loop):
    """`Loop` that accumulates micro-batches; all processes run the teacher together, since it may be sharded.

    `loss(micro-batch, parts, random numbers)` is `turbovsr.train.ltx.turbo.TurboLoss`.
    """

    every_process_acts = True

    def _backward(self, loss: Any, batch: SampleBatch, rng: StepRng) -> tuple[dict[str, Tensor], None]:
        sums: dict[str, Tensor] = {}
        for part in batch.split():
            with self._autocast():
                output = loss(part, self.model, rng)
            share = len(part) / len(batch)
            (share * output.loss).backward()
            for name, value in ({"loss": output.loss.detach()} | output.terms).items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + share * value
        means = torch.stack(list(sums.values())) / world_size()
        dist.all_reduce(means)
        return dict(zip(sums, means)), None


def train_turbo(config: LTXTrainConfig, name: str, teacher: LTXModel) -> Trained:
    """Train the turbo path's parts beside a filled model of the paper's path; returns the turbo path's model.

    Raises:
        UserError: `data` names latents, which have no frames.
    """
    stage, folder = config.stages[name], Path(config.out) / name
    assert isinstance(stage, Turbo)
    device, dtype = teacher.autoencoder.mean.device, teacher.autoencoder.mean.dtype
    source = open_source(config, stage, teacher)
    if source.encoded:
        raise UserError(f"stage {name} is trained on frames: name photographs and videos as data=, not latents")
    info(source.describe())
    store_settings(config, name, folder, resumes=(folder / "checkpoint.pt").is_file())
    model_config = turbo_config(teacher.config, config.model.size, config.degradation)
    parts = new_parts(model_config, config.seed).to(device)
    parts.decoder.to(memory_format=torch.channels_last)
    loop_config = dataclasses.replace(stage.loop, seed=config.seed)
    precision = "bfloat16" if dtype == torch.bfloat16 else "float32"
    constrain = (lambda trained: even_out(trained.decoder.head)) if stage.even_head else None
    loop = TurboLoop(cast(Any, parts), [], loop_config, folder, precision=precision, constrain=constrain)
    networks = perceptual_networks(config, stage, device)
    validation = build_validation(config, networks, device, lambda ema: turbo_model(teacher, ema, model_config))
    ema = loop.run(
        TurboLoss(teacher, stage, networks, dtype),
        lambda rng: draw_step(stage, source, rng),
        config.workers,
        validation,
        None if validation is None else validation.picture,
    )
    return Trained(model_config, state_of(teacher, ema))


def new_parts(config: LTXConfig, seed: int) -> TurboParts:
    """Build the parts with random weights, the same in all processes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TurboParts(config)
