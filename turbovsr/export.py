"""`python -m turbovsr export WEIGHTS OUT.onnx`: the decoder path as an ONNX file, for onnxruntime and TensorRT.

The path without a latent (`use_latent=false`): LR frames in, SR frames out, each frame seeing its neighbours. Sampling
the latent stays with torch. The graph takes float32 (frames, 3, h, w) RGB in [0, 1], any number of frames, sides of at
least 32 that are multiples of 2 for nano and of 4 for nano-real, and gives (frames, 3, 4h, 4w), not clamped. That of a
decoder with a memory takes three frames, the one before, this one and the one after, and what the frame before handed
on (1, C, h, w), zeros for the first; it gives one SR frame and what it hands on. Layers that clean colours see each
frame three times there.

Four functions that build tables by the size of a frame are replaced by formulas that know no size while the graph is
recorded. The inverse of `turbovsr.consistency` becomes one filter over mirrored frames: downsampling and enlargement
are symmetric filters there, so their inverse is one, and it falls off by a factor of 3 a pixel (to 4e-16 at 32).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from frames.atomic import replacing
from frames.command_line import Parser
from frames.errors import OK, EnvironmentInvalid, UserError
from turbovsr import consistency
from turbovsr.pipeline import TurboVSR

REACH = consistency.HALO
"""LR pixels to either side of the inverse; also the shortest side of a frame."""
OPSET = 18
EPILOG = "The graph takes float32 (frames, 3, h, w) RGB in [0, 1]; that of nano three frames and a memory."
ABOUT = "Write TurboVSR's decoder path (no latent) as an ONNX file; read it with method=onnx."


class DecoderPath(nn.Module):
    """A decoder without a latent, as it is exported: (T, 3, h, w) RGB in [0, 1] -> (T, 3, 4h, 4w)."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, lr: Tensor) -> Tensor:
        with torch.enable_grad():  # the decoder takes all frames at once then, in one pass that can be recorded
            clip = (lr * 2 - 1).transpose(0, 1).unsqueeze(0)
            return (self.decoder(clip, None)[0].transpose(0, 1) + 1) / 2


class RecurrentPath(nn.Module):
    """One step of a decoder with a memory, as it is exported.

    Three frames (3, 3, h, w) RGB in [0, 1] and the memory (1, C, h, w) -> the SR frame of the middle one
    (1, 3, 4h, 4w), and the memory for the next one.
    """

    def __init__(self, decoder: Any) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, lr: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        frames = self.decoder.cleaned(lr * 2 - 1)
        features, memory = self.decoder.step(frames.flatten(0, 1).unsqueeze(0), None, memory)
        return (self.decoder.finish(features, None, frames[1:2]) + 1) / 2, memory


def run(argv: list[str]) -> int:
    """Run the command with the words after `export`; returns the exit code.

    Raises:
        UserError, ValueError, OSError: weights or an output that cannot be used; one line.
        EnvironmentInvalid: the package onnx, which torch writes with, is not installed.
    """
    parser = Parser("python -m turbovsr export", ABOUT, EPILOG)
    parser.add_argument("weights", metavar="WEIGHTS", help="a packaged name or a .safetensors file")
    parser.add_argument("output", type=Path, metavar="OUT.onnx", help="the ONNX file to write")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it is there already")
    arguments: argparse.Namespace = parser.parse_args(argv)
    if arguments.output.suffix != ".onnx":
        parser.error(f"{arguments.output}: write a name that ends in .onnx")
    if arguments.output.exists() and not arguments.overwrite:
        raise UserError(f"{arguments.output}: there already; --overwrite replaces it")
    export(arguments.weights, arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.1f} MB, float32, opset {OPSET}")
    return OK


