"""The common part of REDS4 and Vid4: named clips of known length, GT in folders, LR in folders or made."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from bench.datasets.clip import Clip, Description, build_clip, build_clips
from bench.datasets.options import capped, path_of, rate, selected
from bench.datasets.pairing import check_pairing
from bench.datasets.sources import image_files
from bench.datasets.verify import decoding_problems, numbering_problems
from frames.degradations import Degradation
from frames.errors import did_you_mean
from frames.images import Size
from frames.listing import images_in

LR_MODES = ("auto", "given", "made")


class PairedSet:
    """A benchmark of clips as folders of frames. A subclass says which clips and where they may lie.

    Args:
        name, domain: as in the config.
        root: the folder of the set.
        scale: LR to GT.
        degradation: makes LR frames, and its signature ("bi-x4") names the folders in which given ones are looked for.
        frames: use the first that many of each clip; None: all, and then each clip must have its official length.
        clips: use only these; None: all.
        fps: frames per second, for records and videos only.
        lr: "auto" reads LR frames where they are and makes them where not; "given" and "made" insist.
    The constructor touches no disk and checks nothing; mistakes are reported by the methods.
    """

    title: str
    licence: str
    how_to_get: str
    official: dict[str, int]  # clip -> frames
    gt_layouts: tuple[str, ...]  # under the root, e.g. "GT/{clip}"; the first that exists counts
    lr_layouts: dict[str, tuple[str, ...]]  # by signature of the degradation

    def __init__(
        self,
        *,
        name: str,
        domain: str,
        root: str,
        scale: int,
        degradation: Degradation,
        frames: int | None = None,
        clips: Iterable[str] | None = None,
        fps: float = 24.0,
        lr: str = "auto",
    ) -> None:
        self.name, self.domain, self.root = name, domain, Path(str(root))  # checked where it is used
        self._given_root, self._scale, self._degradation = root, scale, degradation
        self._frames, self._fps = frames, fps
        self._wanted, self._lr = clips, lr

    @property
    def expected(self) -> list[str]:
        """The official clips, or those of them that `clips` names (ValueError: it names another)."""
        return selected(self.official, self._wanted, self.name)

    def clips(self) -> list[Clip]:
        """The clips that are there; see `bench.datasets.clip.Dataset`."""
        if self._lr not in LR_MODES:
            raise ValueError(f"data.lr={self._lr}: unknown{did_you_mean(self._lr, LR_MODES)}")
        capped((), self._frames)
        fps, present = rate(self._fps), self._present()
        return build_clips(present, lambda name: self._clip(name, present[name], fps), self._scale)

    def describe(self) -> Description:
        return Description(self.title, str(self.root), self.licence, self.how_to_get)

    def problems(self) -> Iterator[str]:
        """Decode every frame of GT and given LR and yield what is wrong, one line each."""
        present = self._present()
        for name in self.expected:
            if name not in present:
                yield f"{self.root}: clip {name} is missing"
                continue
            gt_size = yield from self._folder_problems(present[name], name, None)
            lr = self._given_lr(name)
            if lr is not None:
                lr_size = gt_size and (gt_size[0] // self._scale, gt_size[1] // self._scale)
                yield from self._folder_problems(lr, name, lr_size)

    def _folder_problems(self, folder: Path, clip: str, size: Size | None) -> Generator[str, None, Size | None]:
        yield from numbering_problems(folder, self.official[clip])
        return (yield from decoding_problems(folder, size))

    def _present(self) -> dict[str, Path]:
        """Clip -> GT folder, of the clips that are there."""
        path_of(self._given_root, "data.root")
        looked_for = {name: self._first(self.gt_layouts, name) for name in self.expected}
        found = {name: folder for name, folder in looked_for.items() if folder is not None}
        if not found:
            looked = ", ".join(layout.format(clip="<clip>") + "/*.png" for layout in self.gt_layouts)
            wanted = ", ".join(self.expected)
            raise FileNotFoundError(
                f"{self.title} is not at {self.root} (looked for {looked} with clip {wanted}); {self.how_to_get}; "
                f"licence: {self.licence}; then give data.root=FOLDER"
            )
        return found

    def _clip(self, name: str, folder: Path, fps: float) -> Clip:
        gt_paths = images_in(folder)
        self._check_length(name, folder, len(gt_paths))
        lr_folder = self._given_lr(name)
        if lr_folder is None and self._lr == "given":
            looked = ", ".join(layout.format(clip=name) for layout in self._lr_layouts())
            looked = f"looked for {looked}" if looked else "the set is not given with this degradation"
            raise FileNotFoundError(
                f"{self.root}: no {self._degradation.signature} LR frames of clip {name} ({looked}); "
                "data.lr=made makes them from GT"
            )
        lr = None
        if lr_folder is not None:
            lr_paths = images_in(lr_folder)
            check_pairing(lr_paths, gt_paths)
            lr = image_files(capped(lr_paths, self._frames))
        gt = image_files(capped(gt_paths, self._frames))
        return build_clip(name, scale=self._scale, fps=fps, gt=gt, lr=lr, degradation=self._degradation)

    def _check_length(self, name: str, folder: Path, count: int) -> None:
        official = self.official[name]
        needed = official if self._frames is None else min(self._frames, official)
        if count < needed or (self._frames is None and count != official):
            raise ValueError(
                f"{folder}: {count} frames, clip {name} of {self.title} has {official}; complete it "
                f"(`python -m bench data verify {self.name} data.root={self.root}` names the frames) "
                "or use the first ones with data.frames=N"
            )

    def _given_lr(self, name: str) -> Path | None:
        return None if self._lr == "made" else self._first(self._lr_layouts(), name)

    def _lr_layouts(self) -> tuple[str, ...]:
        return self.lr_layouts.get(self._degradation.signature, ())

    def _first(self, layouts: tuple[str, ...], clip: str) -> Path | None:
        folders = [self.root / layout.format(clip=clip) for layout in layouts]
        return next((folder for folder in folders if folder.is_dir()), None)
