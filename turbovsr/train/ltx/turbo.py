"""The turbo path's own parts and their loss, beside a frozen model of the paper's path.

Not in the paper; our choice. The projection learns the condition that the paper's path encodes. The decoder learns to
make frames from latents that the transformer samples with the projected condition: frames near GT, and near those of
the paper's path for the same clip and noise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from frames.degradations import ClipBicubic, ClipDegradation
from turbovsr.conditioning import LRProjection
from turbovsr.decoder import Decoder
from turbovsr.ltx import presets
from turbovsr.ltx.model import LTXConfig, LTXModel
from turbovsr.train.losses import LossOutput, ReconstructionLoss, charbonnier
from turbovsr.train.ltx.options import Turbo
from turbovsr.train.ltx.samples import SampleBatch
from turbovsr.train.rng import StepRng


class TurboParts(nn.Module):
    """The parts of the turbo path besides the transformer and the encoder: the projection and the decoder."""

    def __init__(self, config: LTXConfig):
        super().__init__()
        self.projection = LRProjection(config.condition_channels)
        self.decoder = Decoder(config.latent_channels, **config.decoder)


def turbo_config(paper: LTXConfig, size: str, degradation: ClipDegradation) -> LTXConfig:
    """Configuration of the turbo path around a transformer of the paper's path.

    SR frames agree with their LR frames (`turbovsr.consistency`) where those are bicubic, not where they have noise.
    """
    decoder = presets.DECODERS[size] | {"consistent": isinstance(degradation, ClipBicubic)}
    return dataclasses.replace(paper, path="turbo", decoder=decoder)


def turbo_model(teacher: LTXModel, parts: TurboParts, config: LTXConfig) -> LTXModel:
    """Assemble the turbo path's model from the teacher's transformer and encoder and these parts, without copies."""
    with torch.device("meta"):
        model = LTXModel(config)
    model.transformer, model.prompt = teacher.transformer, teacher.prompt
    model.autoencoder = teacher.autoencoder
    model.projection, model.decoder = parts.projection, parts.decoder
    return model


def state_of(teacher: LTXModel, parts: TurboParts) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights of the turbo path's model: those of `turbo_model` without the autoencoder's decoder."""
    for name, value in teacher.state_dict().items():
        if not name.startswith("autoencoder.decoder."):
            yield name, value
    yield from parts.state_dict().items()


class TurboLoss:
    """Reconstruction of GT, and distances to the condition and the frames of the paper's path.

    Args:
        teacher: the model of the paper's path; it is not trained.
        stage: weights, the share of oracle latents, the steps of the sampler.
        networks: those of the reconstruction loss.
        dtype: the teacher computes in it.
    """

    def __init__(self, teacher: LTXModel, stage: Turbo, networks: Mapping[str, nn.Module], dtype: torch.dtype):
        self.teacher, self.stage, self.dtype = teacher, stage, dtype
        self.reconstruction = ReconstructionLoss(stage.reconstruction, networks)

    def __call__(self, batch: SampleBatch, parts: TurboParts, rng: StepRng) -> LossOutput:
        """Loss of a micro-batch of clips (b, 3, T, H, W) and their LR clips; its mean over the samples."""
        gt, lr = batch.target, batch.condition
        projected = parts.projection(lr)
        with torch.no_grad(), torch.autocast(gt.device.type, enabled=False):
            condition = self.teacher.condition(lr)
            latent, teacher_sr = self._given(batch, condition, projected.detach())
        sr = parts.decoder(lr, latent)
        output = self.reconstruction(sr, gt, rng)
        own = {
            "condition": (projected.float() - condition.float()).square().mean(),
            "distilled": charbonnier(sr, teacher_sr),
        }
        loss = output.loss + torch.stack([getattr(self.stage, name) * value for name, value in own.items()]).sum()
        return LossOutput(loss, output.terms | {name: value.detach() for name, value in own.items()}, sr)

    def _given(self, batch: SampleBatch, condition: Tensor, projected: Tensor) -> tuple[Tensor, Tensor]:
        """The latents to decode, in float32, and the frames of the paper's path."""
        truth = self.teacher.encode(batch.target).float()
        noise, is_oracle = self._drawn(batch.seeds, truth)
        sampled, own = (self._sample(of, noise) for of in (projected, condition))
        teacher_sr = self.teacher.autoencoder.decode(own.to(self.teacher.autoencoder.mean.dtype))
        return torch.where(is_oracle, truth, sampled), teacher_sr.float().clamp(-1, 1)

    def _drawn(self, seeds: tuple[int, ...], like: Tensor) -> tuple[Tensor, Tensor]:
        """Draw noise, and whether GT's latent is decoded, for each sample by its own seed."""
        rows = []
        for seed in seeds:
            random = torch.Generator().manual_seed(seed)
            is_oracle = torch.rand((), generator=random) < self.stage.oracle
            rows.append((torch.randn(like.shape[1:], generator=random), is_oracle))
        noise, is_oracle = (torch.stack(values).to(like.device) for values in zip(*rows))
        return noise, is_oracle.view(-1, 1, 1, 1, 1)

    def _sample(self, condition: Tensor, noise: Tensor) -> Tensor:
        condition = condition.to(self.dtype)
        first = self.teacher.sample_first(condition, noise, self.stage.steps)
        return self.teacher.sample_rest(condition, first.to(noise), noise, self.stage.steps).float()
