"""Checks of the options of `turbovsr.pipeline.TurboVSR`."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from turbovsr.color_fix import COLOR_FIXES
from turbovsr.geometry import SCALES
from turbovsr.stream import check_overlap
from turbovsr.tiling import check_tile


def check_numbers(*, steps: Any, seed: Any, scale: Any, chunk: Any, overlap: Any) -> None:
    """Check types and ranges, before anything is loaded; which `steps` there are, only the weights say.

    Raises:
        ValueError: a wrong type or value; the message names the option.
    """
    whole = {"steps": steps, "seed": seed, "scale": scale, "chunk": chunk, "overlap": overlap}
    for name, value in whole.items():
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise ValueError(f"{name} must be a whole number, got {value!r}")
    if not -(2**63) <= seed < 2**64:
        raise ValueError(f"seed must be from -2^63 to below 2^64, got {seed}")
    if scale not in SCALES:
        raise ValueError(f"TurboVSR upscales by {', '.join(map(str, SCALES))}, not {scale}: set scale accordingly")
    if chunk < 2:
        raise ValueError(f"a chunk needs at least 2 latent frames to move on, got {chunk}")
    check_overlap(overlap)


def check_choices(*, tile: Any, color_fix: Any, compile: Any) -> None:
    """Check options that are not numbers alone.

    Raises:
        ValueError: a wrong value; the message names the option.
    """
    if color_fix not in tuple(COLOR_FIXES):
        raise ValueError(f"unknown color_fix {color_fix}: choose one of {', '.join(COLOR_FIXES)}")
    if not isinstance(compile, bool):
        raise ValueError(f"compile={compile}: write true or false")
    check_tile(tile)


def check_restores(scale: int, model: Any) -> None:
    """Raise ValueError at scale 1 for weights that would give the LR frames back unchanged."""
    if scale == 1 and getattr(model.decoder, "consistent", False):  # the paper's path has no decoder of its own
        raise ValueError(
            "TurboVSR at scale 1: these weights make SR frames that agree with their LR frames, so they would give "
            "those back unchanged; restoring takes weights trained with consistent=false"
        )
