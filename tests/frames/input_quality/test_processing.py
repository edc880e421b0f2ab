"""The measures of what leaves no grid: halos of sharpening, fine detail that denoising and enlarging took away."""

import cv2
import numpy as np
import pytest
from skimage import data

from frames.input_quality import estimate, processing

FRAME = cv2.resize(data.astronaut(), (256, 256), interpolation=cv2.INTER_AREA)


def measured(frame: np.ndarray) -> dict[str, float]:
    rgb = frame.astype(np.float32)
    luma = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    return dict(zip(processing.NAMES, processing.measure(luma, rgb), strict=True))


def sharpened(frame: np.ndarray, amount: float) -> np.ndarray:
    soft = cv2.GaussianBlur(frame, (0, 0), 1.2).astype(np.float32)
    return np.clip(frame + amount * (frame - soft), 0, 255).astype(np.uint8)


def enlarged(frame: np.ndarray) -> np.ndarray:
    return cv2.resize(cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), frame.shape[1::-1])


def test_sharpening_leaves_halos():
    edge = np.repeat(np.where(np.arange(64) < 32, 60, 180)[None].astype(np.uint8), 64, axis=0)
    plain = np.repeat(edge[..., None], 3, axis=2)
    assert measured(plain)["halo_50"] == pytest.approx(0, abs=0.01)
    assert measured(sharpened(cv2.GaussianBlur(plain, (0, 0), 0.7), 2))["halo_50"] > 0.15


def test_frames_without_plain_edges_have_no_halos():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    assert measured(noise)["halo_75"] == 0 and measured(np.full((64, 64, 3), 9, np.uint8))["halo_75"] == 0


def test_enlarging_takes_the_finest_detail_and_leaves_the_coarser():
    before, after = measured(FRAME), measured(enlarged(FRAME))
    assert after["decay_50"] > before["decay_50"] + 0.3 and after["tail"] < before["tail"] - 1


def test_denoising_leaves_detail_in_few_places():
    assert measured(cv2.medianBlur(FRAME, 5))["sparse_1"] > measured(FRAME)["sparse_1"] + 0.05


def test_smooth_surfaces_with_halos_and_blocks_off_the_grid_are_not_clean():
    noisy = np.clip(FRAME + np.random.default_rng(0).normal(0, 9, FRAME.shape), 0, 255).astype(np.uint8)
    telephone = sharpened(cv2.bilateralFilter(noisy, 7, 32, 2.0), 1.8)
    _, jpeg = cv2.imencode(".jpg", cv2.resize(data.astronaut(), (384, 384), interpolation=cv2.INTER_AREA), [1, 20])
    reduced = cv2.resize(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), (256, 256), interpolation=cv2.INTER_AREA)
    found, coded, clean = (estimate(np.moveaxis(frame[None], -1, 1)) for frame in (telephone, reduced, FRAME))
    assert found.kind == "processed" and "halos of" in found.reason
    assert coded.kind in ("processed", "compressed") and not clean.degraded
