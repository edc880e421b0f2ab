"""A clip: LR frames, GT frames if there are any, and facts about them for the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from bench.datasets.sources import (
    Degraded,
    FrameSource,
    Mapped,
    Unreadable,
    Wrapped,
    cropped,
    files_of,
    judged,
    made_lr,
    some_frames,
)
from frames.degradations import Degradation, Given, Seeded
from frames.degradations.given import NOT_MADE
from frames.images import Size


@dataclass(frozen=True)
class Clip:
    """One clip of a data set. Frames are read while they are iterated; each call of `lr` or `gt` reads anew.

    Sizes are (height, width); `gt_size` is exactly `scale` times `lr_size`: GT that is not a multiple of the scale is
    cropped at the bottom and the right ("mod-crop", as BasicSR does).
    """

    name: str
    frames: int
    fps: float
    scale: int
    lr_size: Size
    gt_size: Size | None
    lr_origin: str  # "given", "given (LQ)" where a set has several, or how it is made: "bi-x4 from GT"
    _lr: FrameSource = field(repr=False)
    _gt: FrameSource | None = field(repr=False)
    lr_made_with: str = ""  # versions of encoder and libraries that LR frames depend on; "": none
    refusal: str = ""  # why the clip cannot be used; it then has no frames, and reading them raises this

    @property
    def has_gt(self) -> bool:
        return self._gt is not None

    @property
    def files(self) -> tuple[Path, ...]:
        """The image files of the GT frames, or of the LR frames if there is no GT; empty for videos and made frames."""
        return files_of(self._lr if self._gt is None else self._gt)

    def lr(self) -> Iterator[np.ndarray]:
        """LR frames, uint8 (h, w, 3) RGB.

        Raises:
            ValueError: a data set of one's own gives other frames, or another number of them.
        """
        return _checked(iter(self._lr), self._lr.where, self.lr_size, self.frames)

    def lr_seeing_gt(self, see: Callable[[np.ndarray], None]) -> Iterator[np.ndarray]:
        """LR frames as of `lr`, with each GT frame shown to `see`: read once where the LR frames are made from it."""
        if self._gt is not None and isinstance(self._lr, Wrapped) and self._lr.source is self._gt:
            lr = replace(self._lr, source=Mapped(self._gt, partial(_shown, see), self._gt.size))
            return replace(self, _lr=lr).lr()
        for frame in self.gt():
            see(frame)
        return self.lr()

    def judged_lr(self) -> list[np.ndarray]:
        """The LR frames from which their degradation is estimated, see `frames.input_quality`."""
        return judged(self._lr)

    def gt(self, indices: range | None = None) -> Iterator[np.ndarray]:
        """GT frames, uint8 (scale*h, scale*w, 3) RGB; all of them, or those of some consecutive indices.

        Raises:
            ValueError: the clip has no ground truth; or as of `lr`.
        """
        if self._gt is None or self.gt_size is None:
            raise ValueError(f"clip {self.name}: there is no ground truth beside {self._lr.where}")
        found = iter(self._gt) if indices is None else some_frames(self._gt, indices)
        return _checked(found, self._gt.where, self.gt_size, self.frames if indices is None else len(indices))


def _shown(see: Callable[[np.ndarray], None], frame: np.ndarray) -> np.ndarray:
    see(frame)
    return frame


def _checked(found: Iterator[np.ndarray], where: str, size: Size, count: int) -> Iterator[np.ndarray]:
    """Yield frames that are `count` and uint8 (*size, 3); floats would be cut to 8 bits without a word."""
    number = 0
    for number, frame in enumerate(found, 1):
        if frame.dtype != np.uint8 or frame.shape != (*size, 3):
            raise ValueError(f"{where}: frame {number - 1} is {frame.dtype} {frame.shape}, not uint8 {(*size, 3)}")
        yield frame
    if number != count:
        raise ValueError(f"{where}: the data set says {count} frames, but gives {number}")


class Dataset(Protocol):
    """A data set, as a config of the group `data` builds it."""

    name: str
    domain: str  # "reds" or "vimeo": whose weights fit this material
    expected: list[str]  # names of the clips that a complete set has, after the filter `clips`

    def clips(self) -> list[Clip]:
        """The clips on disk, checked by their headers; those that cannot be used have a `refusal`.

        Raises:
            FileNotFoundError, ValueError: no clip is there or can be used; one line that says what was looked for,
                where, and how to get it.
        """
        ...

    def describe(self) -> Description:
        """Facts about the data set, without reading the disk."""
        ...

    def problems(self) -> Iterator[str]:
        """Decode every frame; yields a line on each that is missing, extra, damaged or of a wrong size."""
        ...


@dataclass(frozen=True)
class Description:
    """The description of a data set in `python -m bench data`, present or not."""

    name: str
    root: str
    licence: str
    how_to_get: str
    material: tuple[dict[str, str], ...] = ()  # attribution a clip: clip, title, author, licence, package


def build_clips(names: Iterable[str], build: Callable[[str], Clip], scale: int) -> list[Clip]:
    """Build each clip; one whose files do not fit or are not there becomes a refused clip, and the others stay good.

    Raises:
        ValueError, FileNotFoundError: no clip can be used; the error of the first.
    """
    clips, errors = [], []
    for name in names:
        try:
            clips.append(build(name))
        except (ValueError, FileNotFoundError) as error:
            clips.append(refused_clip(name, str(error), scale))
            errors.append(error)
    if errors and len(errors) == len(clips):
        raise errors[0]
    return clips


def refused_clip(name: str, reason: str, scale: int) -> Clip:
    """A clip that is on disk but cannot be used."""
    return Clip(name, 0, 0.0, scale, (0, 0), None, "refused", Unreadable(reason), None, refusal=reason)


def build_clip(
    name: str,
    *,
    scale: int,
    fps: float,
    gt: FrameSource | None,
    lr: FrameSource | None,
    degradation: Degradation | Seeded | None,
    origin: str = "given",
    made_with: str = "",
) -> Clip:
    """Build a clip; where no LR frames are given, the degradation makes them from GT.

    Args:
        origin: of the given LR frames, for records.
        made_with: versions that the given LR frames depend on, if known.
    Raises:
        ValueError: counts or sizes of LR and GT do not fit each other, or LR must be made and cannot.
    """
    if gt is not None:
        height, width = (side - side % scale for side in gt.size)
        if not height or not width:
            raise ValueError(f"{gt.where}: frames of {gt.size[1]}x{gt.size[0]} are too small for scale {scale}")
        gt = cropped(gt, (height, width))
    if lr is None:
        lr, origin = _degraded(name, gt, scale, degradation)
        made_with = degradation.made_with if isinstance(degradation, Seeded) else ""
    elif gt is not None:
        _check_pair(lr, gt, scale)
    gt_size = gt.size if gt is not None else None
    return Clip(name, lr.frames, fps, scale, lr.size, gt_size, origin, lr, gt, made_with)


def _degraded(
    name: str, gt: FrameSource | None, scale: int, degradation: Degradation | Seeded | None
) -> tuple[FrameSource, str]:
    if gt is None:
        raise ValueError(f"clip {name}: neither LR nor GT frames; give data.root (LR), data.gt, or both")
    if degradation is None or degradation.scale != scale:
        have = "no degradation" if degradation is None else degradation.signature
        raise ValueError(f"clip {name}: LR frames must be made at scale {scale}, but the configuration has {have}")
    if isinstance(degradation, Given):
        raise ValueError(f"clip {name}: there are no LR frames beside {gt.where}, and {NOT_MADE}")
    size = gt.size[0] // scale, gt.size[1] // scale
    made: FrameSource = (
        Degraded(gt, degradation, name, size)
        if isinstance(degradation, Seeded)
        else Mapped(gt, partial(made_lr, degradation, size), size)
    )
    return made, f"{degradation.signature} from GT"


def _check_pair(lr: FrameSource, gt: FrameSource, scale: int) -> None:
    if lr.frames != gt.frames:
        raise ValueError(f"LR and GT differ in frames: {lr.where} has {lr.frames}, {gt.where} has {gt.frames}")
    complaint = size_complaint(lr.where, lr.size, gt.where, gt.size, scale)
    if complaint:
        raise ValueError(complaint)


def size_complaint(lr: object, lr_size: Size, gt: object, gt_size: Size, scale: int) -> str | None:
    """A message if the LR size is not the GT size, cropped to a multiple of the scale and divided by it; else None.

    Args:
        lr, gt: where the frames are, for the message.
    """
    height, width = (side - side % scale for side in gt_size)
    if (lr_size[0] * scale, lr_size[1] * scale) == (height, width):
        return None
    return (
        f"LR and GT do not fit at scale {scale}: {lr} is {lr_size[1]}x{lr_size[0]}, "
        f"{gt} is {width}x{height} after cropping to a multiple of {scale}"
    )
