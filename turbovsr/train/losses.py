"""Losses between SR and GT frames, and what a training loss returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turbovsr.colours import chroma
from turbovsr.rearrange import frames_to_batch
from turbovsr.train.dists import Dists
from turbovsr.train.jitter import jittered
from turbovsr.train.lattice import lattice_excess
from turbovsr.train.motion import error_change
from turbovsr.train.options import ReconstructionConfig
from turbovsr.train.rng import StepRng


@dataclass(frozen=True)
class LossOutput:
    """Loss of one step.

    Attributes:
        loss: scalar to minimise.
        terms: its parts by name, detached, for the log.
        sr: the SR clips (B, 3, T, H, W) that it was computed from, for an adversarial loss; None: there are none.
    """

    loss: Tensor
    terms: dict[str, Tensor] = field(default_factory=dict)
    sr: Tensor | None = None


class TrainingLoss(Protocol):
    """Loss of a stage: computed from a batch, the generators of the step, and the EMA model."""

    def __call__(self, batch: Any, rng: StepRng, ema: Any) -> LossOutput: ...


def charbonnier(sr: Tensor, gt: Tensor, eps: float = 1e-3) -> Tensor:
    """Charbonnier distance, a smooth L1: mean of sqrt(difference^2 + eps^2), frames in [-1, 1]."""
    return ((sr - gt).square() + eps**2).sqrt().mean()


def high_pass(frames: Tensor) -> Tensor:
    """Edges and textures of frames (N, 3, H, W): their difference from a mean over 5x5 pixels."""
    return frames - F.avg_pool2d(frames, 5, stride=1, padding=2, count_include_pad=False)


class ReconstructionLoss:
    """Weighted distance of SR clips from GT.

    The terms are Charbonnier distances of frames, of their changes and of their fine detail, the squared error of
    chroma, patterns that repeat with the LR pixels, LPIPS and DISTS.

    Args:
        config: weights of the terms.
        networks: "lpips" and "dists", each a function of two batches of frames; needed where the weight is not 0,
            "dists" for `lpips_vgg` too.
    """

    def __init__(self, config: ReconstructionConfig, networks: Mapping[str, nn.Module]):
        self.config, self.networks = config, networks

    def __call__(self, sr: Tensor, gt: Tensor, rng: StepRng, motion: Tensor | None = None) -> LossOutput:
        """Compare clips (B, 3, T, H, W) in [-1, 1]; `motion` is GT's if it is at hand (`turbovsr.train.motion`)."""
        config = self.config
        terms = {"pixel": charbonnier(sr, gt)}
        sr_frames, gt_frames = frames_to_batch(sr), frames_to_batch(gt)
        if config.temporal > 0 and sr.shape[2] > 1:
            terms["temporal"] = charbonnier(sr.diff(dim=2), gt.diff(dim=2))
        if config.motion > 0 and sr.shape[2] > 1:
            terms["motion"] = error_change(sr, gt, motion)
        if config.fine > 0:
            terms["fine"] = charbonnier(high_pass(sr_frames), high_pass(gt_frames))
        if config.chroma > 0:
            terms["chroma"] = (chroma(sr_frames) - chroma(gt_frames)).square().mean()
        if config.lattice > 0:
            terms["lattice"] = lattice_excess(sr_frames, gt_frames)
        if rng.step >= config.start:
            terms |= self._perceptual(sr_frames, gt_frames, rng)
        loss = torch.stack([getattr(config, name) * value for name, value in terms.items()]).sum()
        return LossOutput(loss, {name: value.detach() for name, value in terms.items()}, sr)

    def _perceptual(self, sr: Tensor, gt: Tensor, rng: StepRng) -> dict[str, Tensor]:
        """Compute the terms of the perceptual networks, each on its number of frames out of (N, 3, H, W)."""
        config, terms = self.config, {}
        order = torch.from_numpy(rng.numpy.permutation(len(sr)))
        if config.lpips > 0:
            pair = self._seen(sr, gt, order[: config.lpips_frames], rng)
            with torch.autocast(sr.device.type, enabled=False):  # in bfloat16 it hardly tells similar frames apart
                terms["lpips"] = self.networks["lpips"](*(frames.float() for frames in pair)).mean()
        if config.lpips_vgg > 0 and config.vgg_frames:
            network = cast(Dists, self.networks["dists"])
            terms["lpips_vgg"] = network.lpips(*self._seen(sr, gt, order[: config.vgg_frames], rng)).mean()
            order = order.flip(0)  # DISTS sees other frames
        elif config.lpips_vgg > 0:
            pair = self._seen(sr, gt, order[: config.dists_frames], rng)
            both = cast(Dists, self.networks["dists"]).with_lpips(*pair)
            return terms | {"dists": both[0].mean(), "lpips_vgg": both[1].mean()}
        if config.dists > 0:
            terms["dists"] = self.networks["dists"](*self._seen(sr, gt, order[: config.dists_frames], rng)).mean()
        return terms

    def _seen(self, sr: Tensor, gt: Tensor, chosen: Tensor, rng: StepRng) -> tuple[Tensor, Tensor]:
        pair = sr[chosen], gt[chosen]
        config = self.config
        return jittered(*pair, rng.numpy, config.window, config.resized) if config.jitter else pair
