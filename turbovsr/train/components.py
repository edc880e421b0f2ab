"""Initialisation of stage A: analysis and synthesis from principal components of the decoder's error."""

from __future__ import annotations

import torch
from torch import Tensor

from turbovsr.geometry import CELL, TEMPORAL_COMPRESSION
from turbovsr.model import Model
from turbovsr.rearrange import frames_to_batch, pixel_unshuffle, space_to_depth
from turbovsr.textures import CHANNELS as TEXTURES
from turbovsr.train.data import ClipSource
from turbovsr.train.rng import StepRng
from turbovsr.transforms import BASIS_SCALE, CELL_VALUES
from turbovsr.upsampling import bicubic_upsample


@torch.no_grad()
def start_from_components(model: Model, source: ClipSource, batches: int, clips: int, seed: int) -> float:
    """Set the linear maps of encoder and decoder from `batches` batches of stills and of `clips` 9-frame clips each.

    The components are first those of single frames in space, then those in time of each group of eight frames'
    coefficients. Directions are those of the error of `decoder(lr, None)`; the latent's scale is that of the detail
    that bicubic misses, the encoder's input. All processes draw the same clips and so compute the same maps. Texture
    channels pass through the decoder's maps unchanged.

    Returns:
        The share of the error's power in single frames that the components hold.
    """
    channels = model.encoder.mean.numel() - TEXTURES
    moments = torch.zeros(CELL_VALUES, CELL_VALUES)
    runs = []
    for index in range(batches):
        for count, frames in ((8 * clips, 1), (clips, 1 + TEMPORAL_COMPRESSION)):
            batch = source.batch(StepRng(seed, 2 * index + (frames > 1)).shared, count, frames)
            truth = pixel_unshuffle(frames_to_batch(batch.gt))
            missed = positions(truth - pixel_unshuffle(frames_to_batch(model.decoder(batch.lr, None))), count)
            shown = positions(truth - coarse(batch.lr), count)
            moments += missed.flatten(0, 2).T @ missed.flatten(0, 2) / missed[..., 0].numel()
            if frames > 1:
                runs.append((missed[:, 1:], shown[:, 1:]))
    power, directions = torch.linalg.eigh(moments)
    basis = directions[:, -channels:].T
    missed, shown = (torch.cat([run[i] for run in runs]) @ basis.T for i in (0, 1))  # (B, 8, cells, C)
    in_time = missed.transpose(1, 2).flatten(0, 1).flatten(1)
    _, directions = torch.linalg.eigh(in_time.T @ in_time)
    time_basis = directions[:, -channels:].T  # (C, 8*C)
    deviation = shown.flatten(0, 2).std(dim=0)
    time_deviation = (shown.transpose(1, 2).flatten(0, 1).flatten(1) @ time_basis.T).std(dim=0)
    for part in (model.encoder, model.decoder):  # the maps below give unit deviation by themselves
        part.mean.zero_()
        part.std.fill_(1)
    encoder, decoder = model.encoder.analysis, model.decoder.synthesis
    encoder.basis.copy_(basis / BASIS_SCALE)
    encoder.first.weight.copy_(torch.diag(1 / deviation)[..., None, None])
    encoder.rest.weight.copy_((time_basis / time_deviation[:, None])[..., None, None])
    for weight in (decoder.basis, decoder.first.weight, decoder.rest.weight, model.decoder.cells_in.weight):
        weight.zero_()
    # The decoder's own guess of the detail is still in its output, so the linear picture starts at half weight.
    decoder.basis[:, :channels] = 0.5 * basis.T / BASIS_SCALE
    first = decoder.first.weight[..., 0, 0]
    rest = decoder.rest.weight[..., 0, 0].unflatten(0, (TEMPORAL_COMPRESSION, -1))
    first[:channels, :channels] = torch.diag(deviation)
    rest[:, :channels, :channels] = (time_basis * time_deviation[:, None]).T.unflatten(0, (TEMPORAL_COMPRESSION, -1))
    for of_frame in (first, *rest):
        of_frame[channels:, channels:] = torch.eye(TEXTURES)
    return float(power[-channels:].sum() / power.sum())


def coarse(lr: Tensor) -> Tensor:
    """The bicubic enlargement of an LR clip (B, 3, T, h, w), as cells."""
    return bicubic_upsample(frames_to_batch(lr))


def positions(cells: Tensor, batch: int) -> Tensor:
    """Cells (B*T, 48, h, w) -> the numbers of each latent cell, (B, T, h/8 * w/8, 3072)."""
    return space_to_depth(cells, CELL).flatten(2).transpose(1, 2).unflatten(0, (batch, -1))
