"""Running an image network on tiles, so that memory does not grow with the frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from baselines.frames import FiniteCheck, to_uint8

TILE = 256
"""Width and height of a tile in LR pixels if the option `tile` is "auto"."""
LARGEST_WHOLE = 512 * 512
"""LR pixels of the largest frame that "auto" does not cut into tiles."""


def read_tile(tile: str | int) -> int | None:
    """Read an option `tile`: None for "auto", 0 for whole frames, or the edge of tiles in LR pixels.

    Raises:
        ValueError: it is none of these.
    """
    if tile == "auto":
        return None
    if isinstance(tile, bool) or not isinstance(tile, int) or tile < 0:
        raise ValueError(f"method.tile={tile}: write auto, 0 (whole frames) or a number of LR pixels")
    return tile


def read_context(context: int) -> int:
    """Read an option `context`, in LR pixels.

    Raises:
        ValueError: it is not a number of pixels.
    """
    if isinstance(context, bool) or not isinstance(context, int) or context < 0:
        raise ValueError(f"method.context={context}: write a number of LR pixels, 0 or more")
    return context


def tile_for(tile: int | None, height: int, width: int) -> int:
    """Edge of the tiles, in LR pixels, for LR frames of this size; 0: whole frames.

    Args:
        tile: as `read_tile` returns it.
    """
    return (0 if height * width <= LARGEST_WHOLE else TILE) if tile is None else tile


def describe_tiles(tile: int | None, context: int) -> str:
    """How frames are cut into tiles, for a descriptor."""
    if tile is None:
        return f"frames above {LARGEST_WHOLE} LR pixels in tiles of {TILE} with {context} of context"
    return f"tiles of {tile} LR pixels with {context} of context" if tile else "whole frames"


def tiles(size: int, tile: int, context: int) -> Iterator[tuple[int, int, int, int]]:
    """Cut a line of `size` pixels into tiles of `tile` pixels, with `context` more on either side.

    Yields:
        (start, stop, outer start, outer stop): the tile's own pixels, and those with context, cut at the line's ends.
    """
    for start in range(0, size, tile):
        stop = min(start + tile, size)
        yield start, stop, max(start - context, 0), min(stop + context, size)


def upscale_tiled(
    network: Callable[[torch.Tensor], torch.Tensor],
    frame: torch.Tensor,
    scale: int,
    tile: int,
    context: int,
    out: torch.Tensor,
) -> None:
    """Write network(frame) into `out` tile by tile.

    Args:
        network: (1, 3, h, w) -> (1, 3, scale*h, scale*w), the values and dtype of `out`.
        frame: (1, 3, H, W).
        tile: a tile's own width and height in LR pixels.
        context: LR pixels around a tile that the network sees too; what it makes of them is cropped.
        out: (3, scale*H, scale*W), filled.
    """
    height, width = frame.shape[-2:]
    for top, bottom, outer_top, outer_bottom in tiles(height, tile, context):
        for left, right, outer_left, outer_right in tiles(width, tile, context):
            result = network(frame[..., outer_top:outer_bottom, outer_left:outer_right])[0]
            rows = slice(scale * (top - outer_top), scale * (bottom - outer_top))
            columns = slice(scale * (left - outer_left), scale * (right - outer_left))
            out[:, scale * top : scale * bottom, scale * left : scale * right] = result[:, rows, columns]


def upscale_frames(
    network: Callable[[torch.Tensor], torch.Tensor],
    lr: torch.Tensor,
    scale: int,
    method: str,
    tile: int = 0,
    context: int = 0,
) -> torch.Tensor:
    """Upscale a clip by an image network, frame by frame, and round to 8 bits.

    Args:
        network: float32 (1, 3, h, w) RGB in [0, 1] -> float (1, 3, scale*h, scale*w), nominally in [0, 1].
        lr: uint8 (T, 3, H, W).
        method: for the message about values that are not finite.
        tile, context: see `upscale_tiled`; tile 0: whole frames.
    Returns:
        uint8 (T, 3, scale*H, scale*W) on the same device.
    Raises:
        ValueError: the network returned values that are not finite.
    """
    frames, _, height, width = lr.shape
    finite = FiniteCheck(method)

    def run(frame: torch.Tensor) -> torch.Tensor:
        return to_uint8(finite.see(network(frame.float() / 255).float()) * 255)

    sr = torch.empty((frames, 3, scale * height, scale * width), dtype=torch.uint8, device=lr.device)
    for t in range(frames):
        upscale_tiled(run, lr[t : t + 1], scale, tile or max(height, width), context, out=sr[t])
    finite.done()
    return sr
