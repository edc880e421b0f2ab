"""BasicVSR over a clip: flow, propagation in both directions, reconstruction, frame by frame."""

from __future__ import annotations

from collections.abc import Callable

import torch

from baselines.basicvsr.network import CHANNELS, SCALE, Network
from baselines.frames import FiniteCheck, to_uint8
from bench.methods.contract import Stages


def in_precision(network: Network, dtype: torch.dtype) -> Network:
    """Convert a network's propagation and reconstruction to `dtype`, in place; flow stays in float32."""
    for part in (network.backward_trunk, network.forward_trunk, network.reconstruction):
        part.to(dtype)
    return network


def frame_of(lr: torch.Tensor, t: int) -> torch.Tensor:
    """Frame t of a uint8 (T, 3, H, W) clip as float32 (1, 3, H, W) in [0, 1]."""
    return lr[t : t + 1].float().div_(255)


def upscale_clip(
    network: Network, frame: Callable[[int], torch.Tensor], like: torch.Tensor, stages: Stages, method: str
) -> torch.Tensor:
    """Upscale a clip by BasicVSR. Stages: flow, propagate, reconstruct.

    Memory: the backward features of all frames are kept until the forward pass has used them; SR frames as uint8 only.

    Args:
        frame: index -> float32 (1, 3, H, W) RGB in [0, 1].
        like: (T, 3, H, W), of the clip's shape and on its device.
        method: for the message about values that are not finite.
    Returns:
        uint8 (T, 3, 4H, 4W).
    Raises:
        ValueError: values that are not finite.
    """
    frames, _, height, width = like.shape
    dtype = network.reconstruction.fuse.weight.dtype
    last = frames - 1

    with stages("flow"):  # to_next[t]: from frame t to t + 1; to_previous[t]: from frame t + 1 to t
        to_next = [network.flow(frame(t), frame(t + 1)) for t in range(last)]
        to_previous = [network.flow(frame(t + 1), frame(t)) for t in range(last)]

    none = torch.zeros((1, CHANNELS, height, width), dtype=dtype, device=like.device)
    with stages("propagate"):
        feature = none
        backward = []  # of the last frame first, so that the forward pass can pop them
        for t in range(last, -1, -1):
            feature = network.backward_trunk.step(frame(t).to(dtype), feature, to_next.pop() if t < last else None)
            backward.append(feature)

    sr = torch.empty((frames, 3, SCALE * height, SCALE * width), dtype=torch.uint8, device=like.device)
    feature, finite = none, FiniteCheck(method)
    for t in range(frames):
        now = frame(t).to(dtype)
        with stages("propagate"):
            feature = network.forward_trunk.step(now, feature, to_previous[t - 1] if t > 0 else None)
        with stages("reconstruct"):
            sr[t] = to_uint8(finite.see(network.reconstruction(now, backward.pop(), feature)[0]) * 255)
    finite.done()
    return sr
