"""Stage A: encoder and conditional decoder, trained together.

The latent carries what the decoder cannot see in the LR frames. Three things shape it: noise on the latent, so that
small errors of a generator do little harm; latent dropout, so that the decoder also works from the LR frames alone; and
the reconstruction loss through the decoder.
"""

from __future__ import annotations

import torch

from turbovsr.model import Model
from turbovsr.train.batch import Batch
from turbovsr.train.data import ClipSource
from turbovsr.train.data_options import BatchConfig
from turbovsr.train.losses import LossOutput, ReconstructionLoss
from turbovsr.train.options import Autoencoding
from turbovsr.train.rng import StepRng

POWER_WEIGHT = 5e-4  # of the latent's mean square: in a training without it the latent saturated


class AutoencodingLoss:
    """Reconstruction from GT latents with noise of random strength, some of them dropped.

    Args:
        model: its encoder and decoder are used.
        stage: `latent_dropout` (1: the decoder alone) and `latent_noise_std`.
        reconstruction: loss between SR and GT clips.
    """

    def __init__(self, model: Model, stage: Autoencoding, reconstruction: ReconstructionLoss):
        self.model, self.stage, self.reconstruction = model, stage, reconstruction

    def __call__(self, batch: Batch, rng: StepRng, ema: Model) -> LossOutput:
        gt, lr = batch.gt, batch.lr
        if self.stage.latent_dropout == 1:
            return self.reconstruction(self.model.decoder(lr, None), gt, rng, batch.motion)
        clean = self.model.encoder(gt)
        power = clean.square().mean()
        strength = torch.rand(len(gt), 1, 1, 1, 1, generator=rng.torch).to(gt) * self.stage.latent_noise_std
        latent = clean + strength * rng.normal(clean)
        keep = torch.rand(len(gt), generator=rng.torch).to(gt) >= self.stage.latent_dropout
        sr = self.model.decoder(lr, latent, keep)
        output = self.reconstruction(sr, gt, rng, batch.motion)
        terms = output.terms | {"latent power": power.detach()}
        return LossOutput(output.loss + POWER_WEIGHT * power, terms, sr)


@torch.no_grad()
def normalise_latent(model: Model, source: ClipSource, config: BatchConfig, batches: int, seed: int) -> None:
    """Measure mean and standard deviation of each latent channel and store them in the encoder and the decoder.

    Afterwards `model.encoder(gt)` has unit variance, as the diffusion stage needs, and decodes as before.
    """
    device = next(model.parameters()).device
    found = []
    for index in range(batches):
        batch = source.draw(config, StepRng(seed, index)).to(device)
        found.append(model.encoder.raw(batch.gt).transpose(0, 1).flatten(1))
    raw = torch.cat(found, dim=1)
    for part in (model.encoder, model.decoder):
        part.mean.copy_(raw.mean(dim=1))
        part.std.copy_(raw.std(dim=1).clamp(min=1e-4))
