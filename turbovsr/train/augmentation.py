"""Random changes of GT clips, uint8 (T, H, W, 3)."""

from __future__ import annotations

import numpy as np
import torch

from frames.bicubic import bicubic

LARGEST_ENLARGEMENT = 1.7


def enlarge(clip: np.ndarray, noise_std: float, rng: np.random.Generator) -> np.ndarray:
    """Enlarge the upper left part of a clip by a random factor to the size of the whole, and add noise.

    Args:
        noise_std: largest standard deviation of the noise, in 8-bit levels.
    """
    factor = rng.uniform(1, LARGEST_ENLARGEMENT)
    height, width = clip.shape[1:3]
    part = torch.from_numpy(clip[:, : round(height / factor), : round(width / factor)].copy())
    large = bicubic(part.permute(0, 3, 1, 2).float(), (height, width)).permute(0, 2, 3, 1).numpy()
    noise = rng.standard_normal((len(clip), height, width, 1), dtype=np.float32) * rng.uniform(0, noise_std)
    return np.rint(large + noise).clip(0, 255).astype(np.uint8)


def change_colours(clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Permute the colours of a square clip, change its gamma and contrast, and transpose one clip in two."""
    if rng.random() < 0.5:
        clip = clip.transpose(0, 2, 1, 3)
    contrast = rng.uniform(0.7, 1)
    curve = np.linspace(0, 1, 256) ** np.exp(rng.normal(0, 0.25)) * contrast + rng.uniform(0, 1 - contrast)
    return np.rint(255 * curve).astype(np.uint8)[clip[..., rng.permutation(3)]]


def flip(clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirror a clip left to right, mirror it upside down and reverse its time, each at random."""
    if rng.random() < 0.5:
        clip = clip[:, :, ::-1]
    if rng.random() < 0.25:
        clip = clip[:, ::-1]
    if rng.random() < 0.25:
        clip = clip[::-1]
    return np.ascontiguousarray(clip)
