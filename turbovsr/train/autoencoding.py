"""Stage A: the encoder and the conditional decoder, together.

The latent is shaped by what the decoder lacks when it sees the LR frames, under three pressures: noise on the latent
(so that nothing may hang on its last digits, and a generator's small errors do little harm), latent dropout (so that
the decoder also works, measurably, from the LR frames alone), and the loss through the decoder, LPIPS included.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from turbovsr.train.data import ClipSource
from turbovsr.train.losses import PictureLoss
from turbovsr.train.step_random import StepRandom

POWER_WEIGHT = 5e-4  # on the latent's mean square: enough to keep it from saturating, which once cost a run its latent


@dataclass(frozen=True, kw_only=True)
class BatchConfig:
    """What one step sees: a batch of still images, or of clips."""

    images: int = 12
    clips: int = 2
    frames: int = 9
    image_share: float = 0.5

    def draw(self, source: ClipSource, random: StepRandom, stills: bool | None = None) -> tuple[Tensor, Tensor]:
        """GT and LR of one batch, of images or clips as `stills` says, or by the odds of `image_share`."""
        if stills is None:
            stills = random.shared.random() < self.image_share
        if stills:
            return source.batch(random.numpy, self.images, 1)
        return source.batch(random.numpy, self.clips, self.frames)


def autoencoding_losses(
    model: nn.Module,
    source: ClipSource,
    picture: PictureLoss,
    batch: BatchConfig,
    dropout: float,
    noise: float,
    random: StepRandom,
) -> dict[str, Tensor]:
    """One step's losses: decode GT latents with noise of random strength up to `noise`, some of them dropped."""
    gt, lr = batch.draw(source, random)
    if dropout == 1:  # the decoder alone
        return picture(model.decoder(lr, None), gt, random)
    clean = model.encoder(gt)
    power = clean.square().mean()
    strength = torch.rand(len(gt), 1, 1, 1, 1, generator=random.torch).to(gt) * noise
    latent = clean + strength * random.normal(clean)
    keep = torch.rand(len(gt), generator=random.torch).to(gt) >= dropout
    sr = model.decoder(lr, latent, keep)
    terms = picture(sr, gt, random)
    return terms | {"loss": terms["loss"] + POWER_WEIGHT * power, "latent power": power.detach()}


@torch.no_grad()
def normalise_latent(model: nn.Module, source: ClipSource, batch: BatchConfig, batches: int, seed: int) -> None:
    """Measure the latent's mean and deviation by channel and store them in the encoder and the decoder.

    Afterwards `model.encoder(gt)` has unit variance, as the diffusion stage wants it, and decodes as before.
    """
    raw = [model.encoder.raw(batch.draw(source, StepRandom(seed, i))[0]) for i in range(batches)]
    raw = torch.cat([latent.transpose(0, 1).flatten(1) for latent in raw], dim=1)
    for part in (model.encoder, model.decoder):
        part.mean.copy_(raw.mean(dim=1))
        part.std.copy_(raw.std(dim=1).clamp(min=1e-4))
