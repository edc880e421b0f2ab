"""Frames or videos of one's own, with or without ground truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.datasets import LAYOUTS, NOWHERE
from bench.datasets.clip import Clip, Description, build_clip
from bench.datasets.layout import capped, check_pairing, selected
from bench.datasets.sources import FrameSource, VideoFrames, image_files
from bench.datasets.verify import decoding_problems, numbering_problems, video_problems
from frames.degradations import Degradation
from frames.listing import entries, images_in, is_image, is_video
from frames.video import video_info


class Folder:
    """Clips found in folders: LR under `root`, GT under `gt`; with `gt` alone LR is made by the degradation.

    Each of the two is a video, a folder of frames (one clip named like the folder), a folder of such folders, or a
    folder of videos. LR and GT clips go together by name; where each side has just one clip, names do not matter.

    Args:
        name, domain: as in the config.
        root: LR; None: made from GT.
        gt: GT; None: there is no ground truth.
        scale: LR to GT.
        degradation: makes LR where it is not given.
        frames: the first that many of each clip; None: all.
        clips: only these; None: all.
        fps: frames per second; None: a video's own, 24 for folders of frames.
    """

    def __init__(
        self,
        *,
        name: str,
        domain: str,
        root: str | None,
        gt: str | None,
        scale: int,
        degradation: Degradation | None,
        frames: int | None = None,
        clips: Iterable[str] | None = None,
        fps: float | None = None,
    ) -> None:
        self.name, self.domain = name, domain
        self.root = None if root is None else Path(root)
        self._gt_root = None if gt is None else Path(gt)
        self._scale, self._degradation, self._frames, self._wanted, self._fps = scale, degradation, frames, clips, fps

    @property
    def expected(self) -> list[str]:
        """The clips found (errors as `clips`)."""
        return selected(self._pairs(), self._wanted, self.name)

    def clips(self) -> list[Clip]:
        """The clips found; see `bench.datasets.clip.Dataset`."""
        pairs = self._pairs()
        return [self._clip(name, *pairs[name]) for name in selected(pairs, self._wanted, self.name)]

    def describe(self) -> Description:
        sides = [f"LR {self.root}"] * (self.root is not None) + [f"GT {self._gt_root}"] * (self._gt_root is not None)
        return Description("folder", ", ".join(sides) or NOWHERE, "yours", f"give data.root=LR, data.gt=GT: {LAYOUTS}")

    def problems(self) -> Iterator[str]:
        """Decode every frame of LR and GT and yield what is wrong, one line each."""
        for name, (lr, gt) in self._pairs().items():
            if lr is not None and gt is not None and lr.count() != gt.count():
                yield f"{name}: {lr.path} has {lr.count()} frames, {gt.path} has {gt.count()}"
            for found in (lr, gt):
                if found is not None:
                    yield from found.problems()

    def _pairs(self) -> dict[str, tuple[_Found | None, _Found | None]]:
        """Clip -> (LR, GT), either may be None."""
        if self.root is None and self._gt_root is None:
            raise ValueError(f"data={self.name} needs data.root (LR), data.gt (GT), or both: each {LAYOUTS}")
        lr = None if self.root is None else _find(self.root, "data.root")
        gt = None if self._gt_root is None else _find(self._gt_root, "data.gt")
        if gt is None:
            return {name: (found, None) for name, found in lr.items()}
        if lr is None:
            return {name: (None, found) for name, found in gt.items()}
        if len(lr) == len(gt) == 1:
            (name, truth), (low,) = next(iter(gt.items())), lr.values()
            return {name: (low, truth)}
        for name in sorted(lr.keys() ^ gt.keys()):
            have, lack = (self.root, self._gt_root) if name in lr else (self._gt_root, self.root)
            raise ValueError(f"clip {name} is in {have} but not in {lack}; LR and GT clips go together by name")
        return {name: (lr[name], gt[name]) for name in gt}

    def _clip(self, name: str, lr: _Found | None, gt: _Found | None) -> Clip:
        if lr is not None and gt is not None:
            if not lr.video and not gt.video:
                check_pairing(lr.images(), gt.images())
            elif lr.count() != gt.count():
                raise ValueError(
                    f"LR and GT differ in frames: {lr.path} has {lr.count()}, {gt.path} has {gt.count()}; "
                    "cut them to the same frames"
                )
        fps = self._fps or next((found.fps() for found in (lr, gt) if found is not None and found.video), 24.0)
        return build_clip(
            name,
            scale=self._scale,
            fps=float(fps),
            gt=None if gt is None else gt.source(self._frames),
            lr=None if lr is None else lr.source(self._frames),
            degradation=self._degradation,
        )


@dataclass(frozen=True)
class _Found:
    """One clip on disk: a video, one image, or a folder of images."""

    path: Path

    @property
    def video(self) -> bool:
        return is_video(self.path)

    def images(self) -> list[Path]:
        return images_in(self.path) if self.path.is_dir() else [self.path]

    def count(self) -> int:
        return video_info(self.path).frames if self.video else len(self.images())

    def fps(self) -> float:
        return video_info(self.path).fps

    def source(self, frames: int | None) -> FrameSource:
        if not self.video:
            return image_files(capped(self.images(), frames))
        info = video_info(self.path)
        used = len(capped(range(info.frames), frames))
        return VideoFrames(self.path, (info.height, info.width), used)

    def problems(self) -> Iterator[str]:
        if self.video:
            yield from video_problems(self.path)
        elif self.path.is_dir():
            yield from numbering_problems(self.path)
            yield from decoding_problems(self.path)


def _find(path: Path, option: str) -> dict[str, _Found]:
    if path.is_file() and (is_video(path) or is_image(path)):
        return {path.stem: _Found(path)}
    if not path.exists():
        raise FileNotFoundError(f"{path}: not there; {option} is {LAYOUTS}")
    inside = entries(path)
    videos = [entry for entry in inside if is_video(entry)]
    folders = [entry for entry in inside if entry.is_dir() and any(is_image(file) for file in entries(entry))]
    images = any(is_image(entry) for entry in inside)
    if (len(videos) > 0) + (len(folders) > 0) + images > 1:
        raise ValueError(f"{path}: frames, folders of frames and videos side by side; {option} is {LAYOUTS}")
    if images:
        return {path.resolve().name: _Found(path)}
    if not videos and not folders:
        raise ValueError(f"{path}: there are no frames and no videos in it; {option} is {LAYOUTS}")
    found: dict[str, _Found] = {}
    for entry in videos or folders:
        name = entry.stem if videos else entry.name
        if name in found:
            raise ValueError(f"{path}: {found[name].path.name} and {entry.name} would both be clip {name}; rename one")
        found[name] = _Found(entry)
    return found
