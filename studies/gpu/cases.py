"""The methods and sizes measured: TurboVSR in the LTX 2B shape, and other methods to compare with."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import torch
import yaml

from bench import assets
from bench.paths import CONF
from turbovsr import TurboVSR
from turbovsr import budget as budgets

SCALE = 4
PATHS = ("turbo", "paper")
AUTOENCODER = "0.9.0"  # the layout that costs least
METHODS = {  # of conf/method: weights that are real, in the precision that is usual on a GPU
    "basicvsr": {"weights": "basicvsr/reds4.pth", "variant": "reds4"},
    "realesrgan": {"param": "realesrgan/animevideov3-x4.param", "weights": "realesrgan/animevideov3-x4.bin"},
}


@dataclass(frozen=True)
class Sizes:
    """Sizes of the headline step in HR pixels; the models pad them to multiples of 32 and 8k+1 frames."""

    model: str
    clip: tuple[int, int, int]  # frames, height, width
    image: tuple[int, int]
    steps: tuple[int, ...] = (1, 2, 4)
    diffusion_steps: int = 50
    lengths: tuple[int, ...] = (97, 193, 385)  # frames of one chunk, for the envelope
    frames: tuple[tuple[int, int], ...] = ((4320, 7680), (8640, 15360))  # of an image, for the envelope


FULL = Sizes("2b", (49, 1080, 1920), (3648, 2048))
TINY = Sizes("2b-tiny", (9, 32, 64), (64, 32), (1, 2), 2, (17,), ((64, 64),))


def turbovsr(
    size: str, path: str, device: str, height: int, width: int, frames: int, compiled: bool = False
) -> TurboVSR:
    """Build TurboVSR of the LTX shape with random weights, with one chunk and no tiles for a clip of this HR size.

    At toy size nothing is compiled: on a CPU that takes minutes.
    """
    return TurboVSR(
        size=size,
        path=path,
        autoencoder=AUTOENCODER,
        device=device,
        precision=precision(device),
        compile=compiled and size != TINY.model,
        chunk=max(2, 1 + -(-(frames - 1) // 8)),
        tile=max(16, -(-max(height, width) // (8 * SCALE)) * 8),
    )


def precision(device: str) -> str:
    """The precision of the measurements: bfloat16 on a GPU, float32 on a CPU, where only the code is tried."""
    return "float32" if torch.device(device).type == "cpu" else "bfloat16"


def tflop(size: str, path: str, frames: int, height: int, width: int, steps: int) -> float | None:
    """TFLOP of TurboVSR for a clip, by torch's FLOP counter; None at toy size, where they mean nothing."""
    if size.endswith("-tiny"):
        return None
    return budgets.budget((height, width), frames, steps, size, path=path, autoencoder=AUTOENCODER, text=False).total


def from_conf(name: str, device: str) -> Any:
    """Build an upscaler as configured in `conf/method`, with its published weights, without Hydra.

    Raises:
        FileNotFoundError: the weights have not been fetched.
    """
    options = yaml.safe_load((CONF / "method" / f"{name}.yaml").read_text(encoding="utf-8"))
    module, _, attribute = options["_target_"].rpartition(".")
    plain = {
        key: value
        for key, value in options.items()
        if not key.startswith("_") and key not in ("name", "summary") and "${" not in str(value)
    }
    given = {key: assets.path(value) if "/" in value else value for key, value in METHODS[name].items()}
    build = getattr(importlib.import_module(module), attribute)
    return build(**{**plain, **given, "scale": SCALE, "device": device, "precision": precision(device)})
