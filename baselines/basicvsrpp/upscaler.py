"""BasicVSR++ as an upscaler: the whole clip, four passes through time."""

from __future__ import annotations

from pathlib import Path

import torch

from baselines.basicvsr.recurrence import frame_of
from baselines.basicvsrpp.network import PASSES, SCALE, load
from baselines.checkpoints import origin
from baselines.frames import FiniteCheck, check_clip, check_scale_is_4, to_uint8, torch_dtype
from bench.methods.contract import Descriptor, FrameRule, SizeRule, Stages, no_stages


class BasicVSRPlusPlus:
    """x4 video super-resolution by grid propagation over the whole clip.

    Memory: five features of every frame are kept, 20*C*H*W bytes a frame in float32 (C = 64 channels, H, W of the LR):
    7.4 GB for 100 frames of 180x320. SR frames are kept as uint8 only.

    Args:
        weights: a checkpoint of BasicVSR++ by BasicSR or MMagic, of any width and depth.
        scale: 4.
        device: where it runs, e.g. "cpu" or "cuda".
        precision: "float32", or "bfloat16" for all but flow and alignment.
        licence: of the weights.
    Raises:
        FileNotFoundError, ValueError: weights that are absent or not BasicVSR++'s; another scale; another precision.
    """

    def __init__(
        self,
        weights: str | Path,
        scale: int = 4,
        device: str = "cpu",
        precision: str = "float32",
        licence: str = "not known",
    ) -> None:
        check_scale_is_4(scale, "basicvsrpp")
        self.dtype, self.device = torch_dtype(precision), torch.device(device)
        self.network = load(weights).to(self.device).to(memory_format=torch.channels_last)
        for part in (self.network.extract, self.network.reconstruction, *(one.trunk for one in self.network.passes)):
            part.to(self.dtype)
        self.descriptor = Descriptor(
            name="basicvsrpp",
            scale=SCALE,
            kind="video",
            device=device,
            dtype=precision,
            licence=licence,
            weights=origin(weights, set(), ""),
            parameters=sum(each.numel() for each in self.network.parameters()),
            size_rule=SizeRule(note="flow is estimated at the next multiples of 32"),
            frame_rule=FrameRule(note="each frame sees the whole clip"),
            notes="trained on frames of 64 px and more",
        )

    @torch.inference_mode()
    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip; see `bench.methods.contract.Upscaler.upscale`.

        Stages: flow, extract, propagate, reconstruct.

        Raises:
            ValueError: LR frames that are not as the contract says; values that are not finite.
        """
        check_clip(lr, self.device)
        frames, _, height, width = lr.shape
        network = self.network
        with stages("flow"):  # from each frame to the one before it, in the order of either direction
            ahead = [network.flow(frame_of(lr, t + 1), frame_of(lr, t)) for t in range(frames - 1)]
            back = [network.flow(frame_of(lr, t), frame_of(lr, t + 1)) for t in reversed(range(frames - 1))]
        with stages("extract"):
            spatial = [network.extract(frame_of(lr, t).to(self.dtype)) for t in range(frames)]
        passes: list[list[torch.Tensor]] = []
        with stages("propagate"):
            for name, propagation in zip(PASSES, network.passes, strict=True):
                step = -1 if name.startswith("backward") else 1
                found = propagation(spatial[::step], [each[::step] for each in passes], back if step < 0 else ahead)
                passes.append(found[::step])
        sr = torch.empty((frames, 3, SCALE * height, SCALE * width), dtype=torch.uint8, device=lr.device)
        finite = FiniteCheck("basicvsrpp")
        with stages("reconstruct"):
            for t in range(frames):
                features = [spatial[t], *(each[t] for each in passes)]
                out = network.reconstruction(frame_of(lr, t).to(self.dtype), features)
                sr[t] = to_uint8(finite.see(out[0]) * 255)
        finite.done()
        return sr
