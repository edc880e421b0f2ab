"""Ablation of TurboVSR's latent: a table of latents and steps over natural clips, scored with the harness's metrics.

    python -m studies.ablation [--vid4 path/to/Vid4] [--frames N] [--weights FILE]
        [--without FILE] [--oracle FILE] [--sampled FILE] [--out results/ablation.json]

Rows: bicubic; the weights decoded without a latent, with sampled latents of 4, 2 and 1 steps, with the oracle latent
(the encoder sees GT: no upscaler), and with the sampled or oracle latent of another clip. `--without`, `--oracle` and
`--sampled` name checkpoints whose decoders were trained from the same weights for as many steps without a latent, with
the oracle latent alone and with sampled ones: the comparison at equal budgets (recipe `ablation`). The column "to none"
compares LPIPS with the row without a latent; for the retrained checkpoints that row is `--without`. Each clip is one
chunk, its first 8k+1 frames; DISTS is of every fourth frame.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.datasets.sample import Sample
from bench.datasets.vid4 import Vid4
from bench.environment import snapshot
from bench.metrics.registry import build
from frames.command_line import Parser, guarded, process
from frames.degradations import Bicubic
from frames.errors import OK
from studies.outputs import out_file
from turbovsr import loading
from turbovsr.generator import Generator
from turbovsr.geometry import CELL, latent_frames
from turbovsr.rearrange import pixel_shuffle
from turbovsr.upsampling import bicubic_upsample

NATURAL = ("city", "street", "astronaut", "coffee", "chelsea", "rocket")  # of the sample set; bunny is drawn
METRICS = ("lpips-alex", "dists", "psnr-y")
DISTS_EVERY = 4

Row = Callable[[int], list[Tensor]]
"""row(index of a clip) -> its SR frames, (3, H, W) each."""


@dataclass
class Material:
    """A clip in memory: GT uint8 (T, H, W, 3), LR float (1, 3, T, h, w) in [-1, 1], sides multiples of 32 and 8."""

    name: str
    gt: np.ndarray
    lr: Tensor

    @property
    def hr(self) -> Tensor:
        return torch.from_numpy(self.gt).permute(3, 0, 1, 2)[None].float() / 127.5 - 1


def material(vid4: str | None, frames: int) -> list[Material]:
    """Load the clips, cropped at the right, the bottom and the end to whole latent cells and 8k+1 frames."""
    options: dict[str, Any] = {"domain": "vimeo", "scale": 4, "degradation": Bicubic(scale=4)}
    sets: list[Any] = [Sample(name="sample", clips=NATURAL, frames=None, **options)]
    if vid4:
        sets.append(Vid4(name="vid4", root=vid4, **options))
    found = []
    for name, clip in ((each.name, clip) for each in sets for clip in each.clips()):
        count = 1 + (min(clip.frames, frames) - 1) // 8 * 8
        gt, lr = (np.stack([f for f, _ in zip(source, range(count))]) for source in (clip.gt(), clip.lr()))
        height, width = (n // 32 * 32 for n in gt.shape[1:3])
        gt, lr = gt[:, :height, :width], lr[:, : height // 4, : width // 4]
        small = torch.from_numpy(lr.copy()).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        found.append(Material(f"{name}/{clip.name}", np.ascontiguousarray(gt), small))
    return found


def sampled(model: Generator, clip: Material, steps: int, seed: int = 0) -> Tensor:
    """Sample a latent of the clip in `steps` steps."""
    condition = model.condition(clip.lr)
    noise = torch.randn(
        (1, model.config.latent_channels, *condition.shape[2:]), generator=torch.Generator().manual_seed(seed)
    )
    first = model.sample_first(condition, noise, steps)
    return model.sample_rest(condition, first, noise, steps)


def of_another_clip(latent_of: Callable[[Material], Tensor], clips: list[Material], index: int) -> Tensor:
    """The latent of the next clip, repeated and cropped to this one's grid."""
    frames, height, width = clips[index].lr.shape[2:]
    wanted = latent_frames(frames), height // CELL, width // CELL
    latent = latent_of(clips[(index + 1) % len(clips)])
    repeats = [-(-a // b) for a, b in zip(wanted, latent.shape[2:])]
    return latent.repeat(1, 1, *repeats)[:, :, : wanted[0], : wanted[1], : wanted[2]]


def score(sr: list[Tensor], gt: np.ndarray, metrics: dict) -> dict[str, float]:
    """Mean scores over the frames, of DISTS over every fourth; PSNR of BT.601 studio-range Y."""
    frames = [((f + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy() for f in sr]
    return {
        name: statistics.fmean(
            metric.score(a, b) for a, b in list(zip(frames, gt))[:: DISTS_EVERY if name == "dists" else 1]
        )
        for name, metric in metrics.items()
    }


def decode_sampled(model: Generator, clips: list[Material], steps: int, index: int) -> list[Tensor]:
    """Decode the frames of a clip with a latent that is sampled in `steps` steps."""
    return list(model.decode_frames(clips[index].lr, sampled(model, clips[index], steps)))


def rows_of_samples(model: Generator, clips: list[Material]) -> tuple[Row, Row]:
    """Two rows: decoding with latents sampled in one step, and with those of another clip."""
    return (
        partial(decode_sampled, model, clips, 1),
        lambda i: list(
            model.decode_frames(clips[i].lr, of_another_clip(lambda clip: sampled(model, clip, 1), clips, i))
        ),
    )


def rows_of_oracle(model: Generator, clips: list[Material]) -> tuple[Row, Row]:
    """Two rows: decoding with the oracle latent, encoded from the GT, and with that of another clip."""
    return (
        lambda i: list(model.decode_frames(clips[i].lr, model.encode(clips[i].hr))),
        lambda i: list(model.decode_frames(clips[i].lr, of_another_clip(lambda clip: model.encode(clip.hr), clips, i))),
    )


@torch.inference_mode()
def run(arguments: argparse.Namespace) -> dict[str, dict[str, dict[str, float]]]:
    """Score all rows; returns scores by row, clip and metric."""
    clips = material(arguments.vid4, arguments.frames)
    metrics = {name: build(name) for name in METRICS}
    model, _ = loading.load(arguments.weights)
    rows: dict[str, Row] = {
        "bicubic": lambda i: [pixel_shuffle(bicubic_upsample(f))[0] for f in clips[i].lr[0].transpose(0, 1).split(1)],
        "no latent": lambda i: list(model.decode_frames(clips[i].lr, None)),
    }
    for steps in (4, 2, 1):
        rows[f"sampled, {steps} step{'s' * (steps > 1)}"] = partial(decode_sampled, model, clips, steps)
    rows["sampled, 1 step, another clip's"] = rows_of_samples(model, clips)[1]
    rows["oracle"], rows["oracle, another clip's"] = rows_of_oracle(model, clips)
    if arguments.without:
        without, _ = loading.load(arguments.without)
        rows["retrained without a latent"] = lambda i: list(without.decode_frames(clips[i].lr, None))
    if arguments.sampled:
        retrained, _ = loading.load(arguments.sampled)
        own, others = rows_of_samples(retrained, clips)
        rows["retrained with sampled latents"], rows["retrained, sampled, another clip's"] = own, others
    if arguments.oracle:
        oracle, _ = loading.load(arguments.oracle)
        own, others = rows_of_oracle(oracle, clips)
        rows["retrained with oracle latents"], rows["retrained, oracle, another clip's"] = own, others
    return {
        row: {clip.name: score(decode(i), clip.gt, metrics) for i, clip in enumerate(clips)}
        for row, decode in rows.items()
    }


def main() -> int:
    parser = Parser("python -m studies.ablation", (__doc__ or "").strip())
    parser.add_argument("--vid4", help="root of Vid4; without it only the natural clips of the sample set are used")
    parser.add_argument("--frames", type=int, default=17, help="at most this many frames of a clip")
    parser.add_argument("--weights", help="a checkpoint; default: nano")
    parser.add_argument("--without", help="a checkpoint whose decoder was trained without a latent")
    parser.add_argument("--oracle", help="a checkpoint whose decoder was trained with the oracle latent")
    parser.add_argument("--sampled", help="a checkpoint whose decoder was trained with sampled latents")
    parser.add_argument("--out", type=out_file, help="JSON with the scores of every clip")
    arguments = parser.parse_args()
    if arguments.frames < 1:
        parser.error(f"--frames {arguments.frames}: 1 at least")
    found = run(arguments)
    means = {
        row: {name: statistics.fmean(clip[name] for clip in clips.values()) for name in METRICS}
        for row, clips in found.items()
    }
    base = means["no latent"]["lpips-alex"]
    print(f"clips: {', '.join(found['bicubic'])}")
    print(f"{'':34s} {'LPIPS':>7s} {'to none':>8s} {'DISTS':>7s} {'PSNR-Y':>7s}")
    for row, mean in means.items():
        if row == "retrained without a latent":
            base = mean["lpips-alex"]
        lpips, dists, psnr = (mean[name] for name in METRICS)
        print(f"{row:34s} {lpips:7.4f} {lpips / base - 1:+8.1%} {dists:7.4f} {psnr:7.2f}")
    if arguments.out:
        text = json.dumps({"environment": snapshot("cpu"), "means": means, "clips": found}, indent=1)
        arguments.out.write_text(text + "\n")
    return OK


if __name__ == "__main__":
    process(lambda _: guarded("studies.ablation", main))
