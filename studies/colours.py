"""The cost of a method's colour errors: scores relative to bicubic's, with luma or chroma taken from GT.

    python -m studies.colours method=turbovsr_real data=sample_real
    python -m studies.colours method=turbovsr data=folder data.gt=GT

The options are those of `bench run`: one method, one data set. Chroma is Cb and Cr of BT.601; "coarse" is chroma after
a Gaussian of 4 pixels. Losses on RGB are insensitive to chroma where errors of luma are larger, and PSNR on Y does not
see it at all; LPIPS and DISTS do.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from baselines.interpolation import Interpolation
from bench.metrics.registry import build
from frames.command_line import Parser, guarded, process
from frames.errors import OK
from studies.layers import clips_of
from studies.pairs import upscaler
from turbovsr.geometry import SCALE

METRICS = ("lpips-alex", "dists", "psnr-y", "psnr-cbcr")
COARSE = 4  # pixels, deviation


def exchanged(frame: np.ndarray, other: np.ndarray, of: Callable[[np.ndarray, np.ndarray], None]) -> np.ndarray:
    """Exchange channels of a frame, uint8 (H, W, 3) RGB: `of` changes its float32 YCrCb by that of the other frame."""
    own, theirs = (cv2.cvtColor(f.astype(np.float32) / 255, cv2.COLOR_RGB2YCrCb) for f in (frame, other))
    of(own, theirs)
    return np.rint(cv2.cvtColor(own, cv2.COLOR_YCrCb2RGB) * 255).clip(0, 255).astype(np.uint8)


def luma(own: np.ndarray, theirs: np.ndarray) -> None:
    """Replace luma by that of the other frame."""
    own[..., 0] = theirs[..., 0]


def chroma(own: np.ndarray, theirs: np.ndarray) -> None:
    """Replace chroma by that of the other frame."""
    own[..., 1:] = theirs[..., 1:]


def coarse_chroma(own: np.ndarray, theirs: np.ndarray) -> None:
    """Replace the coarse part of chroma by that of the other frame."""
    own[..., 1:] += cv2.GaussianBlur(theirs[..., 1:] - own[..., 1:], (0, 0), COARSE)


def variants(sr: np.ndarray, bicubic: np.ndarray, gt: np.ndarray) -> dict[str, np.ndarray]:
    """Make the frames that are scored, by the names of the table's rows."""
    return {
        "bicubic": bicubic,
        "SR": sr,
        "SR, chroma of bicubic": exchanged(sr, bicubic, chroma),
        "SR, coarse chroma of GT": exchanged(sr, gt, coarse_chroma),
        "SR, chroma of GT": exchanged(sr, gt, chroma),
        "SR, luma of GT": exchanged(sr, gt, luma),
    }


def main() -> int:
    parser = Parser("python -m studies.colours", (__doc__ or "").strip())
    parser.add_argument("words", nargs="+", metavar="WORD", help="method=NAME data=SET, as in bench run")
    arguments = parser.parse_args()
    method = upscaler([word for word in arguments.words if word.startswith("method")])
    clips = clips_of([word for word in arguments.words if not word.startswith("method")])
    metrics: dict[str, Any] = {name: build(name) for name in METRICS}
    bicubic = Interpolation("bicubic", SCALE)
    found: dict[str, dict[str, list[float]]] = {}  # row -> metric -> clips
    for lr, gt in track(clips, "scoring", transient=True, console=Console(stderr=True)):
        pair = [np.moveaxis(up(lr).numpy(), 1, -1) for up in (method.upscale, bicubic.upscale)]
        frames = [variants(*each) for each in zip(*map(np.ascontiguousarray, pair), gt, strict=True)]
        for row in frames[0]:
            scores = found.setdefault(row, {name: [] for name in METRICS})
            for name, metric in metrics.items():
                scores[name].append(statistics.fmean(metric.score(each[row], g) for each, g in zip(frames, gt)))
    base = {name: statistics.fmean(values) for name, values in found["bicubic"].items()}
    print(f"{'':24s}  LPIPS   DISTS  PSNR-Y  PSNR-CbCr")
    for row, scores in found.items():
        lpips, dists = (statistics.fmean(scores[name]) / base[name] - 1 for name in METRICS[:2])
        y, cbcr = (statistics.fmean(scores[name]) - base[name] for name in METRICS[2:])
        print(f"{row:24s}{lpips:+7.1%} {dists:+7.1%} {y:+7.2f} {cbcr:+10.2f}")
    return OK


if __name__ == "__main__":
    process(lambda _: guarded("studies.colours", main))
