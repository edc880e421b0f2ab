"""Training latents and held-out clips."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from frames.degradations import ClipDegradation
from studies.claims.autoencoder import layout_of
from studies.claims.plan import Plan
from turbovsr.ltx.model import LTXModel
from turbovsr.train.batch import Batch
from turbovsr.train.composition import compose_plain
from turbovsr.train.config import degradation
from turbovsr.train.ltx.clips import find_clips
from turbovsr.train.ltx.latents import Bucket
from turbovsr.train.ltx.options import LTXModelOptions
from turbovsr.train.ltx.prepare import LatentWriter
from turbovsr.train.ltx.sharding import meta_model
from turbovsr.train.ltx.weights import fill_autoencoder
from turbovsr.train.readers import BrokenFile, NoUncutSequence

MOST_DRAWS = 20  # for a held-out clip without a cut


@dataclass(frozen=True)
class HeldClip:
    """A held-out clip: nothing was trained on it."""

    name: str
    video: str
    pixels: Batch  # of one clip


def model_options(plan: Plan, space: str, **further: float) -> LTXModelOptions:
    """Options of the miniature's transformer in the latents of a compression."""
    return LTXModelOptions(
        autoencoder=layout_of(space, plan.width_divisor).name,
        transformer_width=plan.transformer_width,
        transformer_depth=plan.transformer_depth,
        transformer_heads=plan.transformer_heads,
        **further,  # type: ignore[arg-type]
    )


def make_lr(plan: Plan) -> ClipDegradation:
    """Build the plan's degradation."""
    return degradation(compose_plain([f"degradation={plan.degradation}", "data=-", "out=-"])["degradation"])


def write_training_latents(plan: Plan, space: str, weights: Path, data: Sequence[Path], out: Path) -> Path:
    """Encode the training clips and stills; skips those that are encoded already. Returns the folder."""
    done = out / "complete"
    if done.is_file():
        return out
    writer = LatentWriter(autoencoder_alone(plan, space, weights), make_lr(plan), 1, out, plan.seeds[0])
    still = Bucket(plan.bucket.height, plan.bucket.width, 1)
    for clip in find_clips(data, [plan.bucket, still], plan.every, halve_videos=True):
        try:
            writer.write(clip)
        except (BrokenFile, NoUncutSequence):
            continue
    done.touch()
    return out


def autoencoder_alone(plan: Plan, space: str, weights: Path) -> LTXModel:
    """Load a model with the autoencoder's weights and a transformer on the meta device."""
    model = meta_model(model_options(plan, space).config())
    model.autoencoder.to_empty(device="cpu")
    fill_autoencoder(model, weights, plan.seeds[0])
    return model.eval()


def held_out(plan: Plan, held: Sequence[Path]) -> list[HeldClip]:
    """Make random crops of the held-out videos and their LR clips, the same in each call.

    Raises:
        FileNotFoundError: no video fills the bucket.
    """
    found, lr_of = [], make_lr(plan)
    for first in (clip for clip in find_clips(held, [plan.bucket], 2**31, halve_videos=True)):
        for index in range(plan.held_clips):
            clip = dataclasses.replace(first, index=index)
            rng = clip.rng(plan.seeds[0])
            gt = _drawn(clip.frames, rng)
            name = f"{first.path.stem}-{index}"
            found.append(HeldClip(name, first.path.stem, Batch.from_uint8([gt], [lr_of(gt, rng)])))
    return found


def _drawn(frames, rng: np.random.Generator) -> np.ndarray:
    for _ in range(MOST_DRAWS - 1):
        try:
            return frames(rng)
        except NoUncutSequence:
            continue
    return frames(rng)


def together(clips: Sequence[HeldClip]) -> Batch:
    """Join all clips to one batch."""
    return Batch(torch.cat([clip.pixels.gt for clip in clips]), torch.cat([clip.pixels.lr for clip in clips]))
