"""Training of one stage in LTX's latent space."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from frames.errors import UserError
from turbovsr.ltx import presets
from turbovsr.ltx.model import LTXModel
from turbovsr.train.distributed import rank
from turbovsr.train.ltx import parts
from turbovsr.train.ltx.data import open_source
from turbovsr.train.ltx.loop import ShardedLoop
from turbovsr.train.ltx.lora import choose_trained, initial
from turbovsr.train.ltx.loss import LatentLoss
from turbovsr.train.ltx.options import LatentStage, LTXTrainConfig, TransformerStage, Turbo
from turbovsr.train.ltx.pace import Pace
from turbovsr.train.ltx.samples import check_batch, draw_step
from turbovsr.train.ltx.sharding import fill, process_group, shadow, sharded_model
from turbovsr.train.ltx.turbo_stage import train_turbo
from turbovsr.train.ltx.validate import build_validation
from turbovsr.train.ltx.weights import LICENCE, Trained, exact_autoencoder, export, start
from turbovsr.train.messages import info
from turbovsr.train.perceptual import perceptual_networks
from turbovsr.train.provenance import metadata_of, start_weights, store_settings, weights_path

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def train_latent_stage(config: LTXTrainConfig, name: str, device: torch.device) -> None:
    """Train one stage, from its last checkpoint if there is one, and write its EMA weights to one file."""
    with process_group(device):
        _train(config, name, device)


def _train(config: LTXTrainConfig, name: str, device: torch.device) -> None:
    stage = config.stages[name]
    assert isinstance(stage, LatentStage)
    check_batch(stage)
    info(f"stage {name}: {stage.loop.steps} steps on {device}")
    if isinstance(stage, Turbo):
        config = dataclasses.replace(config, lora=0)  # adapters are merged in what it starts from
    dtype = PRECISIONS[_precision(config, device)]
    model = build(config, device, dtype)
    path = _start_path(config, name)
    metadata = metadata_of(config, name)  # now: the start weights may be replaced during the training
    if config.lora and path is None:
        raise UserError(f"lora={config.lora}: adapters need weights that they adapt; name them as weights=")
    origin = start(model, path, config.seed)
    info(f"starts from {origin}")
    # The one that computes is rounded in bfloat16. In main memory from now on: the start weights may be replaced.
    exact = exact_autoencoder(model.config, path, config.seed) if rank() == 0 and dtype != torch.float32 else {}
    trained = train_turbo(config, name, model) if isinstance(stage, Turbo) else _train_transformer(config, name, model)
    notes = {"name": f"{config.model.size} {trained.config.path}, {name}", "licence": LICENCE}
    notes |= {"origin": f"trained from {origin}"} | metadata
    state = ((key, exact.get(key, value)) for key, value in trained.state)
    export(trained.config, state, weights_path(config, name), **notes)


def _train_transformer(config: LTXTrainConfig, name: str, model: LTXModel) -> Trained:
    """Train the transformer of a filled model; returns the EMA model."""
    stage, folder = config.stages[name], Path(config.out) / name
    assert isinstance(stage, TransformerStage)
    device, dtype = model.autoencoder.mean.device, model.autoencoder.mean.dtype
    source = open_source(config, stage, model)
    info(source.describe())
    store_settings(config, name, folder, resumes=bool(parts.saved_steps(folder / "checkpoints")))
    fill(model.transformer, initial(model.transformer, config.seed))
    choose_trained(model.transformer)
    model.transformer.checkpointing = config.checkpointing
    ema = shadow(model, device, dtype, config.lora)
    if config.compile:
        for each in (model, ema):
            each.transformer.compile_blocks()
    loop_config = dataclasses.replace(stage.loop, seed=config.seed)
    pace = Pace(model.config, stage, config.peak_tflops)
    loop = ShardedLoop(model, ema, loop_config, folder, config.keep_last, pace)
    networks = perceptual_networks(config, stage, device)
    validation = build_validation(config, networks, device, first_given=stage.first_given)
    ema = loop.run(
        LatentLoss(model, stage, dtype),
        lambda rng: draw_step(stage, source, rng),
        config.workers,
        validation,
        None if validation is None else validation.picture,
    )
    return Trained(ema.config, ema.state_dict().items())


def build(config: LTXTrainConfig, device: torch.device, dtype: torch.dtype) -> LTXModel:
    """Build the sharded model of a configuration, without weights."""
    prompt = None
    if config.prompt is not None:
        prompt = presets.fixed_prompt(config.prompt, config.model.config().prompt_channels)
    model_config = config.model.config(0 if prompt is None else prompt.shape[1])
    return sharded_model(model_config, prompt, device, dtype, config.lora)


def _precision(config: LTXTrainConfig, device: torch.device) -> str:
    if config.precision == "auto":
        return "bfloat16" if device.type == "cuda" else "float32"
    return config.precision


def _start_path(config: LTXTrainConfig, name: str) -> Path | None:
    """Path of the weights that a stage begins with; None: random weights. Raises `UserError` if it is missing."""
    if config.stages[name].start is not None:
        return start_weights(config, name)
    if config.weights is None:
        return None
    path = Path(config.weights)
    if not path.exists():
        raise UserError(
            f"weights={path}: no such file or folder; name an LTX-Video checkpoint (.safetensors or a folder)"
        )
    return path
