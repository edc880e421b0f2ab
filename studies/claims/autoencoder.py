"""The miniature's autoencoders, in LTX 0.9.5's kinds of stages, trained as plain autoencoders of frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from frames.atomic import replacing
from studies.claims.plan import HIGHEST_COMPRESSION, LOWEST_COMPRESSION, Plan
from turbovsr.ltx import autoencoder_keys
from turbovsr.ltx.autoencoder import LTXAutoencoder
from turbovsr.ltx.autoencoder_layouts import LAYOUTS, Layout, Stage
from turbovsr.train.batch import Batch
from turbovsr.train.data import ClipSource
from turbovsr.train.data_options import BatchConfig, DataConfig
from turbovsr.train.loop import Loop
from turbovsr.train.losses import LossOutput, ReconstructionLoss
from turbovsr.train.options import LoopConfig, ReconstructionConfig
from turbovsr.train.rng import StepRng

LATENT_NOISE = 0.1  # standard deviation, so that small errors of a generator do little harm
POWER_WEIGHT = 1e-3  # of the latent's mean square, against which the noise counts
STATISTICS_BATCHES = 32  # from which mean and deviation of the latent's channels are measured
SPACES: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, int, int], ...], int]] = {
    # widths of encoder and decoder, the factors in time, height and width between them, channels of the latent
    HIGHEST_COMPRESSION: (
        (16, 32, 64, 128, 128),
        (128, 64, 32, 16, 16),
        ((1, 2, 2), (2, 1, 1), (2, 2, 2), (2, 2, 2)),
        128,
    ),
    LOWEST_COMPRESSION: ((16, 32, 64, 64), (64, 32, 16, 16), ((1, 2, 2), (2, 1, 1), (2, 1, 1)), 16),
}


def layout_of(space: str, divisor: int = 1) -> Layout:
    """Make the layout of a compression and register it, so that the recipe finds it by name."""
    down, up, strides, channels = SPACES[space]
    encoder, decoder = [Stage("res_x", down[0] // divisor, count=1)], [Stage("res_x", up[0] // divisor, count=1)]
    for width, stride in zip(down[1:], strides):
        encoder += [Stage("space_to_depth", width // divisor, stride=stride), Stage("res_x", width // divisor, count=1)]
    for width, stride in zip(up[1:], strides[::-1]):
        up_stage = Stage("depth_to_space", width // divisor, stride=stride, skip=True)
        decoder += [up_stage, Stage("res_x", width // divisor, count=1)]
    layout = Layout(f"claims-{space}-{down[0] // divisor}", tuple(encoder), tuple(decoder), channels)
    return LAYOUTS.setdefault(layout.name, layout)


def train_autoencoder(plan: Plan, space: str, data: Sequence[Path], folder: Path) -> Path:
    """Train an autoencoder, or resume; returns its file, under Lightricks' names."""
    path = folder / "autoencoder.safetensors"
    if path.is_file():
        return path
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seeds[0])
        autoencoder = LTXAutoencoder(layout_of(space, plan.width_divisor))
    source = ClipSource(DataConfig(paths=tuple(map(str, data))), plan.crop)
    batch = BatchConfig(images=plan.autoencoder_stills, clips=plan.autoencoder_clips, frames=plan.bucket.frames)
    config = LoopConfig(
        steps=autoencoder_steps(plan, space),
        learning_rate=4e-3,
        optimizer="muon",  # at the same cost it gets several times as far as AdamW
        warmup=20,
        clip_gradient=1.0,
        ema_decay=0.99,
        save_every=100,
        seed=plan.seeds[0],
    )
    loop = Loop(cast(Any, autoencoder), [], config, folder)
    loss = AutoencoderLoss(autoencoder)
    ema = loop.run(loss, lambda rng: source.draw(batch, rng, stills=rng.step % 2 == 0))
    normalise(ema, source, batch, plan.seeds[0] + 1)
    names = autoencoder_keys.names(ema, "lightricks")
    with replacing(path) as temporary:
        save_file({f"vae.{names[key]}": value.contiguous() for key, value in ema.state_dict().items()}, str(temporary))
    return path


class AutoencoderLoss:
    """Charbonnier distance of frames decoded from noisy latents, and the latent's power."""

    def __init__(self, autoencoder: LTXAutoencoder):
        self.autoencoder = autoencoder
        self.reconstruction = ReconstructionLoss(ReconstructionConfig(), {})

    def __call__(self, batch: Batch, rng: StepRng, ema: LTXAutoencoder) -> LossOutput:
        latent = self.autoencoder.encode(batch.gt)
        power = latent.square().mean()
        output = self.reconstruction(self.autoencoder.decode(latent + LATENT_NOISE * rng.normal(latent)), batch.gt, rng)
        return LossOutput(output.loss + POWER_WEIGHT * power, output.terms | {"latent power": power.detach()})


@torch.no_grad()
def normalise(autoencoder: LTXAutoencoder, source: ClipSource, batch: BatchConfig, seed: int) -> None:
    """Measure mean and deviation of the latent's channels and store them in the autoencoder, as in LTX's files."""
    found = []
    for index in range(STATISTICS_BATCHES):
        clip = source.draw(batch, StepRng(seed, index), stills=index % 2 == 0).gt
        found.append(autoencoder.encode(clip).transpose(0, 1).flatten(1))
    latent = torch.cat(found, dim=1)
    autoencoder.mean.copy_(latent.mean(dim=1))
    autoencoder.std.copy_(latent.std(dim=1).clamp(min=1e-4))


def autoencoder_steps(plan: Plan, space: str) -> int:
    """Steps of an autoencoder's training that take as much arithmetic as the planned steps at 32x32x8."""
    most, own = (autoencoder_tflop(plan, each) for each in (HIGHEST_COMPRESSION, space))
    return max(2, round(plan.autoencoder_steps * most / own))


def autoencoder_tflop(plan: Plan, space: str) -> float:
    """TFLOP of encoding and decoding a clip of the plan's bucket."""
    with torch.device("meta"):
        autoencoder = LTXAutoencoder(layout_of(space, plan.width_divisor))
    clip: Tensor = torch.empty(1, 3, plan.bucket.frames, plan.bucket.height, plan.bucket.width, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        autoencoder.decode(autoencoder.encode(clip))
    return counter.get_total_flops() / 1e12
