"""The number format that the networks compute in."""

from __future__ import annotations

import torch

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def resolve(precision: str, device: torch.device) -> str:
    """Resolve a `precision` option to "float32" or "bfloat16".

    "auto" is bfloat16 where `device` computes it natively: on CUDA from Ampere on, and on CPUs with AVX512-BF16 or AMX.
    Elsewhere it would be emulated, which is slower than float32.

    Raises:
        ValueError: unknown option.
    """
    if precision == "auto":
        return "bfloat16" if native_bfloat16(device) else "float32"
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision}: choose one of auto, {', '.join(PRECISIONS)}")
    return precision


def native_bfloat16(device: torch.device) -> bool:
    """Whether `device` has instructions for bfloat16; False where torch cannot tell."""
    if device.type == "cuda":
        # torch.cuda.is_bf16_supported asks the current device, which of unlike GPUs may be another one.
        return torch.version.hip is not None or torch.cuda.get_device_properties(device).major >= 8
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    # Private functions of torch, which are renamed now and then: a missing one counts as False.
    asked = (getattr(torch.cpu, f"_is_{feature}_supported", None) for feature in ("avx512_bf16", "amx_tile"))
    return any(supported() for supported in asked if supported is not None)
