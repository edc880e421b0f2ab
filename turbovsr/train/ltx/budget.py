"""Memory, arithmetic and traffic of training in LTX's latent space.

    python -m turbovsr.budget --train --gpus 8 --size 1080x1920x49

The memory of one card has sharded float32 weights, gradients, AdamW and EMA; two gathered blocks in bfloat16; the whole
frozen autoencoder; and what the backward pass needs. torch counts TFLOP, a multiplication and its addition as two.
Seconds are TFLOP divided by the given rate, without waiting for data or other cards; hours are for the recipe's steps.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass, replace

import torch

from frames.command_line import Parser
from frames.errors import ERROR, OK, UserError
from turbovsr.ltx import presets
from turbovsr.ltx.model import LTXConfig
from turbovsr.train.composition import compose_plain, members
from turbovsr.train.ltx.activations import activation_bytes
from turbovsr.train.ltx.latents import Bucket
from turbovsr.train.ltx.options import LTXModelOptions, LTXTrainConfig, Shortcut, TransformerStage
from turbovsr.train.ltx.pace import FORWARD_AND_BACKWARD, HALF_STEPS, forward_tflop
from turbovsr.train.ltx.sharding import meta_model

GIB, GB = 2**30, 1e9
MASTER, COMPUTE = 4, 2  # bytes of a weight in float32 and in bfloat16
ADAMW = 2  # numbers that it keeps for each weight
GATHERED = 2  # blocks whose weights are gathered at once: the one that computes and the next


@dataclass(frozen=True)
class StageCost:
    """Cost of a stage of the recipe on a number of cards."""

    steps: int
    tflop_a_step: float  # of all cards, the mean of steps of stills and of clips, checkpointing included
    sent_gb_a_step: float  # by each card, likewise
    seconds_a_step: float
    hours: float
    card_hours: float


@dataclass(frozen=True)
class TrainingCost:
    """Memory of one card in GiB, and the cost of each stage."""

    model: str
    size: str
    gpus: int
    micro_batch: int
    checkpointing: bool
    parameters: int  # of the transformer
    tokens: int  # of a clip
    memory_gib: dict[str, float]
    activations_gib: dict[str, float]  # with and without checkpointing
    stages: dict[str, StageCost]


def memory(config: LTXConfig, bucket: Bucket, gpus: int, micro_batch: int, checkpointing: bool) -> dict[str, float]:
    """Memory of one card by use, in GiB."""
    model = meta_model(config)
    sharded = MASTER * count(model.transformer) / gpus
    block = COMPUTE * count(model.transformer.blocks[0])
    found = {
        "weights": sharded,
        "gradients": sharded,
        "optimizer": ADAMW * sharded,
        "EMA": sharded,
        "gathered blocks": GATHERED * block,
        "autoencoder": COMPUTE * count(model.autoencoder),
        "activations": activation_bytes(config, bucket.latent_shape, micro_batch, torch.bfloat16, checkpointing),
    }
    return {name: value / GIB for name, value in found.items()}


def count(module: torch.nn.Module) -> int:
    """Number of parameters of a module."""
    return sum(value.numel() for value in module.parameters())


def stage_cost(
    stage: TransformerStage, config: LTXConfig, bucket: Bucket, gpus: int, checkpointing: bool, rate: float
) -> StageCost:
    """A stage's cost; `rate` in TFLOP/s of one card."""
    passes = FORWARD_AND_BACKWARD + checkpointing
    bootstrap = stage.bootstrap if isinstance(stage, Shortcut) else 0.0
    frames, *grid = bucket.latent_shape
    still, clip = (forward_tflop(config, (length, grid[0], grid[1])) for length in (1, frames))
    batch = stage.batch
    images, clips = (batch.images / 2, batch.clips / 2) if stage.stills else (0, batch.clips)  # of a step, in the mean
    tflop = (images * still + clips * clip) * (passes + HALF_STEPS * bootstrap)
    weights = count(meta_model(config).transformer)
    # Gathered for the forward and the backward pass in bfloat16, gradients scattered in float32; the EMA's half steps.
    bytes_a_time = weights * (2 * COMPUTE + MASTER + HALF_STEPS * COMPUTE * bootstrap) * (gpus - 1) / gpus
    micro_steps = (images + clips) / (gpus * stage.micro_batch)
    seconds = tflop / (gpus * rate)
    hours = seconds * stage.loop.steps / 3600
    sent = bytes_a_time * micro_steps / GB
    return StageCost(stage.loop.steps, tflop, sent, seconds, hours, hours * gpus)


