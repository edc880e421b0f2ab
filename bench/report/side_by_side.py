"""The methods' versions of a frame or clip side by side: a strip with crops, or the frames of a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

from bench.report import strip
from bench.report.grid import figure
from bench.report.page import regions
from bench.report.page.material import GT, LR, Material, sr
from bench.report.page.order import metrics_of, rank_values, values
from bench.store.record import Record

VIDEO_WIDTH = 640  # smaller frames are enlarged to about this


def versions_of(material: Material, cells: list[Record], sources: list[str]) -> Iterator[list[strip.Version]]:
    """Yield all versions of each frame of a clip; LR is enlarged by repeating pixels."""
    labels = _labels(cells)
    for index, frames in enumerate(zip(*(material.sources[source]() for source in sources))):
        yield [
            strip.Version(_name(source, material), _enlarged(frame, source, material), labels(source, index))
            for source, frame in zip(sources, frames)
        ]


def still(
    material: Material, cells: list[Record], sources: list[str], box: regions.Box | None, frame: int
) -> np.ndarray:
    """The strip of one frame: the whole frame and the crops of all versions, uint8 (H, W, 3) RGB.

    Args:
        box: the crop; None: where the methods differ most.
    """
    versions = next(islice(versions_of(material, cells, sources), frame, None))
    if box is None:
        methods = [v.frame for source, v in zip(sources, versions) if source not in (LR, GT)]
        compared = methods if len(methods) > 1 else [v.frame for v in versions]
        width = min(material.size[1], max(48, material.size[1] // 4))
        largest = (min(material.size[0], width * 3 // 4), width)
        box = regions.window(regions.difference(compared), material.size, largest, material.scale)
    whole = next((v.frame for source, v in zip(sources, versions) if source == GT), versions[-1].frame)
    recipe = " / ".join(metric.header for metric in metrics_of(cells))
    return strip.strip(versions, whole, box, [f"{material.data}, {material.clip}, frame {frame}", recipe])


def film(
    material: Material, cells: list[Record], sources: list[str], box: regions.Box | None, kind: str
) -> Iterator[np.ndarray]:
    """Yield the frames of a video that has all versions in bands (`split`) or as whole frames (`stack`)."""
    compose = strip.split if kind == "split" else strip.stacked
    for versions in versions_of(material, cells, sources):
        if box is not None:
            versions = [strip.Version(v.name, regions.cut(v.frame, box), v.scores) for v in versions]
        yield compose(versions, max(1, round(VIDEO_WIDTH / versions[0].frame.shape[1])))


def _labels(cells: list[Record]) -> Callable[[str, int], tuple[strip.Piece, ...]]:
    """(source, frame) -> its scores as text, the best of each metric bold."""
    metrics = metrics_of(cells)
    known = {sr(record.method): [values(record, metric) for metric in metrics] for record in cells}
    ranked = {sr(record.method): [rank_values(record, metric) for metric in metrics] for record in cells}

    def label(source: str, frame: int) -> tuple[tuple[str, bool], ...]:
        pieces = []
        for index, metric in enumerate(metrics):
            value = known.get(source, [{}] * len(metrics))[index].get(frame)
            if value is None:
                continue
            others = [v for scores in ranked.values() if (v := scores[index].get(frame)) is not None]
            own = ranked[source][index].get(frame)
            best = own is not None and len(others) > 1 and metric.badness(own) == min(map(metric.badness, others))
            text = figure(value, metric.digits)
            pieces.append((text + " / ", best))
        return tuple([*pieces[:-1], (pieces[-1][0].removesuffix(" / "), pieces[-1][1])] if pieces else ())

    return label


def _name(source: str, material: Material) -> str:
    if source == LR:
        return f"LR ×{material.scale}"
    return "GT" if source == GT else source.removeprefix("sr:")


def _enlarged(frame: np.ndarray, source: str, material: Material) -> np.ndarray:
    return frame.repeat(material.scale, axis=0).repeat(material.scale, axis=1) if source == LR else frame
