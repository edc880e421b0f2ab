"""RealBasicVSR as an upscaler: the whole clip is cleaned, then BasicVSR runs over it in both directions of time."""

from __future__ import annotations

from pathlib import Path

import torch

from baselines.basicvsr.network import SCALE
from baselines.basicvsr.recurrence import in_precision, upscale_clip
from baselines.checkpoints import origin
from baselines.frames import check_clip, check_scale_is_4, torch_dtype
from baselines.realbasicvsr.network import MOST_CLEANINGS, load
from bench.methods.contract import Descriptor, FrameRule, SizeRule, Stages, no_stages


class RealBasicVSR:
    """x4 super-resolution of degraded video: noisy, compressed, blurred.

    Memory: as BasicVSR, and 12*H*W bytes a frame for the cleaned clip (H, W of the LR).

    Args:
        weights: a checkpoint of RealBasicVSR by MMagic or its authors (`RealBasicVSR_x4.pth`).
        threshold: cleaning runs, three times at most, until the mean residue is below this many grey levels. The
            published configurations have 255 (always once) for training, and 5, later 1.5, for tests.
        scale: 4.
        device: where it runs, e.g. "cpu" or "cuda".
        precision: "float32", or "bfloat16" for all but the flow.
        licence: of the weights.
    Raises:
        FileNotFoundError, ValueError: weights that are absent or not RealBasicVSR's; another scale; another precision.
    """

    def __init__(
        self,
        weights: str | Path,
        threshold: float = 5,
        scale: int = 4,
        device: str = "cpu",
        precision: str = "float32",
        licence: str = "not known",
    ) -> None:
        check_scale_is_4(scale, "realbasicvsr")
        if not 0 <= threshold <= 255:
            raise ValueError(
                f"method.threshold={threshold}: write grey levels from 0 (always three times) to 255 (once)"
            )
        self._threshold, self.device, dtype = threshold / 255, torch.device(device), torch_dtype(precision)
        self.network = load(weights).to(self.device).to(memory_format=torch.channels_last)
        self.network.cleaning.to(dtype)
        in_precision(self.network.basicvsr, dtype)
        self.descriptor = Descriptor(
            name="realbasicvsr",
            scale=SCALE,
            kind="video",
            device=device,
            dtype=precision,
            licence=licence,
            weights=origin(weights, set(), ""),
            parameters=sum(each.numel() for each in self.network.parameters()),
            size_rule=SizeRule(note="flow is estimated at the next multiples of 32"),
            frame_rule=FrameRule(note="each frame sees the whole clip"),
            notes=f"cleaned until the mean residue is below {threshold:g} grey levels, {MOST_CLEANINGS} times at most",
        )

    @torch.inference_mode()
    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip; see `bench.methods.contract.Upscaler.upscale`.

        Stages: clean, flow, propagate, reconstruct.

        Raises:
            ValueError: LR frames that are not as the contract says; values that are not finite.
        """
        check_clip(lr, self.device)
        with stages("clean"):
            clip = lr.float().div_(255)
            self.network.clean(clip, self._threshold)
        return upscale_clip(self.network.basicvsr, lambda t: clip[t : t + 1], lr, stages, "realbasicvsr")
