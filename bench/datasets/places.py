"""The places where a set's clips may be: layouts under a root, such as "GT/{clip}" or "LQ-Video/{clip}.mkv"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.datasets.layout import ClipOnDisk, is_video_file
from frames.listing import entries, is_image, is_video, natural_key

CLIP = "{clip}"
PACK_GT = ("GT/{clip}", "GT-Video/{clip}.mkv")
PACK_LQ = ("LQ/{clip}", "LQ-Video/{clip}.mkv")
"""The pack of test sets that DOVE (NeurIPS 2025) shares: frames, and the same losslessly as videos."""


@dataclass(frozen=True)
class LocatedClip:
    """A clip on disk, and the layout under which it was found."""

    clip: ClipOnDisk
    layout: str

    @property
    def kind(self) -> str:
        """The layout without the clip's name: "LQ", "blur4"; empty if the layout is that name alone."""
        return "/".join(part for part in Path(self.layout).parts if CLIP not in part)


def locate(root: Path, layouts: Iterable[str], words: Mapping[str, str]) -> LocatedClip | None:
    """The place of a clip under the first layout where it exists; `words` fill in the layouts."""
    for layout in layouts:
        path = root / layout.format(**words)
        if path.is_file() if is_video(Path(layout)) else path.is_dir():
            return LocatedClip(ClipOnDisk(path), layout.replace("{scale}", words["scale"]))
    return None


def clips_found(root: Path, layouts: Iterable[str]) -> list[str]:
    """The names of all clips under a root in any of the layouts, in natural order."""
    found: set[str] = set()
    for layout in layouts:
        at = next(index for index, part in enumerate(Path(layout).parts) if CLIP in part)
        for path in root.glob(layout.replace(CLIP, "*")):
            part = path.relative_to(root).parts[at]
            if not part.startswith(".") and (is_video_file(path) or _has_images(path)):
                found.add(Path(part).stem if is_video_file(path) else part)
    return sorted(found, key=lambda name: natural_key(Path(name)))


def _has_images(path: Path) -> bool:
    return path.is_dir() and any(map(is_image, entries(path)))
