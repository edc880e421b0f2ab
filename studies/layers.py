"""The contribution of each layer of the decoder: scores relative to bicubic's with one layer left out at a time.

    python -m studies.layers data=folder data.gt=GT degradation=once --weights nano-real
    python -m studies.layers data=sample_real --weights nano-real --without inner.smaller.after.0,inner.smaller.after.1

The options are those of `bench run`: they name the clips and how their LR frames are made. Layers are residual blocks
and plain layers; both begin training at or near the identity. Layers that contribute nothing after training can be left
out, which saves their time. `--without` leaves several out together, with a row for each time it is given, instead of
each by itself.
"of decoder": their share of the decoder's arithmetic, for an image.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from baselines.interpolation import Interpolation
from bench.config import expand
from bench.metrics.registry import build
from bench.targets import open_dataset
from frames.command_line import Parser, guarded, process
from frames.errors import OK, UserError
from turbovsr.decoder import Decoder
from turbovsr.geometry import SCALE
from turbovsr.layers import PlainLayer, SpatialBlock
from turbovsr.pipeline import TurboVSR

METRICS = ("lpips-alex", "dists", "psnr-y")
Clip = tuple[torch.Tensor, np.ndarray]
"""LR uint8 (T, 3, h, w), GT uint8 (T, H, W, 3)."""


def layers(decoder: Decoder) -> list[str]:
    """List the names of the layers that can be left out."""
    return [name for name, module in decoder.named_modules() if isinstance(module, SpatialBlock | PlainLayer)]


@contextmanager
def left_out(decoder: Decoder, name: str) -> Iterator[None]:
    """Replace the layer of a name by the identity during the block."""
    parent, _, own = name.rpartition(".")
    layer = decoder.get_submodule(name)
    decoder.get_submodule(parent).add_module(own, nn.Identity())
    try:
        yield
    finally:
        decoder.get_submodule(parent).add_module(own, layer)


def chosen(decoder: Decoder, without: list[str] | None) -> list[list[str]]:
    """Groups of layers to leave out together: those of `--without`, else each layer by itself. Raises `UserError`."""
    known = layers(decoder)
    choices = [wanted.split(",") for wanted in without or known]
    for name in set().union(*choices) - set(known):
        raise UserError(f"--without {name}: no such layer; there are {', '.join(known)}")
    return choices


def clips_of(words: list[str]) -> list[Clip]:
    """Load the clips that words of `bench run` name.

    Raises:
        UserError, ValueError, FileNotFoundError: an unknown word, several sets, no such clips, or none with GT.
    """
    combinations = expand(["method=bicubic", *words])
    if len(combinations) != 1:
        raise UserError(f"{' '.join(words)}: {len(combinations)} data sets; name one")
    if combinations[0].config.scale != SCALE:
        raise UserError(f"scale={combinations[0].config.scale}: the decoder upscales by {SCALE}; leave scale out")
    found = []
    for clip in open_dataset(combinations[0].config).clips():
        lr, gt = (np.stack(list(frames)) for frames in (clip.lr(), clip.gt()))
        found.append((torch.from_numpy(np.moveaxis(lr, -1, 1).copy()), gt))
    return found


def scores(pictures: Iterable[torch.Tensor], clips: list[Clip]) -> dict[str, float]:
    """Score SR clips, uint8 (T, 3, H, W): means over frames, then over clips."""
    metrics: dict[str, Any] = {name: build(name) for name in METRICS}
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    for sr, (_, gt) in zip(pictures, clips):
        frames = np.moveaxis(sr.numpy(), 1, -1).copy()
        for name, metric in metrics.items():
            found[name].append(statistics.fmean(map(metric.score, frames, gt)))
    return {name: statistics.fmean(values) for name, values in found.items()}


def arithmetic(decoder: Decoder) -> int:
    """Count floating-point operations of the decoder for a frame of 64x64 LR pixels, without a latent."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        decoder(torch.zeros(1, 3, 1, 64, 64, dtype=decoder.stem.weight.dtype), None)
    return counter.get_total_flops()


def main() -> int:
    parser = Parser("python -m studies.layers", (__doc__ or "").strip())
    parser.add_argument("words", nargs="+", metavar="data=SET", help="options as in bench run")
    parser.add_argument("--weights", default="nano", help="a packaged name or a checkpoint")
    parser.add_argument("--without", action="append", metavar="LAYER,LAYER", help="layers to leave out together")
    arguments = parser.parse_args()
    model = TurboVSR.from_pretrained(arguments.weights)
    decoder = model.model.decoder
    if not isinstance(decoder, Decoder):
        raise UserError(f"--weights {arguments.weights}: its decoder has no layers to leave out; name weights of nano")
    choices = chosen(decoder, arguments.without)
    clips, bicubic = clips_of(arguments.words), Interpolation("bicubic", SCALE).upscale
    base, whole = scores(map(bicubic, (lr for lr, _ in clips)), clips), arithmetic(decoder)
    width = max(len("left out"), *(len(",".join(names)) for names in choices))
    print(f"{'left out':{width}s} of decoder   LPIPS   DISTS  PSNR-Y")
    for names in track([[], *choices], "scoring", transient=True, console=Console(stderr=True)):
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(left_out(decoder, name))
            found = scores((model.upscale(lr) for lr, _ in clips), clips)
            share = 1 - arithmetic(decoder) / whole
        lpips, dists = (found[name] / base[name] - 1 for name in METRICS[:2])
        psnr = found["psnr-y"] - base["psnr-y"]
        print(
            f"{','.join(names) or 'none':{width}s} {share:10.1%} {lpips:+7.1%} {dists:+7.1%} {psnr:+7.2f}", flush=True
        )
    return OK


if __name__ == "__main__":
    process(lambda _: guarded("studies.layers", main))
