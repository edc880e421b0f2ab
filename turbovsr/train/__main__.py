"""`python -m turbovsr.train RECIPE [key=value ...]`: run the stage of training that `stage=` names. See the recipe."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from turbovsr import checkpoints
from turbovsr.autoencoder import fold, unfold
from turbovsr.model import Model, ModelConfig
from turbovsr.resample import bicubic
from turbovsr.train.autoencoding import BatchConfig, autoencoding_losses, normalise_latent
from turbovsr.train.components import start_from_components
from turbovsr.train.data import ClipSource
from turbovsr.train.diffusion import MixConfig, diffusion_losses, joint_losses
from turbovsr.train.loop import Loop, LoopConfig, rank
from turbovsr.train.dists import Dists
from turbovsr.train.losses import PictureLoss, PictureWeights, lpips_alex
from turbovsr.train.validate import Validation


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    if not Path(sys.argv[1]).is_file():
        raise SystemExit(f"{sys.argv[1]}: no such recipe; turbovsr/train/nano.yaml is one")
    recipe = OmegaConf.merge(OmegaConf.load(sys.argv[1]), OmegaConf.from_dotlist(sys.argv[2:]))
    if recipe.stage not in recipe.stages:
        raise SystemExit(f"unknown stage {recipe.stage}: the recipe has {', '.join(recipe.stages)}")
    torch.set_num_threads(recipe.threads)
    if "WORLD_SIZE" in os.environ:  # started by torchrun or accelerate launch
        dist.init_process_group("gloo")
    train(recipe)
    if dist.is_initialized():
        dist.destroy_process_group()


def train(recipe: DictConfig) -> None:
    """Run one stage and write its EMA weights to `out/<stage>.safetensors`."""
    stage, out = recipe.stages[recipe.stage], Path(recipe.out)
    torch.manual_seed(recipe.seed)
    sizes = OmegaConf.to_container(recipe.model)
    model = Model(ModelConfig(**{key: tuple(v) if isinstance(v, list) else v for key, v in sizes.items()}))
    if stage.get("start"):
        previous, _ = checkpoints.load(out / f"{stage.start}.safetensors")
        checkpoints.fill(model, previous.state_dict(), stage.start)
    source = ClipSource(recipe.data, stage.crop, recipe.video_share)
    perceptual = lpips_alex(Path(recipe.lpips))
    weights = PictureWeights(**stage.get("picture", {}))
    dists = Dists(Path(recipe.vgg), Path(recipe.dists)) if weights.dists else None
    picture = PictureLoss(weights, perceptual, dists)
    model.decoder.to(memory_format=torch.channels_last)
    batch = BatchConfig(**stage.batch)
    resumes = (out / recipe.stage / "checkpoint.pt").is_file()
    if stage.get("components") and not resumes:
        share = start_from_components(model, source, **stage.components, seed=recipe.seed + 2)
        print(f"the components hold {share:.1%} of what the decoder misses", flush=True)
    loop = Loop(model, list(stage.trained), LoopConfig(seed=recipe.seed, **stage.loop), out / recipe.stage)

    def losses(random, ema):
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
            if stage.kind == "diffusion":
                return diffusion_losses(model, ema, source, batch, stage.bootstrap, stage.noise, random)
            if stage.kind == "joint":
                mix = MixConfig(**stage.mix)
                return joint_losses(model, ema, source, picture, batch, stage.bootstrap, stage.noise, mix, random)
            return autoencoding_losses(model, source, picture, batch, stage.dropout, stage.noise, random)

    outputs = autoencoder_outputs if stage.kind == "autoencoding" else generator_outputs
    validate = Validation(list(recipe.validate), recipe.validate_frames, perceptual, Dists(Path(recipe.vgg), Path(recipe.dists)), outputs)
    ema = loop.run(losses, validate)
    if rank() == 0:
        if stage.kind == "autoencoding":
            normalise_latent(ema, source, batch, batches=64, seed=recipe.seed + 1)
        checkpoints.save(ema, out / f"{recipe.stage}.safetensors", torch.float32)


def autoencoder_outputs(model: nn.Module, lr: Tensor, gt: Tensor) -> dict[str, Tensor]:
    """Decodings to validate stage A by."""
    base = unfold(bicubic(fold(lr), tuple(gt.shape[-2:])), len(gt))
    return {"bicubic": base, "none": model.decoder(lr, None), "oracle": model.decoder(lr, model.encoder(gt))}


def generator_outputs(model: nn.Module, lr: Tensor, gt: Tensor) -> dict[str, Tensor]:
    """Decodings to validate stages B and C by: those of stage A and sampled latents of 1, 2 and 4 steps."""
    result = autoencoder_outputs(model, lr, gt)
    condition = model.projection(lr)
    shape = (len(lr), model.config.latent_channels, *condition.shape[2:])
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    for steps in (1, 2, 4):
        first = model.sample_first(condition, noise, steps)
        latent = model.sample_rest(condition, first, noise, steps)
        result[f"{steps} steps"] = model.decoder(lr, latent)
    return result


if __name__ == "__main__":
    main()
