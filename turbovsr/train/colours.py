"""The loss of the layers that clean the LR frames' colours (`turbovsr.colours`)."""

from __future__ import annotations

import torch
from torch import Tensor

from frames.bicubic import bicubic
from turbovsr.colours import chroma
from turbovsr.decoder import Decoder
from turbovsr.geometry import SCALE
from turbovsr.model import Model
from turbovsr.rearrange import frames_to_batch
from turbovsr.train.batch import Batch
from turbovsr.train.losses import LossOutput
from turbovsr.train.rng import StepRng


def colours_error(decoder: Decoder, batch: Batch) -> Tensor:
    """Mean squared error of the cleaned LR frames' chroma, in [-1, 1], from that of GT reduced by bicubic.

    Squared, for stains of colour are large and rare: a distance like L1 is smallest where they stay.
    """
    lr = frames_to_batch(batch.lr)
    with torch.no_grad():
        gt = frames_to_batch(batch.gt)
        clean = chroma(bicubic(gt, (gt.shape[-2] // SCALE, gt.shape[-1] // SCALE)))
    return (chroma(decoder.cleaned(lr)) - clean).square().mean()


class ColoursLoss:
    """`colours_error` alone: a step takes a tenth of the time of one through the whole decoder.

    Args:
        model: of its decoder the layers that clean colours are used.
    """

    def __init__(self, model: Model):
        self.model = model

    def __call__(self, batch: Batch, rng: StepRng, ema: Model) -> LossOutput:
        error = colours_error(self.model.decoder, batch)
        return LossOutput(error, {"colours": error.detach()})
