"""The pictures of a page: windows of frames and x-t slices, lossless, and a line on everything that is left out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bench.report.page import regions
from bench.report.page.choose import Budget, Choice, choose
from bench.report.page.encode import Pictures
from bench.report.page.material import LR, Material

OVERVIEW = 240  # pixels across


@dataclass(frozen=True)
class Album:
    """What the page's script reads: pictures as base64, and a description of each clip that points at them."""

    pictures: list[str]
    clips: list[dict]
    notes: list[str]


def build(materials: list[Material], records: list[dict], budget: Budget) -> Album:
    """Choose within the budget, read, encode.

    Nothing is compressed with loss: what does not fit is left out, frame by frame.
    """
    choices = choose(materials, records, budget)
    pictures = Pictures()
    clips = []
    for material, choice in zip(materials, choices):
        entry = _described(material, choice)
        if choice:
            _embed(material, choice, entry, pictures)
        clips.append(entry)
    return Album(pictures.texts, clips, _notes(clips, budget))


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


def _embed(material: Material, choice: Choice, entry: dict, pictures: Pictures) -> None:
    """Read each source again; add the windows of the chosen frames and the rows of the slice."""
    box, low = entry["box"], entry["lrBox"]
    row = choice.row
    strips: dict[str, int] = {}
    for source, read in material.sources.items():
        found, rows = {}, []
        inside, line = (low, row // material.scale) if source == LR else (box, row)
        for index, frame in enumerate(read()):
            if index in choice.frames:
                found[index] = pictures.add(regions.cut(frame, inside))
            if index < choice.slice_frames:
                rows.append(frame[line, inside[0] : inside[0] + inside[2]])
        entry["pictures"][source] = found
        if rows:
            strips[source] = pictures.add(np.stack(rows))
    if strips:
        entry["slice"] = {"row": row, "frames": choice.slice_frames, "pictures": strips}
    if (box[2], box[3]) != (material.size[1], material.size[0]) and choice.frames:
        shrunk = (OVERVIEW, max(1, round(OVERVIEW * material.size[0] / material.size[1])))
        entry["overview"] = pictures.add(cv2.resize(choice.middle, shrunk, interpolation=cv2.INTER_AREA))


def _notes(clips: list[dict], budget: Budget) -> list[str]:
    """What a reader must know of the pictures."""
    if budget.bytes <= 0:
        return ["No pictures: the budget is 0."]
    frames, shown = sum(clip["frames"] for clip in clips), sum(len(clip["shown"]) for clip in clips)
    notes = [f"{shown} of {frames} frames have pictures; lossless (WebP), pixel by pixel as scored."]
    partly = [clip for clip in clips if 0 < len(clip["shown"]) < clip["frames"]]
    if partly:
        counts = ", ".join(f"{clip['clip']} {len(clip['shown'])} of {clip['frames']}" for clip in partly)
        notes.append(f"Left out to keep the page small: {counts}. Chosen: the worst by each metric, then an even spread.")
    cropped = [clip for clip in clips if clip["box"] and clip["shown"] and list(clip["box"][2:]) != clip["size"]]
    if cropped:
        sizes = ", ".join(
            dict.fromkeys(
                f"{clip['box'][2]}×{clip['box'][3]} of {clip['size'][0]}×{clip['size'][1]}" for clip in cropped
            )
        )
        notes.append(
            f"Windows, not whole frames ({sizes}), placed where the methods differ most: not a fair sample of a frame."
        )
    for reason, names in _by_reason(clips).items():
        notes.append(f"Not shown: {', '.join(names)}: {reason}.")
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
