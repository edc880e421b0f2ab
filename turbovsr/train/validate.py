"""Scores and pictures of a model on held-out clips while it trains: LPIPS-alex, DISTS and PSNR-Y by kind of latent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from frames.bicubic import bicubic
from turbovsr.rearrange import batch_to_frames, frames_to_batch
from turbovsr.train.degradations.basic import Bicubic
from turbovsr.train.readers import BrokenFile, read_frames, read_photo

PICTURE_EDGE = 256  # largest edge of a pane in the picture, GT pixels
PANE_LABEL = 18  # pixels of height


def read_clip(path: Path, frames: int) -> Tensor:
    """The first frames of a folder of PNGs or of a video, cropped to multiples of 32: (1, 3, T, H, W) in [-1, 1]."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such clip; name folders of PNG frames or videos as validate=[...]")
    try:
        found = (
            islice(read_frames(path), frames)
            if path.is_file()
            else map(read_photo, sorted(path.glob("*.png"))[:frames])
        )
        clip = list(found)
    except BrokenFile as error:
        raise FileNotFoundError(str(error)) from error
    if len(clip) < frames:
        raise FileNotFoundError(
            f"{path}: {len(clip)} frames (PNGs, or of a video), {frames} wanted; name a longer clip"
        )
    clip = np.stack(clip)
    height, width = (n // 32 * 32 for n in clip.shape[1:3])
    if not height or not width:
        raise ValueError(f"{path}: frames of {clip.shape[1]}x{clip.shape[2]} are too small to validate on, 32 at least")
    clip = torch.from_numpy(clip[:, :height, :width]).permute(3, 0, 1, 2)[None]
    return clip.float() / 127.5 - 1


def luma(frames: Tensor) -> Tensor:
    """BT.601 studio-range Y in 0..255 of (N, 3, H, W) in 0..255."""
    weights = frames.new_tensor([65.481, 128.553, 24.966]).view(1, 3, 1, 1) / 255
    return (frames * weights).sum(dim=1) + 16


def scores(sr: Tensor, gt: Tensor, networks: Mapping[str, nn.Module]) -> dict[str, float]:
    """Means over the frames of a (1, 3, T, H, W) clip, rounded to 8 bits first: PSNR-Y in dB, and what `networks` judge.

    DISTS is that of the middle frame alone: it costs as much as all else.
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


def regression_outputs(model: nn.Module, lr: Tensor, gt: Tensor) -> dict[str, Tensor]:
    """Decodings to validate a decoder by that has seen no latent."""
    base = batch_to_frames(bicubic(frames_to_batch(lr), tuple(gt.shape[-2:])), len(gt))
    return {"bicubic": base, "none": model.decoder(lr, None)}


def autoencoder_outputs(model: nn.Module, lr: Tensor, gt: Tensor) -> dict[str, Tensor]:
    """Besides, with the latent of the truth."""
    return regression_outputs(model, lr, gt) | {"oracle": model.decoder(lr, model.encoder(gt))}


def generator_outputs(model: nn.Module, lr: Tensor, gt: Tensor) -> dict[str, Tensor]:
    """Besides, with latents sampled in 1, 2 and 4 steps."""
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
    """Score the decodings that `outputs(model, lr, gt)` names on every clip; calling it returns one flat dict.

    `pictured` are the clips, GT and LR, that `picture` shows the first frames of.
    """

    def __init__(
        self,
        clips: list[str],
        frames: int,
        networks: Mapping[str, nn.Module],
        outputs: Callable[[nn.Module, Tensor, Tensor], dict[str, Tensor]],
        degradation: Callable[[Tensor, np.random.Generator], Tensor] | None = None,
        seed: int = 0,
        device: torch.device = torch.device("cpu"),
    ):
        degradation = degradation or Bicubic()
        self.clips = {}
        for path in map(Path, clips):
            gt = read_clip(path, frames)
            self.clips[path.stem] = (gt, degradation(gt, np.random.default_rng([seed, len(self.clips)])))
        self.pictured = {name: (gt[:, :, :1], lr[:, :, :1]) for name, (gt, lr) in self.clips.items()}
        self.networks, self.outputs, self.device = networks, outputs, device

    @torch.no_grad()
    def __call__(self, model: nn.Module) -> dict[str, float]:
        result = {}
        for clip, (gt, lr) in self.clips.items():
            gt, lr = gt.to(self.device), lr.to(self.device)
            for name, sr in self.outputs(model, lr, gt).items():
                digits = {"psnr-y": 2}
                for metric, value in scores(sr, gt, self.networks).items():
                    result[f"{clip}/{name}/{metric}"] = round(value, digits.get(metric, 4))
        return result

    @torch.no_grad()
    def picture(self, model: nn.Module, path: Path) -> None:
        """Write a PNG: a row for each clip, with the bicubic enlargement, the decodings, and GT side by side."""
        rows = []
        for gt, lr in list(self.pictured.values())[:6]:
            gt, lr = gt.to(self.device), lr.to(self.device)
            panes = self.outputs(model, lr, gt) | {"GT": gt}
            rows.append(np.hstack([pane(frames, label) for label, frames in panes.items()]))
        width = max(row.shape[1] for row in rows)
        rows = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
        partial = path.with_suffix(".partial.png")
        cv2.imwrite(str(partial), np.vstack(rows)[..., ::-1])
        partial.replace(path)


def pane(clip: Tensor, label: str) -> np.ndarray:
    """The middle of the first frame of (1, 3, T, H, W) in [-1, 1], under its label: uint8 (h, w, 3)."""
    frame = clip[0, :, 0].float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    top, left = (max(0, (edge - PICTURE_EDGE) // 2) for edge in frame.shape[:2])
    frame = frame[top : top + PICTURE_EDGE, left : left + PICTURE_EDGE]
    bar = np.zeros((PANE_LABEL, frame.shape[1], 3), np.uint8)
    cv2.putText(bar, label, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([bar, frame])
