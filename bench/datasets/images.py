"""Photographs as clips of one frame, brought to one size."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from bench.datasets.clip import Clip, Description, build_clip
from bench.datasets.options import first_frames, path_of, rate, selected
from bench.datasets.sources import FrameSource, ImageFiles, Mapped
from bench.datasets.verify import image_problems
from frames.degradations import Degradation
from frames.images import Size, image_size
from frames.listing import images_in
from frames.resize import bicubic_shrink

log = logging.getLogger(__name__)


class Images:
    """A folder of photographs; each is a clip of one frame, named like its file.

    With `size`, a photograph is shrunk (bicubic, antialiased; the aspect ratio is kept) until it just covers the size,
    then cropped to it around its centre; it is never enlarged. A photograph that is too small, or whose header cannot
    be read, is left out with a warning; it stays in `expected`, and `left_out` says why. The result is the GT; LR is
    made from it by the degradation.

    Args:
        name, domain: as in the config.
        root: the folder.
        size: (width, height) of GT in pixels; None: each photograph's own.
        scale: LR to GT.
        degradation: makes LR.
        frames: at least 1, as for other sets; a photograph has just one.
        clips: only these (file names without suffix); None: all.
        fps: for records and videos only.
    """

    def __init__(
        self,
        *,
        name: str,
        domain: str,
        root: str,
        size: Iterable[int] | None,
        scale: int,
        degradation: Degradation,
        frames: int | None = None,
        clips: Iterable[str] | None = None,
        fps: float = 24.0,
    ) -> None:
        self.name, self.domain, self.root = name, domain, Path(str(root))  # checked where it is used
        self.left_out: dict[str, str] = {}
        self._size, self._scale, self._degradation = size, scale, degradation
        self._given_root, self._frames, self._wanted, self._fps = root, frames, clips, fps

    @property
    def expected(self) -> list[str]:
        """The photographs found (errors as `clips`)."""
        return selected(self._photographs(), self._wanted, self.name)

    def clips(self) -> list[Clip]:
        """The photographs that are large enough; see `bench.datasets.clip.Dataset`."""
        photographs = self._photographs()
        first_frames(range(1), self._frames)
        fps = rate(self._fps)
        clips = []
        self.left_out = {}
        for name in selected(photographs, self._wanted, self.name):
            try:
                clips.append(self._clip(name, photographs[name], fps))
            except (ValueError, FileNotFoundError) as error:
                self.left_out[name] = str(error)
                log.warning("left out: %s", error)
        if not clips:
            first = next(iter(self.left_out.values()))
            raise ValueError(f"{self.root}: none of {len(self.left_out)} can be used; {first}")
        return clips

    def describe(self) -> Description:
        size = self._target()
        wanted = f"of at least {size[1]}x{size[0]}" if size else "of any size"
        how = f"put photographs {wanted} into a folder and give data.root=FOLDER"
        return Description(self.name, str(self.root), "yours", how)

    def problems(self) -> Iterator[str]:
        """Decode every photograph and yield what is wrong, one line each."""
        photographs = self._photographs()
        for name in selected(photographs, self._wanted, self.name):
            found = list(image_problems(photographs[name]))
            yield from found
            if not found:
                try:
                    self._check(photographs[name], image_size(photographs[name]))
                except ValueError as error:
                    yield str(error)

    def _photographs(self) -> dict[str, Path]:
        path_of(self._given_root, "data.root")
        try:
            paths = images_in(self.root)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{self.name} is not at {self.root} (looked for photographs as *.png, *.jpg, *.bmp in that folder); "
                f"{self.describe().how_to_get}"
            ) from None
        found: dict[str, Path] = {}
        for path in paths:
            if path.stem in found:
                raise ValueError(f"{path}: {found[path.stem].name} beside it has the same name; rename one")
            found[path.stem] = path
        return found

    def _target(self) -> Size | None:
        if self._size is None:
            return None
        size = list(self._size) if isinstance(self._size, Iterable) else [self._size]
        if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
            raise ValueError(f"data.size={self._size}: it is [width,height] in pixels, or null")
        return size[1], size[0]

    def _check(self, path: Path, size: Size) -> None:
        target = self._target()
        if target and (size[0] < target[0] or size[1] < target[1]):
            raise ValueError(
                f"{path}: {size[1]}x{size[0]} is smaller than {target[1]}x{target[0]} and photographs are not "
                "enlarged; take it out of the folder or give a smaller data.size"
            )

    def _clip(self, name: str, path: Path, fps: float) -> Clip:
        size = image_size(path)
        self._check(path, size)
        gt: FrameSource = ImageFiles((path,), size)
        target = self._target()
        if target and target != size:
            gt = Mapped(gt, lambda frame: cover(frame, target), target)
        return build_clip(name, scale=self._scale, fps=fps, gt=gt, lr=None, degradation=self._degradation)


def cover(frame: np.ndarray, size: Size) -> np.ndarray:
    """Shrink a uint8 (H, W, 3) frame until it just covers `size` = (height, width), then crop around the centre."""
    height, width = size
    ratio = max(height / frame.shape[0], width / frame.shape[1])
    # The side that decides comes out exact; the other is rounded, and never below the target.
    shrunk = bicubic_shrink(
        frame,
        max(height, min(frame.shape[0], math.floor(frame.shape[0] * ratio + 0.5))),
        max(width, min(frame.shape[1], math.floor(frame.shape[1] * ratio + 0.5))),
    )
    top, left = (shrunk.shape[0] - height) // 2, (shrunk.shape[1] - width) // 2
    return np.ascontiguousarray(shrunk[top : top + height, left : left + width])
