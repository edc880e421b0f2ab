"""Distillation: the decoder learns from another upscaler's frames (Hinton et al. 2015, arXiv 1503.02531).

The detail of GT that degraded LR frames lack is mostly random, so a gradient towards it is mostly noise. Another
upscaler's frame is a function of the same LR frames and has only predictable detail, so far fewer steps are needed
(docs/decisions/turbovsr-real.md).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from frames.errors import UserError
from turbovsr.conditioning import trains_first_frame
from turbovsr.geometry import latent_frames
from turbovsr.model import Model
from turbovsr.train.batch import Batch
from turbovsr.train.data import ClipSource
from turbovsr.train.losses import LossOutput, ReconstructionLoss, charbonnier
from turbovsr.train.motion import with_motion
from turbovsr.train.options import Distillation
from turbovsr.train.pairs import PairBatch, PairSource, target_index
from turbovsr.train.rng import StepRng


def open_pairs(stage: Distillation, folder: str) -> PairSource:
    """Open a folder of pairs for a stage. Raises `UserError` if it lacks those that the stage draws."""
    pairs = PairSource(folder)
    if stage.gt_reconstruction is None and not pairs.clips:
        raise UserError(
            f"pairs={folder}: no clips among these pairs, which every other step needs; write some with studies.pairs"
        )
    return pairs


def draw_taught(stage: Distillation, pairs: PairSource, source: ClipSource, rng: StepRng) -> PairBatch | Batch:
    """Draw stills or clips in turn, from the pairs, or from the data with GT as the stage's `gt` options say."""
    batch, stills = stage.batch, trains_first_frame(rng.step)
    loss = stage.gt_reconstruction
    if loss is not None and (not stills or rng.shared.random() < stage.gt_stills):
        return with_motion(source.draw(batch, rng, stills), loss)
    return pairs.draw(rng, batch.images if stills else batch.clips, stills)


class DistillationLoss:
    """Distance of SR frames from another upscaler's and, with weight `gt_pixel`, from GT; of the data's from GT alone.

    Args:
        model: its decoder is trained, with latents that the rest samples.
        stage: see `Distillation`.
        networks: see `ReconstructionLoss`.
    """

    def __init__(self, model: Model, stage: Distillation, networks: Mapping[str, nn.Module]):
        self.model, self.stage = model, stage
        self.towards_sr = ReconstructionLoss(stage.reconstruction, networks)
        self.towards_gt = ReconstructionLoss(stage.gt_reconstruction or stage.reconstruction, networks)

    def __call__(self, batch: PairBatch | Batch, rng: StepRng, ema: Model) -> LossOutput:
        sr = self._decoded(batch.lr, rng)
        if isinstance(batch, Batch):
            return self.towards_gt(sr, batch.gt, rng, batch.motion)
        frame = target_index(sr.shape[2])
        sr = sr[:, :, frame : frame + 1]
        output, from_gt = self.towards_sr(sr, batch.sr, rng), charbonnier(sr, batch.gt)
        terms = {f"taught {name}": value for name, value in output.terms.items()} | {"gt": from_gt.detach()}
        return LossOutput(output.loss + self.stage.gt_pixel * from_gt, terms, sr)

    def _decoded(self, lr: Tensor, rng: StepRng) -> Tensor:
        """Decode SR clips, with sampled latents where the clip's length, 8k+1, allows them."""
        if (lr.shape[2] - 1) % 8:
            return self.model.decoder(lr, None)
        with torch.no_grad():
            condition = self.model.projection(lr)
            shape = (len(lr), self.model.config.latent_channels, latent_frames(lr.shape[2]), *condition.shape[3:])
            noise = rng.normal(lr.new_empty(shape))
            latent = self.model.sample_rest(condition, self.model.sample_first(condition, noise, 1), noise, 1)
        keep = torch.rand(len(lr), generator=rng.torch) >= self.stage.latent_dropout
        return self.model.decoder(lr, latent, keep.to(lr.device))
