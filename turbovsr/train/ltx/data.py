"""Training material in LTX's latent space: stored latents, or clips that are encoded while training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from frames.errors import UserError
from turbovsr.ltx.model import LTXModel
from turbovsr.train.data import ClipSource
from turbovsr.train.ltx.latents import MANIFEST, LatentFolder, autoencoder_mark
from turbovsr.train.ltx.options import LatentStage, LTXTrainConfig
from turbovsr.train.validate import files_of


class CropSource:
    """Random square crops of photographs and videos, and their LR; the loss encodes them."""

    encoded = False

    def __init__(self, clips: ClipSource, frames: int):
        self.clips, self.frames = clips, frames

    def describe(self) -> str:
        return f"{self.clips.describe()}, encoded while training"

    def bucket(self, rng: np.random.Generator, stills: bool) -> str:
        return ""

    def sample(self, rng: np.random.Generator, bucket: str, stills: bool) -> tuple[Tensor, Tensor]:
        batch = self.clips.batch(rng, 1, 1 if stills else self.frames)
        return batch.gt[0], batch.lr[0]


def open_source(config: LTXTrainConfig, stage: LatentStage, model: LTXModel) -> CropSource | LatentFolder:
    """Open the training material that `data=` names.

    Raises:
        FileNotFoundError: a path is missing, or nothing usable is left.
        UserError: latents and other files together; latents of another autoencoder, or of a held-out clip.
    """
    paths = [Path(path) for path in config.paths]
    stored = [path for path in paths if (path / MANIFEST).is_file()]
    if stored and len(stored) < len(paths):
        raise UserError("data: folders of latents and other files cannot be mixed; prepare latents of all of them")
    if stored:
        latents = LatentFolder(stored, autoencoder_mark(model.autoencoder))
        for path in (file for clip in config.validate for file in files_of(Path(clip))):
            if latents.is_made_of(path):
                raise UserError(f"validate: {path} is in the latents that data= names; a held-out clip must not be")
        return latents
    clips = ClipSource(config.data_config, stage.crop, stage.augmentation, config.degradation)
    return CropSource(clips, stage.batch.frames)
