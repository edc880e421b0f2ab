"""Checks of a stage's options against each other, before they cause an error deep within a training."""

from __future__ import annotations

from typing import Any

from turbovsr.geometry import SPATIAL_COMPRESSION
from turbovsr.train.schema import share

SMALLEST_SEEN = 32  # edge in pixels: LPIPS-alex fails below 31, DISTS below 16
SMALLEST_RESIZED = 43  # edge that is still as large after jitter has resized it to three quarters
SMALLEST_CROP = 64  # for the loss on lattices, and for jitter, which removes 16 pixels and up to a quarter of the rest


def check_trained(stage: Any, *reached: str) -> None:
    """Raise ValueError where the loss of a stage reaches none of the parts that it trains."""
    if not any(part.partition(".")[0] in reached for part in stage.trained):
        parts = " or ".join(reached)
        raise ValueError(f"trained must name {parts}: no other part is in this stage's loss, got {list(stage.trained)}")


def check_window(reconstruction: Any) -> None:
    """Raise ValueError for a window in which the perceptual networks have too few pixels."""
    window = reconstruction.window
    if window and window < SMALLEST_SEEN:
        raise ValueError(f"window must be at least {SMALLEST_SEEN} pixels, or 0 for all but 16, got {window}")
    resized = reconstruction.jitter and reconstruction.resized > 0 and reconstruction.lpips > 0
    if window and resized and window < SMALLEST_RESIZED:
        raise ValueError(
            f"window must be at least {SMALLEST_RESIZED} pixels with lpips and resized above 0, which shrinks it by up"
            f" to a quarter, got {window}"
        )


def check_crop(stage: Any) -> None:
    """Raise ValueError for a crop too small for a term of the stage's `reconstruction` or `gt_reconstruction`."""
    for name in ("reconstruction", "gt_reconstruction"):
        loss = getattr(stage, name, None)
        if loss is None or stage.crop >= SMALLEST_CROP:
            continue
        if loss.lattice > 0:
            raise ValueError(f"crop must be at least {SMALLEST_CROP} with {name}.lattice above 0, got {stage.crop}")
        if loss.jitter:
            raise ValueError(f"crop must be at least {SMALLEST_CROP} with {name}.jitter, got {stage.crop}")


def check_components(stage: Any) -> None:
    """Raise ValueError where components would be computed from a single group of eight frames, which has no spread."""
    components = stage.components
    if components and components.batches * components.clips * (stage.crop // SPATIAL_COMPRESSION) ** 2 < 2:
        raise ValueError(
            f"components: one clip of {stage.crop} px is too little: raise components.batches or components.clips"
        )


def check_generator(stage: Any) -> None:
    """Raise ValueError unless `bootstrap` is from 0 to 1 and `condition_dropout` from 0 to below 1."""
    share(stage, "bootstrap")
    if not 0 <= stage.condition_dropout < 1:
        raise ValueError(f"condition_dropout must be from 0 to below 1, got {stage.condition_dropout:g}")
