"""The arithmetic of one clip, counted by one definition for all methods: multiply-accumulate operations (MACs).

torch's FLOP counter sees every convolution, matrix product and attention of a method's own call, padding, tiles and
overlapping chunks included; a multiplication and the addition that goes with it count as two there and as one here.
Norms, activations, resampling by gathers and everything outside torch are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.methods.contract import no_stages
from bench.timing.measure import Call
from frames.errors import one_line

NOT_COUNTABLE = "not countable: "


@dataclass(frozen=True)
class Macs:
    """MACs of a whole clip; None with the reason."""

    clip: int | None
    reason: str | None = None


def count_macs(call: Call, device: str) -> Macs:
    """Make a method's call once more under the counter; its frames are thrown away, and so is what it drew at random.

    Args:
        call: see `bench.timing.measure.Call`.
        device: where the method works.
    """
    generators = [torch.device(device)] if device.startswith("cuda") else []
    try:
        with torch.random.fork_rng(generators), torch.inference_mode(), FlopCounterMode(display=False) as counter:
            call(no_stages, False)
    except Exception as error:  # a compiled network, for one
        return Macs(None, f"{NOT_COUNTABLE}{one_line(error)}")
    found = counter.get_total_flops() // 2
    return Macs(found) if found else Macs(None, f"{NOT_COUNTABLE}no convolution, matrix product or attention in torch")
