"""A split screen: the left half enlarged by bicubic, the right half upscaled, a thin line between them."""

from __future__ import annotations

import torch
from torch import Tensor

from frames.bicubic import bicubic
from turbovsr.pixels import levels_of, store

LINE = 2  # width of the line, in pixels of a picture 1000 wide


def split(lr: Tensor, sr: Tensor) -> Tensor:
    """Join an LR frame (3, H, W) and its SR frame (3, sH, sW), of one type, to a split screen (3, sH, sW)."""
    height, width = sr.shape[1:]
    middle = width // 2
    out = torch.empty_like(sr)
    store(bicubic(levels_of(lr).unsqueeze(0), (height, width))[0], out)
    out[..., middle:] = sr[..., middle:]
    half = max(1, round(LINE * width / 2000))
    out[..., middle - half : middle + half] = 65535 if sr.dtype == torch.uint16 else 255
    return out
