"""Factorized conditioning: the two tasks of the network, and the projection of the LR frames onto the latent grid.

From the paper: one network, two tasks trained alternately. Task 1 super-resolves the first frame; task 2 super-resolves
the clip, given the HR first frame and the LR frames of the rest. An image is a one-frame clip: task 1.

Not specified in the paper; our choice: the given first frame enters as clean latent tokens at time 0 among the noisy
ones, as in LTX's image-to-video; the LR frames enter by channel concatenation, through a light causal projection onto
the latent grid (8x8 LR pixels and 8 frames are one latent cell at scale 4) instead of an encoder at full resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turbovsr.geometry import CELL, SPATIAL_COMPRESSION, TEMPORAL_COMPRESSION, latent_frames
from turbovsr.pixels import unit_of
from turbovsr.rearrange import batch_to_frames, frames_to_batch, space_to_depth
from turbovsr.textures import CHANNELS as TEXTURES
from turbovsr.textures import lr_textures
from turbovsr.tiling import cut_evenly

CELLS_AT_ONCE = 8192  # latent cells that the projection processes at once on a CPU, several hundred numbers each


@dataclass(frozen=True)
class Task:
    """A latent clip of `frames` latent frames, of which the first `given` are given and the others generated."""

    frames: int
    given: int

    @property
    def generated(self) -> Tensor:
        """bool (frames,): True where the latent frame is to be generated."""
        return torch.arange(self.frames) >= self.given

    def times(self, sigma: Tensor) -> Tensor:
        """Noise levels of the tokens, (B,) -> (B, frames, 1, 1): sigma where generated, 0 where given clean."""
        return sigma.view(-1, 1, 1, 1) * self.generated.to(sigma).view(1, -1, 1, 1)

    def insert_given(self, noisy: Tensor, clean: Tensor) -> Tensor:
        """Replace the first frames of `noisy` by the given frames of `clean`, both (B, C, T', h, w)."""
        return torch.cat([clean[:, :, : self.given], noisy[:, :, self.given :]], dim=2)


def first_frame_task() -> Task:
    """Task 1: one latent frame, generated from its LR frame."""
    return Task(frames=1, given=0)


def clip_task(frames: int) -> Task:
    """Task 2: a clip of `frames` latent frames whose first one is given."""
    if frames < 2:
        raise ValueError(f"a clip to continue needs at least 2 latent frames, got {frames}: use the first-frame task")
    return Task(frames=frames, given=1)


def trains_first_frame(step: int) -> bool:
    """Whether a training step super-resolves first frames: even steps do, odd ones do clips given the first frame."""
    return step % 2 == 0


def coordinates(
    frames: int,
    height: int,
    width: int,
    fps: float = 24.0,
    causal: bool = True,
    device: torch.device | str | None = None,
) -> Tensor:
    """Position of each token, (frames, height, width, 3): seconds, HR pixels down, HR pixels across.

    Args:
        frames, height, width: of the token grid.
        causal: the time of a latent frame is that of its first frame, 0, 1, 9, 17, ... as in LTX-Video 0.9.5 and later;
            otherwise 0, 8, 16, ... as in 0.9.0 and 0.9.1.
    """
    first = torch.arange(frames, device=device) * TEMPORAL_COMPRESSION
    if causal:
        first = (first + 1 - TEMPORAL_COMPRESSION).clamp(min=0)
    rows = torch.arange(height, device=device) * float(SPATIAL_COMPRESSION)
    columns = torch.arange(width, device=device) * float(SPATIAL_COMPRESSION)
    return torch.stack(torch.meshgrid(first / fps, rows, columns, indexing="ij"), dim=-1)


class LRProjection(nn.Module):
    """Causal projection of the LR clip onto the latent grid, (B, 3, 1+8k, h, w) -> (B, channels, 1+k, h/8, w/8).

    The first layer takes all LR pixels of a latent cell and the energies of their finest octaves, which linear layers
    learn only slowly. The first frame has a projection of its own, so the condition of an image equals that of the
    first frame of a clip. LR frames may be pixels, uint8 or uint16, converted as they are used, or floats in [-1, 1].
    """

    def __init__(self, channels: int):
        super().__init__()
        if channels < 1:
            raise ValueError(f"condition_channels={channels}: the LR frames need 1 or more")
        numbers = 3 * CELL * CELL + TEXTURES
        self.first = nn.Conv2d(numbers, channels, 1)
        self.rest = nn.Conv2d(numbers * TEMPORAL_COMPRESSION, channels, 1)
        self.around = nn.Conv2d(channels, channels, 3, padding=1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, lr: Tensor) -> Tensor:
        batch, _, frames, height, width = lr.shape
        latent_frames(frames)
        if height % CELL or width % CELL:
            raise ValueError(f"the LR frames must be multiples of {CELL}, got {height}x{width}: pad them first")
        first = self._numbers(lr[:, :, :1])
        if frames == 1:
            # Only the stride of a batch of one changes, but by it torch chooses a kernel that rounds differently. Kept
            # so that images keep their pixels.
            first = batch_to_frames(first, batch)[:, :, 0]
        projected = [batch_to_frames(self.first(first), batch)]
        if frames > 1:
            # On a CPU one latent frame at a time: the inputs of all take several times the memory of the LR frames.
            by_parts = not (lr.is_cuda or torch.is_grad_enabled())
            project = self._project_in_bands if by_parts else self._project
            projected += map(project, lr[:, :, 1:].split(TEMPORAL_COMPRESSION if by_parts else frames, dim=2))
        x = frames_to_batch(torch.cat(projected, dim=2))
        x = x + self.around(F.silu(x))
        return batch_to_frames(self.out(F.silu(x)), batch)

    def _project_in_bands(self, lr: Tensor) -> Tensor:
        """`_project` in bands of at most `CELLS_AT_ONCE` latent cells, with the same result: it treats cells singly."""
        rows = lr.shape[-2] // CELL
        bands = cut_evenly(rows, max(CELLS_AT_ONCE * CELL // lr.shape[-1], 1))
        if len(bands) == 1:
            return self._project(lr)
        return torch.cat([self._project(lr[..., CELL * start : CELL * stop, :]) for start, stop in bands], dim=-2)

    def _project(self, lr: Tensor) -> Tensor:
        """Project groups of 8 frames, each latent cell by itself: (B, 3, 8k, h, w) -> (B, channels, k, h/8, w/8)."""
        numbers = batch_to_frames(self._numbers(lr), len(lr))
        groups = numbers.unflatten(2, (-1, TEMPORAL_COMPRESSION)).transpose(2, 3).flatten(1, 2)
        return batch_to_frames(self.rest(frames_to_batch(groups)), len(lr))

    def _numbers(self, lr: Tensor) -> Tensor:
        """The pixels and textures of each latent cell, (B, 3, T, h, w) -> (B*T, 192+24, h/8, w/8)."""
        frames = frames_to_batch(lr)
        if not frames.is_floating_point():
            frames = unit_of(frames, self.first.weight.dtype)
        cells = torch.cat([space_to_depth(frames, CELL), lr_textures(frames).to(frames)], dim=1)
        return cells.to(self.first.weight.dtype)
