"""The base of the benchmark sets: named clips, GT in folders or videos, LR given or made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from bench.datasets import lr_set
from bench.datasets.clip import Clip, Description, build_clip, build_clips
from bench.datasets.layout import ClipOnDisk, check_together
from bench.datasets.options import first_frames, path_of, rate, selected
from bench.datasets.own_lr import OPTION, OwnLR, path_in
from bench.datasets.places import LocatedClip, clips_found, locate
from bench.datasets.verify import gap_in, numbering_problems
from frames.degradations import Degradation, Given

_NAMED = 10  # clips of a set that a message lists; of more, a few


class PairedSet:
    """A benchmark of clips as folders of frames or as videos. A subclass names the clips and the places to look in.

    Args:
        name, domain: as in the config.
        root: the folder of the set.
        scale: LR to GT; 1 where LR and GT have one size.
        degradation: makes LR frames, and its signature ("bi-x4") names the folders in which given ones are looked for.
        frames: number of frames to use of each clip; None: all, and then each clip must have its official length.
        clips: names of the clips to use; None: all.
        fps: frames per second, for records and videos only.
        lr: "auto" reads LR frames where they exist and makes them where not; "given" and "made" allow one of both;
            anything else is a path to the user's own LR frames, see `OwnLR`.
    The constructor touches no disk and checks nothing; mistakes are reported by the methods.
    """

    title: str
    licence: str
    how_to_get: str
    official: Mapping[str, int | None] = {}  # clip -> frames; None: not stated
    count: int = 0  # number of clips, for sets of which copies with other clip names circulate; 0: there are none
    length: int | None = None  # frames of a clip in such a copy; None: not stated
    gt_layouts: tuple[str, ...]  # under the root, e.g. "GT/{clip}"; the first that exists counts; empty: no GT
    lr_layouts: Mapping[str, tuple[str, ...]]  # by signature of the degradation; {scale} stands for LR to GT

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
        """The clips of a complete set, or those of them that `clips` names (ValueError: it names another)."""
        known = list(self._lengths)
        lacking = self.count - len(known)
        if lacking > 0 and self._wanted is None:
            return [*known, *(f"(unnamed {number})" for number in range(1, lacking + 1))]
        if lacking > 0 and isinstance(self._wanted, Iterable) and not isinstance(self._wanted, str):
            known += [str(name) for name in self._wanted if str(name) not in known]  # maybe one of those that lack
        return selected(known, self._wanted, self.name)

    def clips(self) -> list[Clip]:
        """The clips on disk; see `bench.datasets.clip.Dataset`."""
        first_frames((), self._frames)
        own, fps, present = self._own, rate(self._fps), self._present()
        if own is not None and not self.gt_layouts:
            raise ValueError(f"{OPTION}={own.path}: {self.title} has no ground truth; its LR frames are data.root")
        if self._lr == "made" and not self.gt_layouts:
            raise ValueError(f"{OPTION}=made: {self.title} has no ground truth to make LR frames from; leave it out")
        return build_clips(present, lambda name: self._clip(name, present[name], fps), self._scale)

    def describe(self) -> Description:
        return Description(self.title, str(self.root), self.licence, self.how_to_get)

    def problems(self) -> Iterator[str]:
        """Decode every frame of GT and given LR and yield what is wrong, one line each."""
        present = self._present()
        if self._own is not None:
            yield from lr_set.problems(self._own.path)
        for name in self.expected:
            if name not in present:
                yield f"{self.root}: clip {name} is missing"
                continue
            found = list(self._problems(name, present[name].clip))
            yield from found
            if not found:  # faults of the pair
                try:
                    self._clip(name, present[name], rate(self._fps))
                except FileNotFoundError:
                    pass  # no LR frames: a copy may hold GT alone
                except ValueError as error:
                    yield str(error)
        if self.count and len(self._lengths) > self.count:
            yield f"{self.root}: {len(self._lengths)} clips where {self.count} belong"

    def _problems(self, name: str, gt: ClipOnDisk) -> Iterator[str]:
        """What is wrong with the frames of a clip, GT and given LR each by itself."""
        size = yield from gt.problems(self._lengths.get(name))
        lr_size = size and (size[0] // self._scale, size[1] // self._scale)
        if self._own is not None:
            yield from self._own.problems(name, gt, self._frames, lr_size)
        elif self.gt_layouts and (lr := self._given_lr(name)) is not None:
            yield from lr.clip.problems(self._lengths.get(name), lr_size)

    @cached_property
    def _lengths(self) -> dict[str, int | None]:
        """Clip -> frames: of the official clips, or in a copy with other names of the clips on disk."""
        found = clips_found(self.root, self._main_layouts) if self.count else []
        if self.official and (not found or any(name in self.official for name in found)):
            return dict(self.official)
        return dict.fromkeys(found, self.length)

    @property
    def _main_layouts(self) -> tuple[str, ...]:
        """The layouts of GT, or of LR in a set without GT."""
        return self.gt_layouts or self._lr_layouts()

    def _present(self) -> dict[str, LocatedClip]:
        """Clips on disk -> the place of their GT, or of LR in a set without GT."""
        path_of(self._given_root, "data.root")
        looked_for = {name: self._first(self._main_layouts, name) for name in self.expected}
        found = {name: located for name, located in looked_for.items() if located is not None}
        if not found:
            layouts = [layout.format(**self._words("<clip>")) for layout in self._main_layouts]
            looked = ", ".join(layout if layout.endswith(".mkv") else layout + "/*.png" for layout in layouts)
            names = list(self.official)
            shown = names if len(names) <= _NAMED else [*names[:3], "...", names[-1]]
            wanted = f" with clip {', '.join(shown)}" if shown else ""
            raise FileNotFoundError(
                f"{self.title} is not at {self.root} (looked for {looked}{wanted}); {self.how_to_get}; "
                f"licence: {self.licence}; then give data.root=FOLDER"
            )
        return found

    @cached_property
    def _own(self) -> OwnLR | None:
        """The LR frames at the path that data.lr gives; None if it gives none."""
        path = path_in(self._lr)
        return None if path is None else OwnLR(path, self.expected)

    def _clip(self, name: str, located: LocatedClip, fps: float) -> Clip:
        self._check_length(name, located.clip)
        lr, origin, made_with = self._lr_of(name, located)
        return build_clip(
            name,
            scale=self._scale,
            fps=fps,
            gt=located.clip.source(self._frames) if self.gt_layouts else None,
            lr=None if lr is None else lr.source(self._frames),
            degradation=self._degradation,
            origin=origin,
            made_with=made_with,
        )

    def _lr_of(self, name: str, located: LocatedClip) -> tuple[ClipOnDisk | None, str, str]:
        """The LR frames of a clip (None: they are made), their origin for records, and the versions behind them."""
        if self._own is not None:
            self._own.check(name, located.clip, self._frames)
            return self._own.clip(name), self._own.origin(self._degradation), self._own.made_with
        lr = self._given_lr(name) if self.gt_layouts else located
        if lr is None:
            self._check_made(name)
            return None, "", ""
        if self.gt_layouts:
            check_together(lr.clip, located.clip)
        return lr.clip, self._origin(lr), ""

    def _check_made(self, name: str) -> None:
        """Raise FileNotFoundError if the missing LR frames of a clip may not be made."""
        given = isinstance(self._degradation, Given)
        if self._lr != "given" and not given:
            return
        looked = ", ".join(layout.format(**self._words(name)) for layout in self._lr_layouts())
        looked = f"looked for {looked}" if looked else "the set is not given with this degradation"
        raise FileNotFoundError(
            f"{self.root}: no {'' if given else self._degradation.signature + ' '}LR frames of clip {name} ({looked}); "
            + ("degradation=bi or another makes them from GT" if given else "data.lr=made makes them from GT")
        )

    def _check_length(self, name: str, clip: ClipOnDisk) -> None:
        official, count = self._lengths.get(name, self.length), clip.count()
        gaps = (
            [] if clip.video else [line for line in numbering_problems(clip.path, official) if line.endswith("missing")]
        )
        if official is None:
            if gaps:
                raise ValueError(f"{gaps[0]}; complete clip {name} of {self.title}")
            return
        needed = official if self._frames is None else min(self._frames, official)
        if count < needed or (self._frames is None and count != official):
            named = f" ({gaps[0].removeprefix(f'{clip.path}: ')})" if gaps else ""
            raise ValueError(
                f"{clip.path}: {count} frames, clip {name} of {self.title} has {official}{named}; complete it "
                f"(`python -m bench data verify {self.name} data.root={self.root}` names the frames) "
                "or use the first ones with data.frames=N"
            )
        if count < official and not clip.video and (gap := gap_in(clip.images()[:needed])):
            raise ValueError(f"{clip.path}: {gap} among the first {needed}; complete clip {name} of {self.title}")

    def _given_lr(self, name: str) -> LocatedClip | None:
        """The place of a clip's given LR frames; None if there are none or `lr` is "made".

        Raises:
            ValueError: with degradation=given, there are several kinds of them.
        """
        if self._lr == "made":
            return None
        found = self._first(self._lr_layouts(), name)
        if found is not None or not isinstance(self._degradation, Given):
            return found
        kinds = {key: self._first(self.lr_layouts[key], name) for key in self.lr_layouts if key != "given"}
        there = {key: located for key, located in kinds.items() if located and key.endswith(f"-x{self._scale}")}
        if len(there) > 1:
            choices = " or ".join(f"degradation={key.partition('-')[0]}" for key in there)
            raise ValueError(f"{self.root}: clip {name} has LR frames of several kinds: choose {choices}")
        return next(iter(there.values()), None)

    def _origin(self, lr: LocatedClip | None) -> str:
        """The origin of given LR frames for records; with degradation=given it names their folder."""
        kind = lr is not None and isinstance(self._degradation, Given) and lr.kind
        return f"given ({kind})" if kind else "given"

    def _lr_layouts(self) -> tuple[str, ...]:
        return self.lr_layouts.get(self._degradation.signature, ())

    def _first(self, layouts: tuple[str, ...], clip: str) -> LocatedClip | None:
        return locate(self.root, layouts, self._words(clip))

    def _words(self, clip: str) -> dict[str, str]:
        """The words that fill in a layout for a clip."""
        return {"clip": clip, "scale": str(self._scale)}
