"""Pairs for training stages of kind distillation: degraded LR clips, and a frame of each from another upscaler.

    python -m studies.pairs OUT --data DATA                       # Real-ESRGAN x4plus, as for nano-real
    python -m studies.pairs OUT --data DATA --method method=span  # any method of the benchmark, with its options

Six pairs in ten are stills, the others clips of four frames. A pair depends only on its number and the seed. A second
run makes the missing pairs, and is refused if the first had another method, seed or shift. The upscaler's frames are
moved by `--shift` pixels to align with GT: x4plus draws 0.15 pixels too far up and to the left (the median over 700
pairs; bicubic: less than 0.01).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from rich.progress import track

from bench.config import expand
from bench.methods.contract import Upscaler
from bench.run.plan import method_config
from bench.targets import build
from frames.atomic import replacing
from frames.command_line import Parser, guarded, process
from frames.degradations.mixture import Mixture
from frames.errors import OK, UserError
from studies.outputs import keep_settings, out_folder
from turbovsr.geometry import SCALE
from turbovsr.train.data import ClipSource
from turbovsr.train.data_options import Augmentation, DataConfig
from turbovsr.train.pairs import target_index

METHOD = ("method=realesrgan", "method.model=x4plus", "method.precision=bfloat16")
CROP = 256  # of GT
CLIP = 4  # frames
KINDS = ("still",) * 6 + ("clip",) * 4
MARGIN = 16  # pixels mirrored around a frame that is moved
AUGMENTATION = Augmentation(
    detail_crop_prob=0.6,
    detail_crop_candidates=3,
    blur_prob=0.35,
    noise_std=0.5,
    augment_prob=0.4,
    letters_prob=0.15,
)
DEGRADATION = Mixture(odds=(0.0, 0.35, 0.65))  # what bicubic LR frames show, other upscalers show better


def moved(frame: np.ndarray, shift: float) -> np.ndarray:
    """Move a frame, uint8 (H, W, 3), down and to the right by a fraction of a pixel, by the phase of its spectrum."""
    if not shift:
        return frame
    padded = np.pad(frame.astype(np.float32), ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="symmetric")
    height, width = padded.shape[:2]
    down, right = np.fft.fftfreq(height)[:, None, None], np.fft.rfftfreq(width)[None, :, None]
    spectrum = np.fft.rfft2(padded, axes=(0, 1)) * np.exp(-2j * np.pi * shift * (down + right))
    inner = np.fft.irfft2(spectrum, s=(height, width), axes=(0, 1))[MARGIN:-MARGIN, MARGIN:-MARGIN]
    return np.rint(inner).clip(0, 255).astype(np.uint8)


def upscaler(words: list[str]) -> Upscaler:
    """Build the one method of the benchmark that the words name. Raises `UserError`."""
    combinations = expand(["data=sample", *words])
    if len(combinations) != 1:
        raise UserError(f"--method: {len(combinations)} methods; name one")
    method = build(method_config(combinations[0]))
    if not isinstance(method, Upscaler):
        raise UserError(f"--method {' '.join(words)}: a program, or frames made elsewhere; name an upscaler")
    if method.descriptor.scale != SCALE:
        raise UserError(f"--method {' '.join(words)}: it upscales by {method.descriptor.scale}, pairs are of {SCALE}")
    return method


def write(path: Path, source: ClipSource, method: Upscaler, rng: np.random.Generator, shift: float) -> None:
    """Draw a GT clip, degrade it, upscale its target frame, and write the three as a pair."""
    frames = CLIP if path.name.startswith("clip") else 1
    gt = source.clip(rng, frames)
    lr, frame = source.degradation(gt, rng), target_index(frames)
    sr = method.upscale(torch.from_numpy(lr[frame].transpose(2, 0, 1))[None].contiguous())[0]
    pixels = sr.numpy().transpose(1, 2, 0)
    with replacing(path) as temporary:
        np.savez(temporary, lr=lr, sr=moved(pixels, shift), gt=gt[frame])


def main() -> int:
    parser = Parser("python -m studies.pairs", (__doc__ or "").strip())
    parser.add_argument("out", type=out_folder)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders that turbovsr.train.prepare wrote")
    parser.add_argument("--count", type=int, default=9500, help="number of pairs (default 9500: an hour of a core)")
    parser.add_argument("--first", type=int, default=0, help="number of the first, to share the work (default 0)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--shift", type=float, default=0.15, help="shift in pixels, down and to the right (default 0.15)"
    )
    parser.add_argument(
        "--method", nargs="+", metavar="WORD", help="a method and options, as in `bench run` (default: x4plus)"
    )
    arguments = parser.parse_args()
    if min(arguments.count, arguments.first, arguments.seed) < 0:
        parser.error("--count, --first and --seed: 0 at least")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    source = ClipSource(DataConfig(tuple(map(str, arguments.data)), 0.8), CROP, AUGMENTATION, DEGRADATION)
    words = arguments.method or list(METHOD)
    method = upscaler(words)
    settings = {"method": words, "weights": method.descriptor.weights}
    keep_settings(arguments.out, settings | {"seed": arguments.seed, "shift": arguments.shift})
    print(f"{source.describe()}; {method.descriptor.name}, {method.descriptor.weights}")
    for number in track(range(arguments.first, arguments.first + arguments.count), "pairs"):
        path = arguments.out / f"{KINDS[number % len(KINDS)]}-{number:06d}.npz"
        if not path.exists():
            write(path, source, method, np.random.default_rng([arguments.seed, number]), arguments.shift)
    return OK


if __name__ == "__main__":
    process(lambda _: guarded("studies.pairs", main))
