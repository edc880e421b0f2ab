"""The user's own frames or videos, with or without ground truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.datasets import LAYOUTS, NOWHERE, lr_set
from bench.datasets.clip import Clip, Description, build_clip, build_clips, size_complaint
from bench.datasets.layout import ClipOnDisk, check_together, find_clips
from bench.datasets.options import first_frames, path_of, rate, selected
from frames.degradations import Degradation

Sides = tuple[ClipOnDisk | None, ClipOnDisk | None]
"""LR and GT of one clip; either may be None, not both."""


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
        frames: number of frames to use of each clip; None: all.
        clips: names of the clips to use; None: all.
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
        self._roots = {"data.root": root, "data.gt": gt}
        self._scale, self._degradation, self._frames, self._wanted, self._fps = scale, degradation, frames, clips, fps

    @property
    def expected(self) -> list[str]:
        """The clips found (errors as `clips`)."""
        return selected(self._pairs(), self._wanted, self.name)

    def clips(self) -> list[Clip]:
        """The clips found; see `bench.datasets.clip.Dataset`."""
        pairs = self._pairs()
        first_frames((), self._frames)
        names = selected(pairs, self._wanted, self.name)
        return build_clips(names, lambda name: self._clip(name, pairs[name]), self._scale)

    def describe(self) -> Description:
        sides = [f"{side} {path}" for side, path in zip(("LR", "GT"), self._roots.values()) if path is not None]
        return Description("folder", ", ".join(sides) or NOWHERE, "yours", f"give data.root=LR, data.gt=GT: {LAYOUTS}")

    def problems(self) -> Iterator[str]:
        """Decode every frame of LR and GT and yield what is wrong, one line each."""
        pairs = self._pairs()
        for root in self._roots.values():
            if root is not None:
                yield from lr_set.problems(path_of(root, "data.root"))
        for name in selected(pairs, self._wanted, self.name):
            found = list(self._problems(name, pairs[name]))
            yield from found
            if not found:  # faults of the pair
                try:
                    self._clip(name, pairs[name])
                except (ValueError, FileNotFoundError) as error:
                    yield str(error)

    def _problems(self, name: str, sides: Sides) -> Iterator[str]:
        lr, gt = sides
        try:
            if lr is not None and gt is not None and lr.count() != gt.count():
                yield f"{name}: {lr.path} has {lr.count()} frames, {gt.path} has {gt.count()}"
        except (ValueError, FileNotFoundError):
            pass  # reported below
        for side in sides:
            if side is not None:
                yield from side.problems()
        try:
            if lr is not None and gt is not None:
                complaint = size_complaint(lr.path, lr.size(), gt.path, gt.size(), self._scale)
                if complaint:
                    yield complaint
        except (ValueError, FileNotFoundError):
            pass

    def _pairs(self) -> dict[str, Sides]:
        """LR and GT of each clip."""
        paths = {option: path_of(given, option) for option, given in self._roots.items() if given is not None}
        if not paths:
            raise ValueError(f"data={self.name} needs data.root (LR), data.gt (GT), or both: each {LAYOUTS}")
        found = {option: find_clips(path, option) for option, path in paths.items()}
        lr, gt = found.get("data.root"), found.get("data.gt")
        if lr is None or gt is None:
            return {name: (side, None) for name, side in (lr or {}).items()} | {
                name: (None, side) for name, side in (gt or {}).items()
            }
        if len(lr) == len(gt) == 1:
            (name, truth), (low,) = next(iter(gt.items())), lr.values()
            return {name: (low, truth)}
        for name in sorted(lr.keys() ^ gt.keys()):
            have, lack = ("data.root", "data.gt") if name in lr else ("data.gt", "data.root")
            raise ValueError(
                f"clip {name} is in {paths[have]} but not in {paths[lack]}; LR and GT clips go together by name"
            )
        return {name: (lr[name], gt[name]) for name in gt}

    def _clip(self, name: str, sides: Sides) -> Clip:
        lr, gt = sides
        if lr is not None and gt is not None:
            check_together(lr, gt)
        own = next((side.fps() for side in sides if side is not None and side.video), 24.0)
        return build_clip(
            name,
            scale=self._scale,
            fps=own if self._fps is None else rate(self._fps),
            gt=None if gt is None else gt.source(self._frames),
            lr=None if lr is None else lr.source(self._frames),
            degradation=self._degradation,
        )
