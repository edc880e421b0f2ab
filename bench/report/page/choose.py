"""What of the clips gets pictures, within a budget of bytes: which window, which frames, which x-t slices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.errors import one_line
from bench.report.page import regions
from bench.report.page.encode import TEXT, webp
from bench.report.page.material import GT, LR, Material
from bench.report.page.order import metrics_of, wanted, worst

LARGEST = ((8192, 8192), (720, 1280), (544, 960), (360, 640), (272, 480), (192, 320), (128, 224))  # (height, width)
ENOUGH = 5  # frames a clip that a window's size must leave room for, before the window is made smaller
SLICES = 0.15  # of the budget, at most, for x-t slices
SLICE_FRAMES = 240  # that a slice shows at most
LOOKED_AT = 6  # frames a clip that decide on the window
LOOKED_AT_PIXELS = 12_000_000  # what these may hold in memory, each source


@dataclass(frozen=True)
class Budget:
    """What pictures may take: bytes in the page, frames a clip, and the window (height, width) if it is given."""

    bytes: int
    frames: int | None = None
    window: tuple[int, int] | None = None


@dataclass(frozen=True)
class Look:
    """What a first look at a clip tells."""

    spread: np.ndarray  # see regions.difference
    cost: float  # bytes in the page for one pixel of the window, over all sources
    middle: np.ndarray  # one whole frame


@dataclass(frozen=True)
class Choice:
    """What is shown of one clip."""

    box: regions.Box
    frames: list[int]
    slice_frames: int  # 0: no slice
    row: int  # of the slice
    middle: np.ndarray  # one whole frame


def choose(materials: list[Material], records: list[dict], budget: Budget) -> list[Choice | None]:
    """Look at every clip and share the budget out. None: nothing of a clip can be shown.

    Sources that cannot be read become absent, with the reason.
    """
    if budget.bytes <= 0:
        return [None] * len(materials)
    looks = [look(material) for material in materials]
    boxes = _windows(materials, looks, budget)
    frames = _frames(materials, records, looks, boxes, budget)
    room = budget.bytes * SLICES
    found: list[Choice | None] = []
    for material, seen, box, chosen in zip(materials, looks, boxes, frames):
        if seen is None:
            found.append(None)
            continue
        length = min(material.frames, SLICE_FRAMES) if material.frames >= 3 else 0
        price = length * box[2] * seen.cost
        if price > room:
            length = price = 0
        room -= price
        found.append(Choice(box, chosen, length, regions.row(seen.spread, box), seen.middle))
    return found


def look(material: Material) -> Look | None:
    """Read every source once: choose by a few frames, and find out what cannot be read. None: nothing can be shown."""
    few = max(1, min(LOOKED_AT, LOOKED_AT_PIXELS // (material.size[0] * material.size[1]), material.frames))
    chosen = sorted({round(index) for index in np.linspace(0, material.frames - 1, few)})
    kept: dict[str, dict[int, np.ndarray]] = {}
    for source, read in list(material.sources.items()):
        size = material.lr_size if source == LR else material.size
        try:
            kept[source] = {i: frame for i, frame in _checked(read(), material.frames, size) if i in chosen}
        except (ValueError, OSError) as error:
            material.drop(source, one_line(error))
    if not material.full_size:
        return None
    methods = [source for source in material.full_size if source != GT]
    compared = methods if len(methods) > 1 else material.full_size
    spread = np.mean([regions.difference([kept[s][index] for s in compared]) for index in chosen], axis=0)
    middle = chosen[len(chosen) // 2]
    sample = regions.window(spread, material.size, (272, 480), material.scale)
    low = regions.lr_box(sample, material.scale, material.lr_size)
    size = sum(
        len(webp(regions.cut(frames[middle], low if source == LR else sample))) for source, frames in kept.items()
    )
    whole = kept[GT if GT in kept else compared[0]][middle]
    return Look(spread, TEXT * size / (sample[2] * sample[3]), whole)


def _checked(frames: Iterator[np.ndarray], due: int, size: tuple[int, int]) -> Iterator[tuple[int, np.ndarray]]:
    count = 0
    for count, frame in enumerate(frames, 1):
        if frame.shape[:2] != size:
            raise ValueError(f"its frames are {frame.shape[1]}x{frame.shape[0]}, not {size[1]}x{size[0]}")
        yield count - 1, frame
    if count != due:
        raise ValueError(f"there are {count} frames where {due} were measured")


def _windows(materials: list[Material], looks: list[Look | None], budget: Budget) -> list[regions.Box | None]:
    """The largest window with which enough frames of every clip fit."""
    boxes: list[regions.Box | None] = []
    for largest in (budget.window,) if budget.window else LARGEST:
        boxes = [
            regions.window(seen.spread, material.size, largest, material.scale) if seen else None
            for material, seen in zip(materials, looks)
        ]
        needed = sum(
            box[2] * box[3] * seen.cost * min(material.frames, ENOUGH, budget.frames or ENOUGH)
            for material, seen, box in zip(materials, looks, boxes)
            if seen
        )
        if needed <= budget.bytes * (1 - SLICES):
            break
    return boxes


def _frames(
    materials: list[Material],
    records: list[dict],
    looks: list[Look | None],
    boxes: list[regions.Box | None],
    budget: Budget,
) -> list[list[int]]:
    """The frames of each clip that get pictures: one of every clip, the worst lists, then round after round."""
    order = [wanted([r for r in records if (r["data"], r["clip"]) == (m.data, m.clip)], m.frames) for m in materials]
    number = {(material.data, material.clip): index for index, material in enumerate(materials)}
    queue = [(index, frames[0]) for index, frames in enumerate(order)]
    for metric in metrics_of(records):
        for method in (None, *dict.fromkeys(record["method"] for record in records)):
            found = worst([r for r in records if method in (None, r["method"])], metric)
            queue += [(number[bad.data, bad.clip], bad.frame) for bad in found if (bad.data, bad.clip) in number]
    for turn in range(max(map(len, order), default=0)):
        queue += [(index, frames[turn]) for index, frames in enumerate(order) if turn < len(frames)]
    chosen: list[list[int]] = [[] for _ in materials]
    room = budget.bytes * (1 - SLICES)
    for index, frame in dict.fromkeys(queue):
        if looks[index] is None or len(chosen[index]) >= (budget.frames or materials[index].frames):
            continue
        price = boxes[index][2] * boxes[index][3] * looks[index].cost
        if price <= room:
            chosen[index].append(frame)
            room -= price
    return [sorted(frames) for frames in chosen]
