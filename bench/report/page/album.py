"""The pictures of a page: windows of frames, x-t slices, worst places; lossless, with a line on those left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from bench.report.page import places, regions
from bench.report.page.choose import Choice, PictureBudget, choose, look
from bench.report.page.encode import TEXT, Pictures, webp
from bench.report.page.material import LR, Material
from bench.report.page.places import WorstFrame
from bench.report.page.progress import shown
from bench.store.record import Record
from frames.errors import one_line


@dataclass(frozen=True)
class Album:
    """Data of the page's script: pictures as base64, and a description of each clip that points at them."""

    pictures: list[str]
    clips: list[dict]
    places: list[dict]  # see `WorstPlace.described`
    notes: list[str]
    place_of: dict[WorstFrame, int]  # index in `places`


@dataclass
class _Encoded:
    """A clip's pictures as WebP."""

    frames: dict[str, dict[int, bytes]] = field(default_factory=dict)  # source -> frame -> picture
    slices: dict[str, bytes] = field(default_factory=dict)
    overview: bytes | None = None

    @property
    def size(self) -> int:
        frames = sum(len(picture) for found in self.frames.values() for picture in found.values())
        return frames + sum(map(len, self.slices.values())) + len(self.overview or b"")


def build(materials: list[Material], records: list[Record], budget: PictureBudget, find: places.Find) -> Album:
    """Choose and encode the pictures of all clips within the budget.

    Nothing is compressed with loss: frames that do not fit are left out. Sources that cannot be read become absent,
    with the reason. The choice rests on an estimate of sizes; if that was too low, the frames chosen last are dropped.

    Args:
        find: the search for the worst place of a metric.
    """
    if budget.bytes <= 0:
        described = [_described(material, None) for material in materials]
        return Album([], described, [], ["No pictures: the budget is 0."], {})
    looks = [look(material) for material in shown(materials, "frames")]
    worst = places.find_all(materials, records, find, budget.bytes * places.SHARE)
    budget = replace(budget, bytes=budget.bytes - sum(place.size for place in worst.values()))
    choices, order = choose(materials, looks, records, budget)
    encoded = [_encoded(material, choice) for material, choice in shown(list(zip(materials, choices)), "pictures")]
    total = sum(each.size for each in encoded)
    while order and TEXT * total > budget.bytes:
        clip, frame = order.pop()
        total -= sum(len(frames[frame]) for frames in encoded[clip].frames.values())
        if (choice := choices[clip]) is not None:
            choice.frames.remove(frame)
    for choice, kept in zip(choices, encoded):
        if choice and not kept.frames:
            choice.frames.clear()  # all were removed since the first look
    pictures, clips = Pictures(), []
    for material, choice, kept in zip(materials, choices, encoded):
        clips.append(_described(material, choice))
        if choice:
            _place(choice, kept, clips[-1], pictures)
    spots = [place.described(pictures) for place in worst.values()]
    place_of = {worst_frame: index for index, worst_frame in enumerate(worst)}
    return Album(pictures.texts, clips, spots, _notes(clips), place_of)


def _described(material: Material, choice: Choice | None) -> dict:
    box = choice.box if choice else None
    low = regions.lr_box(box, material.scale, material.lr_size) if box else None
    return {
        "data": material.data,
        "clip": material.clip,
        "frames": material.frames,
        "scale": material.scale,
        "size": [material.size[1], material.size[0]],
        "box": box,
        "lrBox": low,
        "shown": choice.frames if choice else [],
        "pictures": {},
        "slice": None,
        "overview": None,
        "absent": dict(sorted(material.absent.items())),
    }


def _encoded(material: Material, choice: Choice | None) -> _Encoded:
    """Read each source again: the windows of the chosen frames, and the rows of the slice."""
    found = _Encoded()
    if choice is None or not (choice.frames or choice.slice_frames):
        return found
    box, low = choice.box, regions.lr_box(choice.box, material.scale, material.lr_size)
    chosen = set(choice.frames)
    last = max([*chosen, choice.slice_frames - 1])
    for source, read in list(material.sources.items()):
        inside, line = (low, choice.row // material.scale) if source == LR else (box, choice.row)
        rows, found.frames[source] = [], {}
        try:
            for index, frame in zip(range(last + 1), read()):  # those behind were read at the first look
                if index in chosen:
                    found.frames[source][index] = webp(regions.cut(frame, inside))
                if index < choice.slice_frames:
                    rows.append(frame[line, inside[0] : inside[0] + inside[2]].copy())  # a view would keep the frame
        except (ValueError, OSError) as error:  # removed since the first look
            found.frames.pop(source)
            material.drop(source, one_line(error))
            continue
        if rows:
            found.slices[source] = webp(np.stack(rows))
    if (box[2], box[3]) != (material.size[1], material.size[0]):
        found.overview = webp(choice.overview)
    return found


def _place(choice: Choice, kept: _Encoded, entry: dict, pictures: Pictures) -> None:
    """Add a clip's pictures to the page, and their numbers to the clip's entry."""
    for source, frames in kept.frames.items():
        entry["pictures"][source] = {index: pictures.add(frames[index]) for index in choice.frames}
    if kept.slices:
        numbers = {source: pictures.add(strip) for source, strip in kept.slices.items()}
        entry["slice"] = {"row": choice.row, "frames": choice.slice_frames, "pictures": numbers}
    if kept.overview and choice.frames:
        entry["overview"] = pictures.add(kept.overview)


def _notes(clips: list[dict]) -> list[str]:
    """Notes on the pictures, for readers of the page."""
    frames, shown = sum(clip["frames"] for clip in clips), sum(len(clip["shown"]) for clip in clips)
    notes = [f"{shown} of {frames} frames have pictures; lossless (WebP), pixel by pixel as scored."]
    partly = [clip for clip in clips if 0 < len(clip["shown"]) < clip["frames"]]
    if partly:
        counts = _some([f"{clip['clip']} {len(clip['shown'])} of {clip['frames']}" for clip in partly])
        notes.append(f"Not all frames fit, {counts}. Chosen: the worst by each metric, then an even spread.")
    cropped = [clip for clip in clips if clip["box"] and clip["shown"] and list(clip["box"][2:]) != clip["size"]]
    if cropped:
        sizes = _some([f"{clip['box'][2]}×{clip['box'][3]} of {clip['size'][0]}×{clip['size'][1]}" for clip in cropped])
        notes.append(
            f"Windows, not whole frames ({sizes}), placed where the methods differ most: not a fair sample of a frame."
        )
    for reason, names in _by_reason(clips).items():
        notes.append(f"Not shown: {_some(names)}: {reason}.")
    return notes


def _by_reason(clips: list[dict]) -> dict[str, list[str]]:
    """Reason -> what is absent for it: `GT of city`, `bicubic of city`."""
    found: dict[str, list[str]] = {}
    for clip in clips:
        for source, reason in clip["absent"].items():
            name = source.removeprefix("sr:") if source.startswith("sr:") else source.upper()
            found.setdefault(reason, []).append(f"{name} of {clip['clip']}")
        if not clip["shown"] and clip["box"]:
            found.setdefault("there was no room in the budget", []).append(clip["clip"])
    return found


def _some(names: list[str], shown: int = 8) -> str:
    """The first few of a list, and the number of the others."""
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