def export(weights: str | Path, output: Path) -> None:
    """Write the decoder path of these weights as an ONNX file.

    Raises:
        EnvironmentInvalid: the package onnx is not installed.
        UserError: weights of another path than TurboVSR's own decoder.
        FileNotFoundError, ValueError: weights that cannot be read.
    """
    try:
        import onnx
    except ImportError:
        raise EnvironmentInvalid("export: the package onnx is not installed; pip install onnx onnxruntime") from None
    model = TurboVSR.from_pretrained(weights, device="cpu", precision="float32", use_latent=False)
    decoder = getattr(model.model, "decoder", None)
    if decoder is None or not hasattr(decoder, "consistent"):
        raise UserError(f"export: {weights} has no decoder of LR frames alone; give nano or a file of its kind")
    path, inputs, axes = _recurrent(decoder) if decoder.recall is not None else _by_clips(decoder)
    path.eval().requires_grad_(False)
    with torch.no_grad(), replacing(output) as part:
        path(*inputs.values())  # tables that do not depend on the size are made now, as constants
        with _without_sizes(), warnings.catch_warnings(action="ignore"):  # the tracer warns of checks of sizes
            torch.onnx.export(
                path,
                tuple(inputs.values()),
                str(part),
                dynamo=False,
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=[name for name in axes if name not in inputs],
                dynamic_axes=axes,
            )
        graph = onnx.load(str(part))
        properties = {"minimum": REACH, "multiple_of": decoder.multiple, "licence": model.descriptor.licence}
        if decoder.recall is None:
            properties["clips"] = 1
        onnx.helper.set_model_props(graph, {name: str(value) for name, value in properties.items()})
        onnx.save(graph, str(part))


Recorded = tuple[nn.Module, dict[str, Tensor], dict[str, dict[int, str]]]
"""A graph's module, its inputs while it is recorded, and the dynamic axes of its inputs and outputs, by name."""


def _by_clips(decoder: nn.Module) -> Recorded:
    axes = {"lr": {0: "frames", 2: "h", 3: "w"}, "sr": {0: "frames", 2: "sr_h", 3: "sr_w"}}
    return DecoderPath(decoder), {"lr": _example()}, axes


def _recurrent(decoder: Any) -> Recorded:
    lr, sides = _example(), {2: "h", 3: "w"}
    axes = {"lr": sides, "memory": sides, "sr": {2: "sr_h", 3: "sr_w"}, "memory_out": sides}
    return RecurrentPath(decoder), {"lr": lr, "memory": decoder.empty_memory(lr[:1])}, axes


def _example() -> Tensor:
    return torch.rand(3, 3, REACH + 8, REACH + 16)


@contextmanager
def _without_sizes() -> Iterator[None]:
    """Replace functions whose tables depend on a frame's size by formulas that do not, during the block."""
    taps = inverse_taps()
    replaced = {
        "turbovsr.consistency.invert_down_up": lambda lr: _filtered(lr, taps),
        "turbovsr.decoder.add_margins": _with_margins,
        "turbovsr.decoder.pixel_shuffle": lambda x: F.pixel_shuffle(x, consistency.SCALE),
        "turbovsr.upsampling.symmetric_pad": _mirrored,
    }
    with ExitStack() as stack:
        for name, formula in replaced.items():
            stack.enter_context(mock.patch(name, formula))
        yield


def inverse_taps() -> Tensor:
    """Taps of the inverse of D U far from any border, (65,) float32."""
    length = 4 * REACH + 1
    return consistency._inverse(length, torch.device("cpu"))[length // 2, REACH : 3 * REACH + 1].clone()


def _filtered(lr: Tensor, taps: Tensor) -> Tensor:
    """Apply the inverse of D U as a filter over mirrored frames, (N, 3, H, W) -> (N, 3, H, W), sides of at least 32."""
    x = _mirrored(lr, REACH).flatten(0, 1).unsqueeze(1)
    x = F.conv2d(F.conv2d(x, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1))
    return x.squeeze(1).unflatten(0, (-1, 3))


def _mirrored(x: Tensor, pad: int) -> Tensor:
    """`frames.bicubic.symmetric_pad` for sides of at least `pad`."""
    for axis in (-2, -1):
        x = torch.cat([_edge(x, axis, pad, 0).flip(axis), x, _edge(x, axis, pad, 1).flip(axis)], axis)
    return x


def _with_margins(x: Tensor) -> Tensor:
    """`turbovsr.consistency.add_margins`, by slices from either end."""
    for axis in (-1, -2):
        start, end = (consistency._mirrored(_edge(x, axis, consistency.MARGIN, at), axis) for at in (0, 1))
        x = torch.cat([start, x, end], dim=axis)
    return x


def _edge(x: Tensor, axis: int, count: int, end: int) -> Tensor:
    """The first or the last `count` places along an axis."""
    places = slice(-count, None) if end else slice(0, count)
    return x[..., places] if axis == -1 else x[..., places, :]
