"""Inputs made from GT, of each kind that the estimate of `frames.input_quality` distinguishes."""

from __future__ import annotations

import cv2
import numpy as np

from frames.degradations import codec
from frames.degradations.once import Once
from frames.degradations.operators import to_uint8
from frames.degradations.realbasicvsr import RealBasicVSR

DEGRADED = ("noisy", "compressed", "blurred", "mixed")
PROCESSED = ("jpeg_reduced", "enlarged_coded", "coded_twice", "denoised")
FPS = 1  # of the coded clips that the shipped fit has seen
REDUCTIONS = (cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4)


def degraded(kind: str, gt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make LR frames (T, h, w, 3) of one kind at x4 from GT (T, H, W, 3), with random parameters.

    Kinds: "clean", those of `DEGRADED` and those of `PROCESSED`.
    """
    if kind in PROCESSED:
        return _PROCESSED[kind](gt, rng)
    if kind == "mixed":
        if rng.random() < 0.5:
            return RealBasicVSR()(gt, rng)
        blur, noise, jpeg, crf = rng.uniform(0.5, 3), rng.uniform(2, 10), int(rng.uniform(40, 80)), rng.uniform(22, 34)
        return Once(blur=blur, noise=noise, jpeg=jpeg, crf=crf, fps=FPS)(gt, rng)
    degrade = {
        "clean": lambda: Once(),
        "noisy": lambda: Once(noise=rng.uniform(4, 20)),
        "compressed": lambda: Once(crf=rng.uniform(26, 38), fps=FPS),
        "blurred": lambda: Once(blur=rng.uniform(4, 8)),  # 1 to 2 LR pixels
    }[kind]()
    return degrade(gt, rng)


def clean_otherwise(gt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make clean LR frames in other ways than bicubic: another reduction, or H.264 at CRF 4 to 14."""
    if rng.random() < 0.6:
        return Once(crf=rng.uniform(4, 14), fps=FPS)(gt, rng)
    height, width = (side // 4 for side in gt.shape[1:3])
    return _resized(gt, height, width, cv2.INTER_AREA if rng.random() < 0.5 else None)


def jpeg_reduced(gt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Code GT by JPEG or H.264 at 1.15 to 1.8 times the LR size, then reduce it: blocks lie on no grid of 4 or 8."""
    large = _at(gt, 4 / rng.uniform(1.15, 1.8))
    if rng.random() < 0.5:
        quality = int(rng.uniform(12, 45))
        coded = np.stack([codec.jpeg(frame, quality) for frame in large])
    else:
        coded = codec.video(large, "libx264", crf=rng.uniform(30, 40), fps=FPS)
    return _finished(_lr_size(coded, gt, rng), rng)


def enlarged_coded(gt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Enlarge GT from 0.4 to 0.7 of the LR size, then code it."""
    small = _at(gt, 4 / rng.uniform(0.4, 0.7))
    if rng.random() < 0.5:
        small = codec.video(small, "libx264", crf=rng.uniform(18, 32), fps=FPS)
    return codec.video(_lr_size(small, gt, rng), "libx264", crf=rng.uniform(18, 32), fps=FPS)


def coded_twice(gt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Code GT by H.264 or MPEG-4 at another size, then by H.264 at a moderate rate."""
    first = _at(gt, 4 / rng.uniform(0.8, 1.5))
    if rng.random() < 0.7:
        first = codec.video(first, "libx264", crf=rng.uniform(27, 36), fps=FPS)
    else:
        pixels = first.shape[1] * first.shape[2]
        first = codec.video(first, "mpeg4", bit_rate=int(pixels * rng.uniform(0.15, 0.5)), fps=FPS)
    return codec.video(_lr_size(first, gt, rng), "libx264", crf=rng.uniform(18, 28), fps=FPS)


def denoised(gt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Process GT like a phone's camera: noise, denoising that smooths surfaces, sharpening that leaves halos, H.264."""
    large = _at(gt, 4 / rng.uniform(1.0, 1.6))
    noise = rng.uniform(5, 18)
    noisy = to_uint8(large + noise * rng.standard_normal(large.shape, np.float32))
    smooth = _DENOISERS[rng.choice(list(_DENOISERS))]
    amount, radius = rng.uniform(0.6, 2.5), rng.uniform(0.7, 1.6)
    sharp = np.stack([_sharpened(smooth(frame, noise), amount, radius) for frame in noisy])
    if rng.random() < 0.7:
        sharp = codec.video(sharp, "libx264", crf=rng.uniform(18, 30), fps=FPS)
    return _finished(_lr_size(sharp, gt, rng), rng)


_PROCESSED = {
    "jpeg_reduced": jpeg_reduced,
    "enlarged_coded": enlarged_coded,
    "coded_twice": coded_twice,
    "denoised": denoised,
}

_DENOISERS = {
    "bilateral": lambda frame, noise: cv2.bilateralFilter(frame, 7, 3.5 * noise, 2.0),
    "median": lambda frame, noise: cv2.medianBlur(frame, 3 if noise < 10 else 5),
    "means": lambda frame, noise: cv2.fastNlMeansDenoisingColored(frame, None, 0.9 * noise, 0.9 * noise, 5, 13),
}


def _at(gt: np.ndarray, divisor: float) -> np.ndarray:
    """Reduce GT by a real divisor, antialiased, to even sides."""
    height, width = (int(side / divisor) // 2 * 2 for side in gt.shape[1:3])
    return _resized(gt, height, width, cv2.INTER_AREA)


def _lr_size(clip: np.ndarray, gt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = (side // 8 * 2 for side in gt.shape[1:3])
    return _resized(clip, height, width, REDUCTIONS[rng.integers(len(REDUCTIONS))])


def _finished(clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Code half of the clips once more by H.264, at a good rate."""
    return codec.video(clip, "libx264", crf=rng.uniform(14, 24), fps=FPS) if rng.random() < 0.5 else clip


def _resized(clip: np.ndarray, height: int, width: int, how: int | None) -> np.ndarray:
    """Resize by OpenCV's interpolation `how`; None: by Pillow's antialiased Lanczos of three lobes."""
    if how is not None:
        return np.stack([cv2.resize(frame, (width, height), interpolation=how) for frame in clip])
    from PIL import Image

    size, lanczos = (width, height), Image.Resampling.LANCZOS
    return np.stack([np.asarray(Image.fromarray(frame).resize(size, lanczos)) for frame in clip])


def _sharpened(frame: np.ndarray, amount: float, radius: float) -> np.ndarray:
    soft = cv2.GaussianBlur(frame, (0, 0), radius).astype(np.float32)
    return to_uint8(frame + amount * (frame - soft))
