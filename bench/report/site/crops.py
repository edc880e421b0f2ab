"""Crops of one board: the same places of all methods and GT, side by side at 4x; within a budget of bytes."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from markupsafe import Markup

from bench.report.page import html, regions
from bench.report.page.encode import TEXT, webp
from bench.report.page.material import GT, Material, Read, sr
from bench.report.site.boards import Board

SIDE, PLACES = 80, 3
Materials = Mapping[str, Mapping[tuple[str, str], Material]]
"""The frames of runs whose frames can be read: run -> (data, clip) -> material."""
Crop = tuple[int, int]
"""(frame, number of the place)."""


@dataclass
class ClipCrops:
    """Pictures of one clip: for each crop and each source (a method's label, or GT) a lossless WebP."""

    name: str
    size: tuple[int, int]  # (height, width) of a frame
    boxes: list[regions.Box]
    pictures: dict[Crop, dict[str, bytes]] = field(default_factory=dict)
    order: list[Crop] = field(default_factory=list)  # by priority


def of_board(board: Board, materials: Materials) -> list[ClipCrops]:
    """The crops of every clip of which some frames can be read; of GT, then of the methods in the board's order."""
    found = []
    for clip in dict.fromkeys((record.data, record.clip) for record in board.records):
        sources: dict[str, Read] = {}
        size, frames, scale = (0, 0), 0, 1
        for record, label in zip(board.originals, board.records, strict=True):
            material = materials.get(label.run, {}).get(clip)
            if material is None or (record.data, record.clip) != clip or sr(record.method) not in material.sources:
                continue
            sources[label.method] = material.sources[sr(record.method)]
            size, frames, scale = material.size, material.frames, material.scale
            if GT in material.sources:
                sources.setdefault("GT", material.sources[GT])
        if sources:
            found.append(_of_clip(clip[1], sources, size, frames, scale))
    return [each for each in found if each.pictures]


def _of_clip(name: str, sources: dict[str, Read], size: tuple[int, int], frames: int, scale: int) -> ClipCrops:
    """Places where the versions of the middle frame differ most; in the middle, the first and the last frame."""
    middle = frames // 2
    there = {source: frame for source, read in sources.items() for _, frame in _frames(read, [middle])}
    found = ClipCrops(name, size, _boxes(list(there.values()), size, scale) if there else [])
    chosen = list(dict.fromkeys((middle, 0, frames - 1)))
    found.order = [(frame, place) for place in range(len(found.boxes)) for frame in chosen]
    for source in sorted(there, key=lambda source: source != "GT"):
        for index, frame in _frames(sources[source], chosen):
            for place, box in enumerate(found.boxes):
                found.pictures.setdefault((index, place), {})[source] = webp(regions.cut(frame, box))
    return found


def _frames(read: Read, wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """The wanted frames of a source with their numbers; ends early where it cannot be read."""
    try:
        for index, frame in enumerate(read()):
            if index in wanted:
                yield index, frame
            if index >= max(wanted):
                return
    except (ValueError, OSError):  # removed since it was looked up
        return


def _boxes(versions: list[np.ndarray], size: tuple[int, int], scale: int) -> list[regions.Box]:
    """Up to three windows that differ most, one after the other, none twice."""
    spread = regions.difference(versions)
    found: list[regions.Box] = []
    for _ in range(PLACES):
        box = regions.window(spread, size, (SIDE, SIDE), scale)
        if box in found:
            break
        found.append(box)
        x, y, width, height = (side // regions.BLOCK for side in box)
        spread[y : y + height, x : x + width] = 0
    return found


def within(clips: Sequence[ClipCrops], budget: float) -> list[ClipCrops]:
    """Keep as many crops as the budget of bytes allows, one of each clip in turn."""
    left = budget
    kept: dict[int, list[Crop]] = {index: [] for index in range(len(clips))}
    for turn in range(max((len(clip.order) for clip in clips), default=0)):
        for index, clip in enumerate(clips):
            if turn < len(clip.order) and clip.order[turn] in clip.pictures:
                price = TEXT * sum(map(len, clip.pictures[clip.order[turn]].values()))
                if price <= left:
                    left -= price
                    kept[index].append(clip.order[turn])
    found = [replace(c, pictures={k: c.pictures[k] for k in kept[index]}) for index, c in enumerate(clips)]
    return [each for each in found if each.pictures]


def data(clips: Sequence[ClipCrops], methods: Sequence[str]) -> Markup:
    """Data of the page's script."""
    content = {
        "sources": ["GT", *methods],
        "clips": [
            {
                "name": clip.name,
                "size": [clip.size[1], clip.size[0]],
                "boxes": clip.boxes,
                "crops": [
                    [
                        frame,
                        place,
                        {s: base64.b64encode(p).decode("ascii") for s, p in clip.pictures[frame, place].items()},
                    ]
                    for frame, place in sorted(clip.pictures)
                ],
            }
            for clip in clips
        ],
    }
    return html.json_data(content)
