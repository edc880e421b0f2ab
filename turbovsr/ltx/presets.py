"""Sizes of the LTX shape, built with random weights or filled from LTX-Video checkpoints."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from turbovsr import checkpoints
from turbovsr.ltx.autoencoder_layouts import find
from turbovsr.ltx.loading import fill, read_prompt
from turbovsr.ltx.model import PATHS, LTXConfig, LTXModel

TINY = "2b-tiny"  # the only size that runs on a CPU
SIZES: dict[str, dict[str, Any]] = {
    "2b": dict(transformer_width=2048, transformer_depth=28, transformer_heads=32),
    TINY: dict(transformer_width=48, transformer_depth=2, transformer_heads=2, prompt_channels=32),
}
DECODERS: dict[str, dict[str, Any]] = {  # arguments of `turbovsr.decoder.Decoder`, named nowhere else
    "2b": dict(width=192, head_width=96, blocks=(2, 4)),
    TINY: dict(width=8, head_width=8, blocks=(1, 1)),
}
AUTO = "auto"
TURBO_WINDOW = 12  # tokens: 3x5 windows cover a 1080p frame's 34x60
LTX_TOKENS = 128  # of LTX's text encoder
LARGEST_ON_CPU = 1024  # transformer width
SEED = 0  # of random weights
TIMED_ONLY = "random weights: timed only"


def configure(
    size: str = "2b",
    path: str = "turbo",
    autoencoder: str = "0.9.0",
    window: int | str | None = AUTO,
    prompt_tokens: int = 0,
) -> LTXConfig:
    """Make the configuration of a size and path; arguments as for `build`.

    Raises:
        ValueError: an unknown size, path or layout, or an invalid window.
    """
    if size not in SIZES:
        raise ValueError(f"unknown size {size}: choose one of {', '.join(['nano', *SIZES])}")
    if path not in PATHS:
        raise ValueError(f"unknown path {path}: choose one of {', '.join(PATHS)}")
    if window == AUTO:
        window = TURBO_WINDOW if path == "turbo" else None
    if window is not None and (not isinstance(window, int) or window < 0):
        raise ValueError(f"window must be auto, 0 (attention over the whole clip) or a number of tokens, got {window}")
    layout = find(f"{autoencoder}-tiny" if size == TINY else autoencoder)
    return LTXConfig(
        path=path,
        autoencoder=layout.name,
        latent_channels=layout.latent_channels,
        condition_channels=layout.latent_channels,
        attention_window=window or None,
        causal_positions=autoencoder not in ("0.9.0", "0.9.1"),
        prompt_tokens=prompt_tokens,
        decoder=DECODERS[size] if path == "turbo" else {},
        **SIZES[size],
    )


def build(
    size: str = "2b",
    path: str = AUTO,
    autoencoder: str = AUTO,
    weights: str | Path | None = None,
    prompt: str | Path | None = None,
    window: int | str | None = AUTO,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> tuple[LTXModel, dict[str, str]]:
    """Build a model of the LTX shape.

    Args:
        size: "2b", the LTX-Video 2B transformer, or "2b-tiny", the same parts for trying things out on a CPU.
        path: "paper" or "turbo", see `turbovsr.ltx.model`; "auto": "turbo", or that of a checkpoint of TurboVSR's own.
        autoencoder: layout of LTX's autoencoder: "0.9.0", "0.9.1" or "0.9.5"; "auto": "0.9.0", or that of such a
            checkpoint.
        weights: an LTX-Video checkpoint: a .safetensors file under Lightricks' or diffusers' names, with or without the
            autoencoder, or a diffusers folder; a checkpoint written by `turbovsr.checkpoints.save`, which has its own
            size, path, autoencoder, window and text; None for random weights.
        prompt: a .safetensors file with the text embedding `prompt_embeds` (L, 4096) of the one fixed prompt, the empty
            one, and perhaps its `prompt_attention_mask` (L,); "random": 128 random tokens, to time LTX's text branch.
            None: built without a text branch.
        window: edge of an attention window in tokens, 0 for attention over the whole clip, "auto": 12 on the turbo
            path, none on the paper's.
        device, dtype: of the weights; the device "meta" allocates none.
    Returns:
        The model in evaluation mode, and metadata for the descriptor: name, weights, licence, notes.
    Raises:
        ValueError: an unknown option, one that a checkpoint of TurboVSR's own contradicts, wrong weights, or a CPU for
            the full size.
    """
    device = torch.device(device)
    own = None if weights is None or Path(weights).is_dir() else checkpoints.read_header(weights)
    if own is not None:
        if own.kind != LTXModel.kind:
            raise ValueError(f"{weights}: weights of the kind {own.kind}, not of the LTX shape: leave size={size} out")
        _check_agreement(own, path, autoencoder, window, prompt)
        _check_device(own.config.get("transformer_width", 0), device)
        return checkpoints.build(own, LTXModel, LTXConfig).to(device, dtype), own.metadata
    channels = SIZES.get(size, {}).get("prompt_channels", LTXConfig.prompt_channels)
    text = None if prompt is None else fixed_prompt(prompt, channels)
    path, autoencoder = ("turbo" if path == AUTO else path), ("0.9.0" if autoencoder == AUTO else autoencoder)
    config = configure(size, path, autoencoder, window, 0 if text is None else text.shape[1])
    _check_device(config.transformer_width, device)
    with weights_on(device, dtype):
        model = LTXModel(config)
        _fill_zeros(model)
    model = model.eval().requires_grad_(False)
    metadata = {"name": f"{size} {path}", "licence": "none: random weights", "notes": TIMED_ONLY}
    metadata["weights"] = f"random (seed {SEED})"
    if text is not None and model.prompt is not None:
        model.prompt.copy_(text)
    if weights is not None:
        metadata |= fill(model, weights)
    return model, metadata


def fixed_prompt(prompt: str | Path, channels: int) -> Tensor:
    """Load the text embedding that the argument `prompt` of `build` names, (1, L, channels). Raises `ValueError`."""
    if prompt == "random":
        return torch.randn(1, LTX_TOKENS, channels, generator=torch.Generator().manual_seed(SEED))
    text = read_prompt(prompt)
    if text.shape[2] != channels:
        raise ValueError(f"{prompt}: prompt_embeds of {text.shape[2]} channels, {channels} are needed")
    return text


def _check_agreement(
    own: checkpoints.Header, path: str, autoencoder: str, window: int | str | None, prompt: str | Path | None
) -> None:
    """Raise `ValueError` for an option that a checkpoint of TurboVSR's own contradicts: it is used as trained."""
    if prompt is not None:
        raise ValueError(f"{own.path}: trained weights hold their text, if they have one: leave prompt={prompt} out")
    of_file = {
        "path": own.config.get("path", LTXConfig.path),
        "autoencoder": str(own.config.get("autoencoder", LTXConfig.autoencoder)).removesuffix("-tiny"),
        "window": own.config.get("attention_window") or 0,
    }
    for name, asked in {"path": path, "autoencoder": autoencoder, "window": window or 0}.items():
        if asked not in (AUTO, of_file[name]):
            raise ValueError(f"{own.path}: these weights have {name}={of_file[name]}: leave {name}={asked} out")


def _check_device(width: int, device: torch.device) -> None:
    if device.type == "cpu" and width > LARGEST_ON_CPU:
        raise ValueError(
            f"a transformer {width} wide has about 2 billion weights, too many for a CPU: set device=cuda, "
            f"or size={TINY}"
        )


@contextmanager
def weights_on(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """During the block, modules draw their random weights on `device` in `dtype`, with a fixed seed.

    Drawing two billion numbers on the CPU and moving them would take longer than all the rest.
    """
    default = torch.get_default_dtype()
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda), device:
        torch.manual_seed(SEED)
        torch.set_default_dtype(dtype)
        try:
            yield
        finally:
            torch.set_default_dtype(default)


def _fill_zeros(model: nn.Module) -> None:
    """Fill matrices of zeros with small random weights: arithmetic with zeros draws less power and so runs faster."""
    for value in model.parameters():
        if value.ndim > 1 and not value.is_meta and not value.any():
            nn.init.normal_(value, std=0.1 / math.sqrt(value[0].numel()))
