"""Removal of the pattern that a decoder's head writes where its features are constant.

The head is a 3x3 convolution to the 4x4 SR pixels of each LR pixel. Its taps, summed along a row and without
their mean over the four columns, are the pattern that it writes where features are constant along that row. This
pattern repeats every four pixels.
"""

from __future__ import annotations

import torch
from torch import nn

from turbovsr.geometry import SCALE


@torch.no_grad()
def even_out(head: nn.Conv2d) -> None:
    """Remove the pattern from a head's weights and bias, along rows and along columns, in place.

    The result is the nearest head without the pattern; the mean of each LR pixel stays.

    Args:
        head: weights (3 * 4 * 4, C, 3, 3), outputs in the order colour, row, column.
    """
    assert head.bias is not None
    weight = head.weight.unflatten(0, (3, SCALE, SCALE))
    bias = head.bias.unflatten(0, (3, SCALE, SCALE))
    for phase, taps in ((2, 5), (1, 4)):  # columns of SR pixels with columns of taps, rows with rows
        pattern = weight - weight.mean(dim=phase, keepdim=True)
        weight = weight - pattern.mean(dim=taps, keepdim=True)
        bias = bias.mean(dim=phase, keepdim=True).expand_as(bias)
    head.weight.copy_(weight.flatten(0, 2))
    head.bias.copy_(bias.flatten(0, 2))
