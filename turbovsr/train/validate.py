"""Validation during training: LPIPS-alex, DISTS and PSNR-Y of held-out clips, and pictures, by kind of latent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from frames.bicubic import bicubic
from frames.errors import UserError
from frames.images import write_png
from frames.listing import entries
from frames.source import open_source
from turbovsr.model import Model
from turbovsr.rearrange import batch_to_frames, frames_to_batch
from turbovsr.train.batch import Batch
from turbovsr.train.data import ClipSource, find_media
from turbovsr.train.distributed import rank
from turbovsr.train.options import Autoencoding, Stage, TrainConfig
from turbovsr.train.rng import StepRng

PICTURE_EDGE = 256  # largest edge of a pane in the picture, GT pixels
PANE_LABEL = 18  # pixels of height
MOST_ROWS = 6  # of a picture
PICTURED_STEP = 2**31  # seeds the crops for pictures: no stage trains so long

Outputs = Callable[[Any, Tensor, Tensor], dict[str, Tensor]]
"""(model, LR, GT) -> SR clips by kind of latent."""


def read_clip(path: Path, frames: int) -> np.ndarray:
    """Read the first frames of a folder of images or of a video, cropped to multiples of 32: uint8 (T, H, W, 3)."""
    clip = list(islice(open_source(path).frames(), frames))
    if len(clip) < frames:
        raise ValueError(f"{path}: it has {len(clip)} frames and {frames} are needed; name a longer clip")
    height, width = (n // 32 * 32 for n in clip[0].shape[:2])
    if not height or not width:
        raise ValueError(f"{path}: frames of {clip[0].shape[1]}x{clip[0].shape[0]} are too small, 32x32 at least")
    return np.stack(clip)[:, :height, :width]


def luma(frames: Tensor) -> Tensor:
    """BT.601 studio-range Y, (N, H, W) in 16..235, of RGB frames (N, 3, H, W) in 0..255."""
    weights = frames.new_tensor([65.481, 128.553, 24.966]).view(1, 3, 1, 1) / 255
    return (frames * weights).sum(dim=1) + 16


def scores(sr: Tensor, gt: Tensor, networks: Mapping[str, nn.Module]) -> dict[str, float]:
    """Scores of a clip (1, 3, T, H, W) in [-1, 1], rounded to 8 bits: PSNR-Y in dB, and the networks' distances.

    They are means over the frames, but DISTS is that of the middle frame, because it costs as much as all else.
    """
    sr, gt = (((x[0].transpose(0, 1) + 1) * 127.5).round().clamp(0, 255) for x in (sr, gt))
    error = (luma(sr) - luma(gt)).square().mean(dim=(1, 2))
    found = {"psnr-y": float((10 * torch.log10(255**2 / error)).mean())}
    middle = len(sr) // 2
    for name, network in networks.items():
        frames = range(middle, middle + 1) if name == "dists" else range(len(sr))
        values = [network(sr[i : i + 1] / 127.5 - 1, gt[i : i + 1] / 127.5 - 1) for i in frames]
        found[name] = float(torch.cat([value.flatten() for value in values]).mean())
    return found


def regression_outputs(model: Model, lr: Tensor, gt: Tensor) -> dict[str, Tensor]:
    """The bicubic enlargement, and the decoding without a latent."""
    base = batch_to_frames(bicubic(frames_to_batch(lr), (gt.shape[-2], gt.shape[-1])), len(gt))
    return {"bicubic": base, "none": model.decoder(lr, None)}


def autoencoder_outputs(model: Model, lr: Tensor, gt: Tensor) -> dict[str, Tensor]:
    """`regression_outputs`, and the decoding of the oracle latent, which is encoded from GT."""
    return regression_outputs(model, lr, gt) | {"oracle": model.decoder(lr, model.encoder(gt))}


def generator_outputs(model: Model, lr: Tensor, gt: Tensor) -> dict[str, Tensor]:
    """`autoencoder_outputs`, and decodings of latents sampled in 1, 2 and 4 steps."""
    result = autoencoder_outputs(model, lr, gt)
    condition = model.projection(lr)
    shape = (len(lr), model.config.latent_channels, *condition.shape[2:])
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(condition)
    for steps in (1, 2, 4):
        first = model.sample_first(condition, noise, steps)
        latent = model.sample_rest(condition, first, noise, steps)
        result[f"{steps} steps"] = model.decoder(lr, latent)
    return result


class Validation:
    """Scores and pictures of a model on clips. Called with a model, it returns {"clip/latent/metric": score}.

    Args:
        clips: GT and LR of the clips to score, by name.
        pictured: those that `picture` shows the first frames of.
        networks: perceptual metrics by name.
        outputs: decodings to score, by the name of the latent.
    """

    def __init__(
        self,
        clips: Mapping[str, Batch],
        pictured: Mapping[str, Batch],
        networks: Mapping[str, nn.Module],
        outputs: Outputs,
        device: torch.device,
    ):
        self.clips, self.pictured = clips, pictured
        self.networks, self.outputs, self.device = networks, outputs, device

    @torch.no_grad()
    def __call__(self, model: Any) -> dict[str, float]:
        result = {}
        for name, clip in self.clips.items():
            clip = clip.to(self.device)
            for latent, sr in self.outputs(model, clip.lr, clip.gt).items():
                for metric, value in scores(sr, clip.gt, self.networks).items():
                    result[f"{name}/{latent}/{metric}"] = round(value, 2 if metric == "psnr-y" else 4)
        return result

    @torch.no_grad()
    def picture(self, model: Any, path: Path) -> None:
        """Write a PNG: a row for each clip, with the bicubic enlargement, the decodings, and GT side by side."""
        rows = []
        for clip in list(self.pictured.values())[:MOST_ROWS]:
            clip = clip.to(self.device)
            panes = self.outputs(model, clip.lr, clip.gt) | {"GT": clip.gt}
            rows.append(np.hstack([pane(frames, label) for label, frames in panes.items()]))
        width = max(row.shape[1] for row in rows)
        if rank() == 0:  # sharded models are asked in all processes
            write_png(path, np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]))


def pane(clip: Tensor, label: str) -> np.ndarray:
    """Middle of the first frame of a clip (1, 3, T, H, W) in [-1, 1], below its label, uint8 (h, w, 3)."""
    frame = clip[0, :, 0].float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    top, left = (max(0, (edge - PICTURE_EDGE) // 2) for edge in frame.shape[:2])
    frame = frame[top : top + PICTURE_EDGE, left : left + PICTURE_EDGE]
    bar = np.zeros((PANE_LABEL, frame.shape[1], 3), np.uint8)
    cv2.putText(bar, label, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([bar, frame])


def check_held_out(config: TrainConfig) -> None:
    """Raise `UserError` for a held-out clip that is training data, by a link too, or has the name of another one."""
    names = [Path(clip).stem for clip in config.validate]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"validate: {names.count(name)} clips are called {name}; scores go by name, rename them")
    for clip in map(Path, config.validate):
        for root in map(Path, config.paths):
            if clip.resolve().is_relative_to(root.resolve()):
                raise UserError(f"validate: {clip} lies in the training data {root}; a held-out clip must not")
    held_out = {_identity(path): path for clip in map(Path, config.validate) for path in files_of(clip)}
    photos, videos = find_media(map(Path, config.paths)) if held_out else ([], [])
    for path in photos + videos:
        if same := held_out.get(_identity(path)):
            raise UserError(f"validate: {same} is the training file {path}; a held-out clip must not be one")


def files_of(clip: Path) -> list[Path]:
    """The files of a clip: those of a folder, or the video itself."""
    return [path for path in (entries(clip) if clip.is_dir() else [clip]) if path.is_file()]


def _identity(path: Path) -> tuple[int, int]:
    """Device and number of a file, which all links to it share."""
    found = path.stat()
    return found.st_dev, found.st_ino


def held_out_clips(config: TrainConfig) -> tuple[dict[str, Batch], dict[str, Batch]]:
    """The held-out clips by name, and the first frame of each for pictures; errors as `check_held_out`."""
    check_held_out(config)
    clips: dict[str, Batch] = {}
    for path in map(Path, config.validate):
        gt = read_clip(path, config.validate_frames)
        lr = config.degradation(gt, np.random.default_rng([config.seed, len(clips)]))
        clips[path.stem] = Batch.from_uint8([gt], [lr])
    return clips, {name: Batch(clip.gt[:, :, :1], clip.lr[:, :, :1]) for name, clip in clips.items()}


def build_validation(
    config: TrainConfig, stage: Stage, source: ClipSource, networks: Mapping[str, nn.Module], device: torch.device
) -> Validation:
    """Validation on the held-out clips; without any, pictures of fixed crops of the training data.

    Raises:
        UserError: a held-out clip lies in the training data.
    """
    outputs: Outputs = generator_outputs
    if isinstance(stage, Autoencoding):
        outputs = regression_outputs if stage.latent_dropout >= 1 else autoencoder_outputs
    clips, pictured = held_out_clips(config)
    if not clips and rank() == 0:
        crops = source.batch(StepRng(config.seed, PICTURED_STEP).numpy, 4, 1)
        pictured = {f"crop {i + 1}": Batch(crops.gt[i : i + 1], crops.lr[i : i + 1]) for i in range(len(crops))}
    return Validation(clips, pictured, networks, outputs, device)
