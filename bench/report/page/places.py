"""The worst place of each of the worst frames: a crop of SR and of GT there, and one row of both over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.report.page import regions
from bench.report.page.encode import TEXT, Pictures, webp
from bench.report.page.material import GT, Material, sr
from bench.report.page.order import WORST_SHOWN, Bad, Metric, metrics_of, worst_lists
from bench.report.page.progress import shown
from bench.store.record import Record

SIDE = 64  # pixels of a crop
SLICE_FRAMES = 64  # frames in a slice, around the worst one
SHARE = 0.25  # of the budget of all pictures, at most
_PACKED = 0.5  # size of a lossless picture over that of its pixels, as a first estimate

Pair = tuple[np.ndarray, np.ndarray | None]
"""SR and GT of one frame, uint8 (H, W, 3); GT None where there is none."""
Centre = Callable[[Pair, Pair | None, int], tuple[int, int]]
"""(the frame, the one after it, the scale) -> (x, y) of the worst place."""
Find = Callable[[str, int], tuple[str, Centre]]
"""(a metric's signature, its window) -> how its worst place is found, in words and as a function."""


@dataclass(frozen=True)
class WorstFrame:
    """A worst frame of which the worst place is wanted."""

    data: str
    clip: str
    frame: int
    method: str
    text: str  # how the place is found

    @classmethod
    def of(cls, bad: Bad, metric: Metric, find: Find) -> WorstFrame:
        return cls(bad.data, bad.clip, bad.frame, bad.method, find(metric.signature, metric.window)[0])


@dataclass
class WorstPlace:
    """A worst place and its pictures."""

    box: regions.Box
    first: int  # frame of the slices' first row
    crops: list[bytes] = field(default_factory=list)  # SR, then GT where there is one
    slices: list[bytes] = field(default_factory=list)  # of both, a row of pixels a frame; none of a still

    @property
    def size(self) -> int:
        """Bytes in the page."""
        return int(TEXT * sum(map(len, self.crops + self.slices)))

    def described(self, pictures: Pictures) -> dict:
        """A description for the page's script; adds the pictures to the page."""
        crops, slices = ([pictures.add(each) for each in some] for some in (self.crops, self.slices))
        return {"box": self.box, "first": self.first, "crops": crops, "slices": slices}


def find_all(materials: list[Material], records: list[Record], find: Find, room: float) -> dict[WorstFrame, WorstPlace]:
    """The places of the worst frames with their pictures, as many as there is room for, the worst first.

    Args:
        room: bytes in the page.
    """
    clips = {material.place: material for material in materials}
    wanted, estimate = [], 0.0
    for worst_frame, centre in _worst_frames(records, find).items():
        material = clips.get((worst_frame.data, worst_frame.clip))
        if material and sr(worst_frame.method) in material.sources:
            estimate += _estimate(material)
            if estimate > room:
                break
            wanted.append((worst_frame, centre))
    by_clip: dict[tuple[str, str], dict[str, list[tuple[WorstFrame, Centre]]]] = {}
    for each in wanted:
        clip = by_clip.setdefault((each[0].data, each[0].clip), {})
        clip.setdefault(each[0].method, []).append(each)
    found: dict[WorstFrame, WorstPlace] = {}
    for material in shown(materials, "worst places"):
        for method, here in by_clip.get(material.place, {}).items():
            found |= _of_cell(material, sr(method), here)
    kept: dict[WorstFrame, WorstPlace] = {}
    for worst_frame, _ in wanted:
        if worst_frame in found and found[worst_frame].size <= room:
            room -= found[worst_frame].size
            kept[worst_frame] = found[worst_frame]
    return kept


def _worst_frames(records: list[Record], find: Find) -> dict[WorstFrame, Centre]:
    """The worst frames in the order in which they get room: of all methods, then of each; by every metric in turn."""
    found: dict[WorstFrame, Centre] = {}
    worst_by = {metric: worst_lists(records, metric) for metric in metrics_of(records)}
    methods = dict.fromkeys(record.method for record in records)
    for among in ([None], list(methods)):
        lists = [(metric, bads[method]) for metric, bads in worst_by.items() for method in among]
        for rank in range(WORST_SHOWN):
            for metric, bads in lists:
                if rank < len(bads):
                    found.setdefault(WorstFrame.of(bads[rank], metric, find), find(metric.signature, metric.window)[1])
    return found


def _estimate(material: Material) -> float:
    """The approximate bytes in the page that a place takes."""
    rows = min(SIDE, material.size[0]) + min(SLICE_FRAMES, material.frames)
    return TEXT * _PACKED * 3 * min(SIDE, material.size[1]) * rows * (1 + (GT in material.sources))


def _of_cell(material: Material, source: str, wanted: list[tuple[WorstFrame, Centre]]) -> dict[WorstFrame, WorstPlace]:
    """The places of one method's frames of one clip; empty if frames can no longer be read."""
    try:
        centres = _centres(material, source, wanted)
        places = {worst_frame: _place(material, worst_frame.frame, centre) for worst_frame, centre in centres}
        for name in (source, *([GT] if GT in material.sources else [])):
            _take(material, name, places)
    except (ValueError, OSError):  # removed since the first look; reported where the frames are encoded
        return {}
    return places


def _centres(
    material: Material, source: str, wanted: list[tuple[WorstFrame, Centre]]
) -> Iterator[tuple[WorstFrame, tuple[int, int]]]:
    """The centre of each worst place; two frames are held at a time."""
    before: Pair | None = None
    for index, now in enumerate(_pairs(material, source)):
        for worst_frame, centre in wanted:
            if before is not None and worst_frame.frame == index - 1:
                yield worst_frame, centre(before, now, material.scale)
            if worst_frame.frame == index == material.frames - 1:
                yield worst_frame, centre(now, None, material.scale)
        before = now


def _pairs(material: Material, source: str) -> Iterator[Pair]:
    if GT in material.sources:
        yield from zip(material.sources[source](), material.sources[GT]())
    else:
        yield from ((frame, None) for frame in material.sources[source]())


def _place(material: Material, frame: int, centre: tuple[int, int]) -> WorstPlace:
    height, width = (min(SIDE, side) for side in material.size)
    corner = centre[0] - width // 2, centre[1] - height // 2
    box = regions.shifted((*corner, width, height), (0, 0, material.size[1], material.size[0]))
    return WorstPlace(box, min(max(0, frame - SLICE_FRAMES // 2), max(0, material.frames - SLICE_FRAMES)))


def _take(material: Material, source: str, places: dict[WorstFrame, WorstPlace]) -> None:
    """Add a source's crops and, unless the clip is a still, its middle rows over time."""
    rows: dict[WorstFrame, list[np.ndarray]] = {worst_frame: [] for worst_frame in places}
    for index, frame in enumerate(material.sources[source]()):
        for worst_frame, place in places.items():
            if index == worst_frame.frame:
                place.crops.append(webp(regions.cut(frame, place.box)))
            if 0 <= index - place.first < SLICE_FRAMES:
                x, y, width, height = place.box
                rows[worst_frame].append(frame[y + height // 2, x : x + width].copy())
    if material.frames > 1:
        for worst_frame, place in places.items():
            place.slices.append(webp(np.stack(rows[worst_frame])))
