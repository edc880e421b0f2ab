"""One cell: a clip is upscaled under the clock, its frames are scored, and what was found becomes a record."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from omegaconf import DictConfig

from bench.contract import GivenFrames, Upscaler
from bench.datasets.clip import Clip
from bench.io.images import read_image, write_png
from bench.io.prefetch import ahead
from bench.io.video import write_video
from bench.metrics.base import Metric
from bench.store.keys import frames_digest
from bench.timing.measure import digest, measure


def to_tensor(frames: list[np.ndarray], device: str) -> torch.Tensor:
    """uint8 (H, W, 3) frames -> uint8 (T, 3, H, W) on the device."""
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous().to(device)


def to_frames(clip: torch.Tensor) -> Iterator[np.ndarray]:
    """uint8 (T, 3, H, W) -> uint8 (H, W, 3) frames, one at a time."""
    for frame in clip:
        yield frame.permute(1, 2, 0).contiguous().cpu().numpy()


def upscale(upscaler: Upscaler, clip: Clip, lr: list[np.ndarray], config: DictConfig) -> tuple[torch.Tensor, dict]:
    """Time the clip in every scope of the configuration.

    Returns:
        SR frames of the last timed call, uint8 (T, 3, H, W); and what the record keeps of them and of the times.
    Raises:
        ValueError: the upscaler's output does not keep the contract.
    """
    lr_tensor = to_tensor(lr, config.device)
    limits = {key: config.timing[key] for key in ("warmup", "repeats", "budget_s")}
    timing, digests = {}, set()
    for scope in config.timing.scopes:
        if scope == "tensors":
            sr, sha256, times = measure(
                lambda stages: upscaler.upscale(lr_tensor, stages), scope, config.device, **limits
            )
        else:
            with tempfile.TemporaryDirectory() as folder:
                call = _through_files(upscaler, lr, Path(folder), config.device)
                sr, sha256, times = measure(call, scope, config.device, **limits)
        _check_contract(sr, clip)
        timing[scope] = times.as_dict()
        digests.add(sha256)
    if len(digests) > 1:
        raise ValueError("the scopes gave different frames: the method is not deterministic; set its seed")
    return sr, {"descriptor": dict(vars(upscaler.descriptor)), "sr_sha256": sha256, "timing": timing}


def score(sr: torch.Tensor, clip: Clip, metrics: dict[str, Metric], step: Callable[[], None]) -> dict:
    """Every metric on every frame, read ahead of use; `step` is called after each frame.

    Raises:
        ValueError: SR and GT differ in size or number.
    """
    if not clip.has_gt:
        return {name: _described(metric, None, "no ground truth") for name, metric in metrics.items()}
    if len(sr) != clip.frames:
        raise ValueError(f"clip {clip.name}: {len(sr)} SR frames, {clip.frames} GT frames")
    values: dict[str, list[float]] = {name: [] for name in metrics}
    for ours, truth in zip(to_frames(sr), ahead(clip.gt()), strict=True):
        for name, metric in metrics.items():
            values[name].append(metric.score(ours, truth))
        step()
    return {name: _described(metric, values[name]) for name, metric in metrics.items()}


def given_frames(method: GivenFrames, clip: Clip) -> tuple[torch.Tensor, dict]:
    """Frames that another program made: nothing is timed, and the record says so.

    Raises:
        ValueError: they do not have the clip's size or number.
    """
    source = method.source(clip.name)
    height, width = (clip.scale * side for side in clip.lr_size)
    if (source.frames, *source.size) != (clip.frames, height, width):
        raise ValueError(
            f"{source.where}: {source.frames} SR frames of {source.size[1]}x{source.size[0]}, but clip {clip.name} "
            f"needs {clip.frames} of {width}x{height}"
        )
    sr = to_tensor(list(source), "cpu")
    found = {"descriptor": dict(vars(method.descriptor)), "sr_sha256": digest(sr), "timing": {}}
    return sr, {**found, "timing_reason": "the frames were given"}


def save(sr: torch.Tensor, clip: Clip, folder: Path, kind: str) -> None:
    """Keep SR frames as PNG (`frames`) or one H.264 file (`video`) under the run's folder."""
    if kind == "frames":
        for index, frame in enumerate(to_frames(sr)):
            write_png(folder / clip.name / f"{index:08d}.png", frame)
    else:
        write_video(folder / f"{clip.name}.mp4", to_frames(sr), clip.fps)


def gt_digest(clip: Clip) -> str | None:
    return frames_digest(ahead(clip.gt())) if clip.has_gt else None


def _described(metric: Metric, frames: list[float] | None, reason: str | None = None) -> dict:
    return {**asdict(metric.kind), "signature": metric.signature, "frames": frames, "reason": reason}


def _through_files(upscaler: Upscaler, lr: list[np.ndarray], folder: Path, device: str) -> Callable:
    """The scope `files`: PNG frames read from disk, upscaled, written as PNG frames."""
    sources = [folder / f"lr{index:08d}.png" for index in range(len(lr))]
    for file, frame in zip(sources, lr):
        write_png(file, frame)

    def call(stages) -> torch.Tensor:
        with stages("read"):
            frames = to_tensor([read_image(file) for file in sources], device)
        sr = upscaler.upscale(frames, stages)
        with stages("write"):
            for index, frame in enumerate(to_frames(sr)):
                write_png(folder / f"sr{index:08d}.png", frame)
        return sr

    return call


def _check_contract(sr: torch.Tensor, clip: Clip) -> None:
    height, width = clip.lr_size
    expected = (clip.frames, 3, height * clip.scale, width * clip.scale)
    if sr.dtype != torch.uint8 or tuple(sr.shape) != expected:
        raise ValueError(f"the method returned {sr.dtype} {tuple(sr.shape)} where uint8 {expected} was due")
