"""The user's own LR frames for a set of named clips: `data.lr=PATH`, with a folder or a video for each clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from bench.datasets.layout import ClipOnDisk, check_together, find_clips
from bench.datasets.lr_set import Manifest, read_manifest
from bench.datasets.options import path_of
from bench.datasets.pairing import check_names
from frames.degradations import Degradation, Given, Seeded
from frames.errors import did_you_mean
from frames.images import Size

OPTION = "data.lr"
MODES = ("auto", "given", "made")
"""Values of the option that are no paths."""


def path_in(value: object) -> Path | None:
    """The path that data.lr gives; None for one of `MODES`.

    Raises:
        ValueError: it is neither.
    """
    if value in MODES:
        return None
    path = path_of(value, OPTION)
    if len(path.parts) == 1 and not path.exists():
        raise ValueError(f"{OPTION}={value}: unknown{did_you_mean(value, MODES)} (or a folder, and it is not there)")
    return path


class OwnLR:
    """The user's LR clips at a path, found by the names of the set's clips; anything else there is ignored.

    If `python -m bench data degrade` wrote the frames, its manifest says how they were made.

    Args:
        path: in one of `bench.datasets.LAYOUTS`. A path that is a clip itself, a video or a folder of frames, belongs
            to the only clip that is wanted, whatever its name.
        wanted: the clips that are used.
    """

    def __init__(self, path: Path, wanted: Sequence[str]) -> None:
        self.path, self._wanted = path, wanted

    def clip(self, name: str) -> ClipOnDisk:
        """The LR frames of a clip of the set.

        Raises:
            FileNotFoundError, ValueError: they are not there, or nothing is.
        """
        found = self._found
        if len(self._wanted) == 1 and (itself := next(iter(found.values()))).path == self.path:
            return itself
        if name not in found:
            there = ", ".join(list(found)[:5]) + ", ..." * (len(found) > 5)
            raise ValueError(
                f"{self.path}: no LR frames of clip {name}; {OPTION} holds a folder of frames or a video called like "
                f"each clip (there: {there}), and data.clips=[{next(iter(found))}] takes some clips alone"
            )
        return found[name]

    def check(self, name: str, gt: ClipOnDisk, frames: int | None) -> None:
        """Check that the LR frames of a clip go with GT; if only the first `frames` are used, they are enough.

        Raises:
            ValueError: counts or names do not fit.
        """
        lr = self.clip(name)
        if frames is None or lr.count() != frames or lr.count() >= gt.count():
            check_together(lr, gt)
        elif not lr.video and not gt.video:
            check_names(lr.images(), gt.images()[:frames], "LR and GT")

    def problems(self, name: str, gt: ClipOnDisk, frames: int | None, size: Size | None) -> Iterator[str]:
        """Decode every frame of a clip and yield what is wrong, one line each.

        Args:
            gt: the clip's ground truth.
            frames: number of frames that are used; None: all.
            size: (height, width) that the frames should have, where it is known.
        """
        try:
            lr = self.clip(name)
            self.check(name, gt, frames)
        except ValueError as error:
            yield str(error)
            return
        yield from lr.problems(size=size)

    def origin(self, declared: Degradation | Seeded) -> str:
        """The origin of the frames for records: the manifest's recipe, or that they are the user's.

        Args:
            declared: the degradation of the run's configuration.
        Raises:
            ValueError: the manifest names another degradation.
        """
        if self._manifest is None:
            return f"given ({OPTION})"
        made_by = self._manifest.origin
        if not isinstance(declared, Given) and declared.signature != made_by:
            raise ValueError(
                f"{self.path}: its LR frames were made by {made_by}, the configuration has {declared.signature}; "
                f"write degradation={made_by.partition('-')[0]} with the same options, or degradation=given"
            )
        return f"given ({made_by})"

    @property
    def made_with(self) -> str:
        """The versions that the frames depend on, from the manifest; empty without one."""
        return self._manifest.made_with if self._manifest else ""

    @cached_property
    def _found(self) -> dict[str, ClipOnDisk]:
        return find_clips(self.path, OPTION)

    @cached_property
    def _manifest(self) -> Manifest | None:
        return read_manifest(self.path)
