"""The loss of the layers that clean the LR frames' colours (`turbovsr.colours`).

It needs nothing of the decoder but those layers, and nothing at full size, so that its steps are cheap.
"""

from __future__ import annotations

from frames.bicubic import bicubic
from turbovsr.colours import chroma
from turbovsr.geometry import SCALE
from turbovsr.model import Model
from turbovsr.rearrange import frames_to_batch
from turbovsr.train.batch import Batch
from turbovsr.train.losses import LossOutput
from turbovsr.train.rng import StepRng


class ColoursLoss:
    """Mean squared error of the cleaned LR frames' chroma, in [-1, 1], from that of GT reduced by bicubic.

    The error is squared because stains of colour are large and rare: an L1 distance is smallest if they stay.

    Args:
        model: the layers of its decoder that clean colours are used.
    """

    def __init__(self, model: Model):
        self.model = model

    def __call__(self, batch: Batch, rng: StepRng, ema: Model) -> LossOutput:
        gt = frames_to_batch(batch.gt)
        clean = bicubic(gt, (gt.shape[-2] // SCALE, gt.shape[-1] // SCALE))
        cleaned = self.model.decoder.cleaned(frames_to_batch(batch.lr))
        error = (chroma(cleaned) - chroma(clean)).square().mean()
        return LossOutput(error, {"colours": error.detach()})
