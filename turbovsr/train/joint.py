"""Stage C: transformer and decoder, trained together through sampled latents.

The reconstruction loss is carried back through decoder and sampler: the decoder learns to use sampled latents, and the
generator learns which of their errors are visible. The flow loss of stage B continues beside it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from turbovsr.model import Model
from turbovsr.train.batch import Batch
from turbovsr.train.diffusion import FlowLoss, dropout
from turbovsr.train.losses import LossOutput, ReconstructionLoss
from turbovsr.train.options import Joint
from turbovsr.train.rng import StepRng

GIVEN_FROM_GT = 0.5  # probability that a clip continues from GT's first frame, as later chunks do from a good one


class JointLoss:
    """Reconstruction from sampled latents, and the flow loss.

    Args:
        model: all parts are used.
        stage: `mix`, the latents that the decoder is given; the rest see `FlowLoss` and `DiffusionLoss`.
        reconstruction: loss between SR and GT clips.
    """

    def __init__(self, model: Model, stage: Joint, reconstruction: ReconstructionLoss):
        self.model, self.stage, self.reconstruction = model, stage, reconstruction
        self.flow = FlowLoss(model, stage)

    def __call__(self, batch: Batch, rng: StepRng, ema: Model) -> LossOutput:
        mix = self.stage.mix
        latent = self.model.encoder(batch.gt)
        condition = dropout(self.model.projection(batch.lr), self.stage.condition_dropout, rng)
        sampled = self._sample(batch, latent, condition, rng)
        kind = torch.rand(len(batch), generator=rng.torch).to(batch.gt)
        is_oracle = (kind < mix.oracle).view(-1, 1, 1, 1, 1)
        strength = torch.rand(len(batch), 1, 1, 1, 1, generator=rng.torch).to(latent) * self.stage.latent_noise_std
        decoded = torch.where(is_oracle, latent + strength * rng.normal(latent), sampled)
        sr = self.model.decoder(batch.lr, decoded, kind < 1 - mix.none)
        output = self.reconstruction(sr, batch.gt, rng, batch.motion)
        if mix.flow_weight == 0:
            return output
        flow = self.flow(batch, latent, condition, rng, ema)
        return LossOutput(output.loss + mix.flow_weight * flow, output.terms | {"flow": flow.detach()}, sr)

    def _sample(self, batch: Batch, latent: Tensor, condition: Tensor, rng: StepRng) -> Tensor:
        """Latents sampled in one step, or in 2 or 4."""
        steps = 1
        if rng.shared.random() < self.stage.mix.several_steps:
            steps = int(rng.shared.choice([2, 4]))
        noise = rng.normal(latent)
        first = self.model.sample_first(condition, noise, steps)
        if latent.shape[2] > 1 and rng.shared.random() < GIVEN_FROM_GT:
            first = self.model.encoder(batch.gt[:, :, :1])
        return self.model.sample_rest(condition, first, noise, steps)
