"""Features of scaling after coding, denoising and sharpening in frames.

None of these have a grid. Halos are overshoot beside strong edges. Denoised, enlarged and coarsely coded frames have
less of the finest detail than their coarser detail suggests, while edges stay; the remaining fine detail is in few
places.
"""

from __future__ import annotations

import numpy as np

NAMES = (
    *("halo_50", "halo_75"),  # overshoot beside the strongest steps, share of the step, percentiles over blocks
    *("decay_25", "decay_50", "decay_75"),  # log: diagonal detail at half the size over that at full size
    *("tail", "shoulder"),  # log: power from 0.40 to 0.50 and 0.25 to 0.40 cycles a pixel over 0.10 to 0.25
    *("sparse_1", "sparse_2"),  # log: mean over median magnitude of detail along rows and columns, full and half size
    "chroma",  # log: colours' detail at half the size over luma's there
)
REACH = 8  # pixels to either side of a step
LEAST_STEP = 24  # grey levels
MOST_STEPS = 4000


def measure(luma: np.ndarray, rgb: np.ndarray) -> list[float]:
    """Measure the features `NAMES` of one frame.

    Args:
        luma: float32 (H, W), 0 to 255.
        rgb: float32 (H, W, 3), 0 to 255.
    """
    half = _halved(luma)
    return [*_halos(luma), *_decay(luma, half), *_spectrum(luma), _sparse(luma), _sparse(half), _chroma(half, rgb)]


def _halved(plane: np.ndarray) -> np.ndarray:
    height, width = (side // 2 * 2 for side in plane.shape)
    return plane[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))


def _halos(luma: np.ndarray) -> tuple[float, float]:
    """Overshoot beside strong steps between flat areas, as a share of the step: 50th and 75th percentile."""
    found = [_overshoot(plane) for plane in (luma, luma.T)]
    overshoot = np.concatenate(found)
    if len(overshoot) < 12:
        return 0.0, 0.0
    return tuple(np.percentile(overshoot, [50, 75]))


def _overshoot(plane: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(plane, 2 * REACH, axis=1).reshape(-1, 2 * REACH)
    steps = np.abs(np.diff(windows, axis=1))
    centre = steps[:, REACH - 1]
    strong = (centre >= LEAST_STEP) & (centre >= steps.max(axis=1))
    chosen = windows[strong]
    chosen = chosen[:: max(1, len(chosen) // MOST_STEPS)]
    rising = chosen[:, REACH] > chosen[:, REACH - 1]
    chosen = np.where(rising[:, None], chosen, -chosen)
    low, high = chosen[:, : REACH - 4], chosen[:, REACH + 4 :]  # the areas to either side
    step = np.median(high, axis=1) - np.median(low, axis=1)
    ripple = np.maximum(np.ptp(low, axis=1), np.ptp(high, axis=1))
    plain = (step >= LEAST_STEP) & (ripple < 0.25 * step)
    over = chosen[:, REACH : REACH + 4].max(axis=1) - np.median(high, axis=1)
    under = np.median(low, axis=1) - chosen[:, REACH - 4 : REACH].min(axis=1)
    return ((over + under) / 2)[plain] / step[plain]


def _diagonal(plane: np.ndarray, edge: int) -> np.ndarray:
    """Deviation of the diagonal Haar coefficients in blocks of `edge` coefficients, in the order of the blocks."""
    height, width = (side // (2 * edge) * 2 * edge for side in plane.shape)
    cut = plane[:height, :width]
    detail = (cut[::2, ::2] - cut[1::2, ::2] - cut[::2, 1::2] + cut[1::2, 1::2]) / 2
    parts = detail.reshape(height // (2 * edge), edge, width // (2 * edge), edge)
    return np.sqrt((parts**2).mean(axis=(1, 3))).ravel()


def _decay(luma: np.ndarray, half: np.ndarray) -> np.ndarray:
    fine, coarse = _diagonal(luma, 8), _diagonal(half, 4)  # both of blocks of 16 pixels
    return np.percentile(np.log((coarse + 0.3) / (fine + 0.3)), [25, 50, 75])


def _spectrum(luma: np.ndarray) -> tuple[float, float]:
    power = []
    for plane in (luma, luma.T):
        length = plane.shape[1] // 32 * 32
        rows = plane[:, :length].reshape(-1, 32)
        rows = (rows - rows.mean(axis=1, keepdims=True)) * np.hanning(32).astype(np.float32)
        power.append((np.abs(np.fft.rfft(rows, axis=1)) ** 2).mean(axis=0))
    whole = np.minimum(*power) + 1  # the smaller of both axes; rounding alone gives about 1
    low = whole[3:8].mean()
    return float(np.log(whole[13:].mean() / low)), float(np.log(whole[8:13].mean() / low))


def _sparse(plane: np.ndarray) -> float:
    steps = np.concatenate([np.abs(np.diff(plane, axis=axis)).ravel() for axis in (0, 1)])
    return float(np.log((steps.mean() + 0.3) / (np.median(steps) + 0.3)))


def _chroma(half: np.ndarray, rgb: np.ndarray) -> float:
    colours = np.concatenate([_diagonal(_halved(rgb[..., c] - rgb[..., 1]), 4) for c in (0, 2)])
    return float(np.log((np.median(colours) + 0.2) / (np.median(_diagonal(half, 4)) + 0.2)))
