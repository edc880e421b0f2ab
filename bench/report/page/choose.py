"""The choice of pictures within a budget of bytes: windows, frames, x-t slices."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from bench.report.page import regions
from bench.report.page.encode import TEXT, webp
from bench.report.page.material import GT, LR, Material
from bench.report.page.order import metrics_of, wanted, worst_lists
from bench.store.record import Record
from frames.errors import one_line

LARGEST = ((8192, 8192), (720, 1280), (544, 960), (360, 640), (272, 480), (192, 320), (128, 224))  # (height, width)
ENOUGH = 5  # frames a clip that a window's size must leave room for, before the window is made smaller
SLICES = 0.15  # of the budget, at most, for x-t slices
SLICE_FRAMES = 240  # that a slice shows at most
LOOKED_AT = 6  # frames a clip that decide on the window
LOOKED_AT_PIXELS = 12_000_000  # of these frames together, for each source
OVERVIEW = 240  # pixels across


ClipFrame = tuple[int, int]
"""(number of the clip, index of the frame)."""


@dataclass(frozen=True)
class PictureBudget:
    """Limits of the pictures: bytes in the page, frames a clip, and the window (height, width) if it is given."""

    bytes: int
    frames: int | None = None
    window: tuple[int, int] | None = None


@dataclass(frozen=True)
class Look:
    """Results of a first look at a clip."""

    spread: np.ndarray  # see regions.difference
    cost: float  # bytes in the page for one pixel of the window, over all sources
    overview: np.ndarray  # one whole frame, small


@dataclass(frozen=True)
class Choice:
    """The pictures of one clip."""

    box: regions.Box
    frames: list[int]
    slice_frames: int  # 0: no slice
    row: int  # of the slice
    overview: np.ndarray  # one whole frame, small


def choose(
    materials: list[Material], looks: list[Look | None], records: list[Record], budget: PictureBudget
) -> tuple[list[Choice | None], list[ClipFrame]]:
    """Divide the budget: among windows, then slices, then frames.

    Returns:
        (what is shown of each clip, None: nothing; the chosen frames in the order in which they got room).
    """
    boxes = _windows(materials, looks, budget)
    room = budget.bytes * SLICES
    lengths = []
    for material, seen, box in zip(materials, looks, boxes):
        length = min(material.frames, SLICE_FRAMES) if seen and material.frames >= 3 else 0
        price = length * box[2] * seen.cost if seen and box else 0.0
        lengths.append(length if price <= room else 0)
        room -= price if price <= room else 0
    places = _frames(materials, records, looks, boxes, budget, room + budget.bytes * (1 - SLICES))
    choices: list[Choice | None] = []
    chosen: list[list[int]] = [[] for _ in materials]
    for clip, frame in places:
        chosen[clip].append(frame)
    for frames, seen, box, length in zip(chosen, looks, boxes, lengths):
        shown = (
            Choice(box, sorted(frames), length, regions.row(seen.spread, box), seen.overview) if seen and box else None
        )
        choices.append(shown)
    return choices, places


def look(material: Material) -> Look | None:
    """Read every source of a clip once, to compare a few frames and drop unreadable sources; None if all SR are."""
    few = max(1, min(LOOKED_AT, LOOKED_AT_PIXELS // max(1, material.size[0] * material.size[1]), material.frames))
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
    taken = sum(
        len(webp(regions.cut(frames[middle], low if source == LR else sample))) for source, frames in kept.items()
    )
    whole = kept[GT if GT in kept else compared[0]][middle]
    shrunk = (OVERVIEW, max(1, round(OVERVIEW * material.size[0] / material.size[1])))
    overview = cv2.resize(whole, shrunk, interpolation=cv2.INTER_AREA)
    return Look(spread, TEXT * taken / (sample[2] * sample[3]), overview)


def _checked(frames: Iterator[np.ndarray], due: int, size: tuple[int, int]) -> Iterator[tuple[int, np.ndarray]]:
    count = 0
    for count, frame in enumerate(frames, 1):
        if frame.shape[:2] != size:
            raise ValueError(f"its frames are {frame.shape[1]}x{frame.shape[0]}, not {size[1]}x{size[0]}")
        yield count - 1, frame
    if count != due:
        raise ValueError(f"there are {count} frames where {due} were measured")


def _windows(materials: list[Material], looks: list[Look | None], budget: PictureBudget) -> list[regions.Box | None]:
    """The largest windows with which enough frames of every clip fit: the costliest clip's is made smaller first."""
    sizes = (budget.window,) if budget.window else LARGEST
    step = [0] * len(materials)

    def window(index: int) -> regions.Box | None:
        material, seen = materials[index], looks[index]
        return regions.window(seen.spread, material.size, sizes[step[index]], material.scale) if seen else None

    def price(index: int) -> float:
        """Estimated bytes of one frame."""
        box, seen = boxes[index], looks[index]
        return box[2] * box[3] * seen.cost if seen and box else 0.0

    boxes = [window(index) for index in range(len(materials))]
    few = [min(material.frames, ENOUGH, budget.frames or ENOUGH) for material in materials]
    total = sum(price(index) * few[index] for index in range(len(materials)))
    can = [(-price(index), index) for index in range(len(materials)) if looks[index] and len(sizes) > 1]
    heapq.heapify(can)  # of equally costly clips the first
    while can and total > budget.bytes * (1 - SLICES):
        before, costliest = heapq.heappop(can)
        step[costliest] += 1
        boxes[costliest] = window(costliest)
        total += (price(costliest) + before) * few[costliest]
        if step[costliest] + 1 < len(sizes):
            heapq.heappush(can, (-price(costliest), costliest))
    return boxes


def _frames(
    materials: list[Material],
    records: list[Record],
    looks: list[Look | None],
    boxes: list[regions.Box | None],
    budget: PictureBudget,
    room: float,
) -> list[ClipFrame]:
    """The frames that get pictures: one of every clip, those of the worst lists, then one of every clip in turn."""
    of_clip: dict[tuple[str, str], list[Record]] = {material.place: [] for material in materials}
    for record in records:
        of_clip.get((record.data, record.clip), []).append(record)
    order = [wanted(of_clip[material.place], material.frames) for material in materials]
    number = {(material.data, material.clip): index for index, material in enumerate(materials)}
    queue = [(index, frames[0]) for index, frames in enumerate(order)]
    for metric in metrics_of(records):
        for found in worst_lists(records, metric).values():
            queue += [(number[bad.data, bad.clip], bad.frame) for bad in found if (bad.data, bad.clip) in number]
    for turn in range(max(map(len, order), default=0)):
        queue += [(index, frames[turn]) for index, frames in enumerate(order) if turn < len(frames)]
    chosen: list[ClipFrame] = []
    counts = [0] * len(materials)
    for index, frame in dict.fromkeys(queue):
        seen, box = looks[index], boxes[index]
        if seen is None or box is None or counts[index] >= (budget.frames or materials[index].frames):
            continue
        price = box[2] * box[3] * seen.cost
        if price <= room:
            chosen.append((index, frame))
            counts[index] += 1
            room -= price
    return chosen
