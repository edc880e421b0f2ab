"""A loss on patterns that repeat with the grid of LR pixels: SR's line power at k/8 cycles a pixel, relative to GT's.

A decoder that makes the 4x4 SR pixels of an LR pixel by one linear layer repeats the spectra of its features at k/4
cycles a pixel, and at k/8 where its layers work at half the LR size (Odena et al., "Deconvolution and Checkerboard
Artifacts", 2016). Distances of features reward such a pattern where the right detail cannot be known; see
docs/decisions/turbovsr-lattice.md.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

PERIOD = 8  # SR pixels: two LR pixels, the grid of the decoder's blocks
WINDOWS = (64, 128, 256)  # SR pixels; long ones see a weak pattern, short ones a strong one in a part of the picture
NEAR = (-4, -3, 3, 4)  # bins beside a line that it is compared with: beyond the main lobe of the Hann window
FLOOR = (1 / 127.5) ** 2  # added to the power: of one 8-bit level, below which nothing is visible


def lattice_excess(sr: Tensor, gt: Tensor) -> Tensor:
    """Excess of SR's line ratios over GT's, at least 0, as a scalar; 0: no line stands out further than in GT.

    A line ratio is the natural logarithm of the power at k/8 cycles a pixel over the power nearby, in a Hann window,
    along one axis. Ratios of GT below 0 count as 0: a line may be as strong as its surroundings. The excess is that of
    each window, plus that of the mean over all of them: a pattern too weak to tell in one window stands out over a
    whole frame, where it keeps its phase, and the mean tells it.

    Args:
        sr: (N, 3, H, W) in [-1, 1], at least 64 pixels high and wide. Windows that are larger are left out.
        gt: the same.
    """
    with torch.autocast(sr.device.type, enabled=False):
        excess = []
        for window in WINDOWS:
            if min(sr.shape[-2:]) >= window:
                found = line_ratios(sr.float(), window)
                with torch.no_grad():
                    allowed = line_ratios(gt.float(), window)
                excess.append(F.relu(found - allowed.clamp(min=0)).mean())
                excess.append(F.relu(found.mean(dim=1) - allowed.mean(dim=1).clamp(min=0)).mean())
        return 2 * torch.stack(excess).mean()


def line_ratios(frames: Tensor, window: int) -> Tensor:
    """(N, 3, H, W) in [-1, 1] -> (2, N * windows, 4): log ratios of the lines k = 1..4, down and across."""
    luma = frames.mean(dim=1)
    parts = luma.unfold(1, window, window // 2).unfold(2, window, window // 2).flatten(1, 2).flatten(0, 1)
    hann = torch.hann_window(window, device=frames.device)
    power = torch.fft.fft2(parts * hann[:, None] * hann).abs().square() + FLOOR * hann.square().sum() ** 2
    lines = torch.arange(1, PERIOD // 2 + 1, device=frames.device) * (window // PERIOD)
    near = (lines[:, None] + torch.tensor(NEAR, device=frames.device)) % window
    profiles = (power.mean(dim=2), power.mean(dim=1))  # by vertical frequency, by horizontal frequency
    return torch.stack([p[:, lines].log() - p[:, near].mean(dim=2).log() for p in profiles])
