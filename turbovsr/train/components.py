"""Initialisation of stage A: analysis and synthesis from principal components of the decoder's error."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Components:
    """C principal components of the decoder's error in space and in time.

    Attributes:
        space: (C, CELL_VALUES), components of the error of single frames.
        space_std: (C,), standard deviation along them of the detail that bicubic misses.
        time: (C, 8*C), components of the coefficients of groups of eight frames.
        time_std: (C,), standard deviation of the detail's coefficients along them.
        share: share of the error's power in single frames that `space` holds.
    """

    space: Tensor
    space_std: Tensor
    time: Tensor
    time_std: Tensor
    share: float


@torch.no_grad()
def start_from_components(model: Model, source: ClipSource, batches: int, clips: int, seed: int) -> float:
    """Set the linear maps of encoder and decoder from `batches` batches of stills and of `clips` 9-frame clips each.

    All processes draw the same clips and so compute the same maps. Texture channels pass through the decoder's maps
    unchanged. Returns the share of the error's power in single frames that the components hold.
    """
    components = principal_components(model, source, batches, clips, seed)
    for part in (model.encoder, model.decoder):  # the maps below give unit variance by themselves
        part.mean.zero_()
        part.std.fill_(1)
    encoder, decoder = model.encoder.analysis, model.decoder.synthesis
    assert decoder.basis is not None, "decoder_detail=false"
    encoder.basis.copy_(components.space / BASIS_SCALE)
    encoder.first.weight.copy_(torch.diag(1 / components.space_std)[..., None, None])
    encoder.rest.weight.copy_((components.time / components.time_std[:, None])[..., None, None])
    for weight in (decoder.basis, decoder.first.weight, decoder.rest.weight, model.decoder.cells_in.weight):
        weight.zero_()
    channels = len(components.space)
    # The decoder's own estimate of the detail is still in its output, so the linear one starts at half weight.
    decoder.basis[:, :channels] = 0.5 * components.space.T / BASIS_SCALE
    first = decoder.first.weight[..., 0, 0]
    rest = decoder.rest.weight[..., 0, 0].unflatten(0, (TEMPORAL_COMPRESSION, -1))
    first[:channels, :channels] = torch.diag(components.space_std)
    synthesis = (components.time * components.time_std[:, None]).T
    rest[:, :channels, :channels] = synthesis.unflatten(0, (TEMPORAL_COMPRESSION, -1))
    for of_frame in (first, *rest):
        of_frame[channels:, channels:] = torch.eye(TEXTURES)
    return components.share


def principal_components(model: Model, source: ClipSource, batches: int, clips: int, seed: int) -> Components:
    """Compute the components of the error of `decoder(lr, None)`, in space and then in time.

    Their scale is that of the detail that bicubic misses, the encoder's input.
    """
    channels = model.encoder.mean.numel() - TEXTURES
    moments = torch.zeros(CELL_VALUES, CELL_VALUES)
    errors, details = [], []
    for index in range(batches):
        for count, frames in ((8 * clips, 1), (clips, 1 + TEMPORAL_COMPRESSION)):
            batch = source.batch(StepRng(seed, 2 * index + (frames > 1)).shared, count, frames)
            gt = pixel_unshuffle(frames_to_batch(batch.gt))
            error = by_cell(gt - pixel_unshuffle(frames_to_batch(model.decoder(batch.lr, None))), count)
            detail = by_cell(gt - bicubic_upsample(frames_to_batch(batch.lr)), count)
            moments += error.flatten(0, 2).T @ error.flatten(0, 2) / error[..., 0].numel()
            if frames > 1:
                errors.append(error[:, 1:])
                details.append(detail[:, 1:])
    power, directions = torch.linalg.eigh(moments)
    space = directions[:, -channels:].T
    error, detail = torch.cat(errors) @ space.T, torch.cat(details) @ space.T  # (B, 8, cells, C)
    in_time = _by_group(error)
    _, directions = torch.linalg.eigh(in_time.T @ in_time)
    time = directions[:, -channels:].T
    share = float(power[-channels:].sum() / power.sum())
    return Components(space, detail.flatten(0, 2).std(dim=0), time, (_by_group(detail) @ time.T).std(dim=0), share)


def by_cell(values: Tensor, batch: int) -> Tensor:
    """Group values by latent cell, (B*T, 48, h, w) -> (B, T, h/8 * w/8, 3072)."""
    return space_to_depth(values, CELL).flatten(2).transpose(1, 2).unflatten(0, (batch, -1))


def _by_group(coefficients: Tensor) -> Tensor:
    """Join the coefficients of each cell's eight frames, (B, 8, cells, C) -> (B * cells, 8*C)."""
    return coefficients.transpose(1, 2).flatten(0, 1).flatten(1)
