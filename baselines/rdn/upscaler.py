"""UpscalerJS's esrgan-slim and -medium as an upscaler: frame by frame."""

from __future__ import annotations

from math import isqrt
from pathlib import Path

import numpy as np
import torch

from baselines.checkpoints import origin
from baselines.frames import check_clip, torch_dtype
from baselines.rdn import tfjs
from baselines.rdn.network import Network
from baselines.tiling import upscale_frames
from bench.methods.contract import Descriptor, Stages, no_stages

RELEASES = {  # sha256 of the packages' binary weights, x2, x3, x4
    "5cb464ae4d390ce0a771afd5feaf60fbfcdb18ab48a56db98cdf6b88202369de",  # slim
    "9d344609abd1e29bd3924f9c4e9ffaa1aee6be7c3586bab0f52863597858a2ba",
    "82637daaf3ba024df5e9da2389e8992e7a6e8a992ba6268ce6bc490c92e9516e",
    "6a210f30f209192bad4650ea4f619adadbd36228e998aa49a4195c6e7ec70761",  # medium
    "e164821f4251957f5037fb93d1e9a719c17d4346e102bf24d8e8fb60757df48b",
    "ed791214e78e498dd42ce5da0e16b78a1047732e5d99467aaead2a90cb566a69",
}


class RDN:
    """Super-resolution of images by a small residual dense network, whose size and scale come from its files.

    Args:
        manifest: the model's `model.json` of TensorFlow.js.
        weights: its binary weights.
        scale: must be the scale of the files.
        device: where it runs, e.g. "cpu" or "cuda".
        precision: "float32" or "bfloat16".
        size: name of the weights for the record: "slim" or "medium".
        licence: of the weights.
    Raises:
        FileNotFoundError, ValueError: files that are absent or not the network's; another scale or precision.
    """

    def __init__(
        self,
        manifest: str | Path,
        weights: str | Path,
        scale: int = 4,
        device: str = "cpu",
        precision: str = "float32",
        size: str = "",
        licence: str = "not known",
    ) -> None:
        self.dtype, self.device = torch_dtype(precision), torch.device(device)
        network = load(Path(manifest), Path(weights))
        if network.scale != scale:
            raise ValueError(
                f"{manifest}: upscales by {network.scale}, not by {scale}; run it with scale={network.scale}"
            )
        self.network = network.to(self.device, self.dtype).to(memory_format=torch.channels_last)
        self.descriptor = Descriptor(
            name=f"esrgan-{size}" if size else "esrgan",
            scale=scale,
            kind="image",
            device=device,
            dtype=precision,
            licence=licence,
            weights=origin(weights, RELEASES, "as packed in @upscalerjs/esrgan-slim and -medium 1.0.0"),
            parameters=sum(each.numel() for each in network.parameters()),
            notes="whole frames",
        )

    @torch.inference_mode()
    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip; see `bench.methods.contract.Upscaler.upscale`. Stage: "network"."""
        check_clip(lr, self.device)
        with stages("network"):
            return upscale_frames(self._run, lr, self.network.scale, self.descriptor.name)

    def _run(self, frame: torch.Tensor) -> torch.Tensor:
        return self.network(frame.to(self.dtype, memory_format=torch.channels_last))


def load(model: Path, weights: Path) -> Network:
    """Build the network that the files describe, with their weights.

    Raises:
        FileNotFoundError: one of the files is absent.
        ValueError: unreadable files, or weights that are not those of a residual dense network.
    """
    found = tfjs.read_weights(model, weights)
    try:
        channels, growth = found["F_1_1/kernel"].shape[2:]
        scale = isqrt(found["UPN3/kernel"].shape[3] // 3)
        blocks = sum(name.startswith("LFF_") and name.endswith("/kernel") for name in found)
        with torch.device("meta"):  # a width that a short file announces could ask for any memory
            network = Network(channels, growth, blocks, scale)
    except (KeyError, ValueError, IndexError):
        raise ValueError(f"{model}: no residual dense network; give esrgan-slim's or -medium's model.json") from None
    names = _names(blocks)
    wanted = {f"{theirs}/{part}" for theirs in names.values() for part in ("kernel", "bias")}
    if wanted != found.keys():
        odd = sorted(wanted ^ found.keys())
        raise ValueError(
            f"{model}: {len(odd)} weights missing or unknown ({', '.join(odd[:3])}); fetch both files again"
        )
    state = {}
    for ours, theirs in names.items():
        state[f"{ours}.weight"] = torch.from_numpy(
            np.ascontiguousarray(found[f"{theirs}/kernel"].transpose(3, 2, 0, 1))
        )
        state[f"{ours}.bias"] = torch.from_numpy(found[f"{theirs}/bias"].copy())
    expected = network.state_dict()
    odd = [name for name, value in state.items() if value.shape != expected[name].shape]
    if odd:
        raise ValueError(f"{model}: wrong shapes for {', '.join(odd[:3])}; fetch both files again")
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


def _names(blocks: int) -> dict[str, str]:
    """Map our names of layers to Keras's."""
    names = {"enter": "F_m1", "deepen": "F_0", "fuse": "GFF_1", "leave": "GFF_2", "to_rgb": "SR"}
    names |= {f"up{index}": f"UPN{index}" for index in (1, 2, 3)}
    for index in range(blocks):
        names |= {f"blocks.{index}.grow": f"F_{index + 1}_1", f"blocks.{index}.fuse": f"LFF_{index + 1}"}
    return names