def budget(options: argparse.Namespace) -> TrainingCost:
    """Compute the budget for the arguments.

    Raises:
        UserError, ValueError: a recipe that is not of the LTX shape, or options out of range.
    """
    from turbovsr.train.config import build_config  # decodes videos: `memory` is asked on machines that cannot

    recipe = build_config(compose_plain([f"recipe={options.recipe}", "data=-", "out=-", *options.settings]))
    if not isinstance(recipe, LTXTrainConfig):
        raise UserError(f"--recipe {options.recipe}: not of the LTX shape")
    bucket = Bucket.parse(options.size)
    shape = LTXModelOptions(size=options.model, autoencoder=options.autoencoder)
    config = shape.config(presets.LTX_TOKENS if options.text else 0)
    checkpointing = not options.no_checkpointing
    trained = {name: stage for name, stage in recipe.stages.items() if isinstance(stage, TransformerStage)}
    if options.micro_batch is not None:
        trained = {name: replace(stage, micro_batch=options.micro_batch) for name, stage in trained.items()}
    micro_batch = max(stage.micro_batch for stage in trained.values())
    stages = {
        name: stage_cost(stage, config, bucket, options.gpus, checkpointing, options.rate)
        for name, stage in trained.items()
    }
    parts = {
        word: memory(config, bucket, options.gpus, micro_batch, checkpointed)
        for word, checkpointed in (("with", True), ("without", False))
    }
    frames, rows, columns = bucket.latent_shape
    return TrainingCost(
        model=options.model,
        size=str(bucket),
        gpus=options.gpus,
        micro_batch=micro_batch,
        checkpointing=checkpointing,
        parameters=count(meta_model(config).transformer),
        tokens=frames * rows * columns,
        memory_gib=parts["with" if checkpointing else "without"],
        activations_gib={word: found["activations"] for word, found in parts.items()},
        stages=stages,
    )


def text_of(cost: TrainingCost, rate: float) -> str:
    """Format the budget as tables."""
    words = "with" if cost.checkpointing else "without"
    lines = [
        f"{cost.model}, {cost.parameters:,} parameters to train, clips of {cost.size}, {cost.tokens:,} tokens,",
        f"{cost.micro_batch} at once on each of {cost.gpus} cards, {words} checkpointing",
        "",
        "memory of a card [GiB]",
        *(f"{name:>18} {value:9.2f}" for name, value in cost.memory_gib.items()),
        f"{'all':>18} {sum(cost.memory_gib.values()):9.2f}",
        "",
        f"activations [GiB]: {', '.join(f'{v:.2f} {k} checkpointing' for k, v in cost.activations_gib.items())}",
        "",
        f"at {rate:g} TFLOP/s a card",
        "".join(f"{head:>12}" for head in ("stage", "steps", "TFLOP/step", "GB sent", "s/step", "hours", "card hours")),
    ]
    for name, stage in cost.stages.items():
        values = (stage.tflop_a_step, stage.sent_gb_a_step, stage.seconds_a_step, stage.hours, stage.card_hours)
        lines.append(f"{name:>12}{stage.steps:12,}" + "".join(f"{_number(value):>12}" for value in values))
    total = sum(stage.card_hours for stage in cost.stages.values())
    return "\n".join([*lines, f"all stages: {_number(total / cost.gpus)} hours, {_number(total)} card hours"])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def main(arguments: list[str]) -> int:
    """Print the budget; returns the exit code."""
    parser = Parser("python -m turbovsr.budget --train", (__doc__ or "").strip())
    parser.add_argument("--gpus", type=int, default=8, help="number of cards (default 8)")
    parser.add_argument("--size", default="1080x1920x49", help="HR height x width x frames of the clips")
    parser.add_argument("--model", default="2b", choices=list(presets.SIZES), help="shape of the model")
    parser.add_argument("--autoencoder", default="0.9.0", help="layout: 0.9.0, 0.9.1 or 0.9.5")
    parser.add_argument("--text", action="store_true", help="with the text branch, as with a prompt")
    parser.add_argument("--recipe", default="ltx", choices=members("recipe"), help="whose stages are counted")
    parser.add_argument("--micro-batch", type=int, help="samples that a card computes at once (default: the recipe's)")
    parser.add_argument(
        "--no-checkpointing", action="store_true", help="keep all activations instead of recomputing them"
    )
    parser.add_argument("--rate", type=float, default=300, help="TFLOP/s of a card (default 300; an assumption)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="options of the recipe")
    options = parser.parse_args(arguments)
    if min(options.gpus, 1 if options.micro_batch is None else options.micro_batch) < 1 or not options.rate > 0:
        parser.error("--gpus and --micro-batch are at least 1, --rate is above 0")
    try:
        cost = budget(options)
    except (UserError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return ERROR
    print(json.dumps(asdict(cost), indent=2) if options.json else text_of(cost, options.rate))
    return OK
