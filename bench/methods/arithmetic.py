"""The arithmetic of one clip, counted by one definition for all methods: multiply-accumulate operations (MACs).

torch's FLOP counter sees every convolution, matrix product and attention of a method's own call, padding, tiles and
overlapping chunks included; a multiplication and the addition that goes with it count as two there and as one here.
torchvision's deformable convolution, which that counter does not know, counts as a convolution of its weights. Norms,
activations, resampling by gathers and everything outside torch are not counted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import torch

from bench.methods.contract import no_stages
from bench.timing.measure import Call
from frames.errors import one_line

if TYPE_CHECKING:
    from torch.utils.flop_counter import FlopCounterMode

NOT_COUNTABLE = "not countable: "


@dataclass(frozen=True)
class Macs:
    """MACs of a whole clip; None with the reason."""

    clip: int | None
    reason: str | None = None


def _counter() -> FlopCounterMode:
    """torch's counter; with torchvision's deformable convolution where a method has imported it."""
    from torch.utils.flop_counter import FlopCounterMode  # brings triton along: only where something is counted

    known: dict[Any, Callable[..., int]] = {}
    if "torchvision.ops" in sys.modules:
        known[torch.ops.torchvision.deform_conv2d] = _deform_conv2d
    return FlopCounterMode(display=False, custom_mapping=known)


def _deform_conv2d(features: Any, weight: Any, *rest: Any, out_shape: Any = None, **options: Any) -> int:
    """FLOPs of a deformable convolution by the shapes of its weight and its output; sampling is not counted."""
    return 2 * prod(out_shape) * prod(weight[1:])


def count_macs(call: Call, device: str) -> Macs:
    """Count the MACs of a call by making it once more; its frames are dropped, and random generators restored.

    Args:
        call: see `bench.timing.measure.Call`.
        device: where the method works.
    """
    generators = [torch.device(device)] if device.startswith("cuda") else []
    try:
        with torch.random.fork_rng(generators), torch.inference_mode(), _counter() as counter:
            call(no_stages, False)
    except Exception as error:  # a compiled network, for one
        return Macs(None, f"{NOT_COUNTABLE}{one_line(error)}")
    found = counter.get_total_flops() // 2
    return Macs(found) if found else Macs(None, f"{NOT_COUNTABLE}no convolution, matrix product or attention in torch")
