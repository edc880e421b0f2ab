"""Clips on disk: a video, an image or a folder of images."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from bench.datasets import LAYOUTS
from bench.datasets.options import first_frames
from bench.datasets.pairing import check_pairing
from bench.datasets.sources import FrameSource, VideoFrames, image_files
from bench.datasets.verify import decoding_problems, image_problems, numbering_problems, video_problems
from frames.images import Size
from frames.listing import entries, images_in, is_image, is_video
from frames.video import video_info


def is_video_file(path: Path) -> bool:
    """True for a video by its name; a folder of frames may be called like one, `walk.mp4/0000.png`."""
    return is_video(path) and not path.is_dir()


@dataclass(frozen=True)
class ClipOnDisk:
    """One clip: a video, one image, or a folder of images."""

    path: Path

    @property
    def video(self) -> bool:
        return is_video_file(self.path)

    def images(self) -> list[Path]:
        return images_in(self.path) if self.path.is_dir() else [self.path]

    def count(self) -> int:
        return video_info(self.path).frames if self.video else len(self.images())

    def fps(self) -> float:
        return video_info(self.path).fps

    def source(self, frames: int | None) -> FrameSource:
        """The first `frames` frames of the clip, or all.

        Raises:
            ValueError: broken headers, images of two sizes, or a video that is cut short.
        """
        if not self.video:
            return image_files(first_frames(self.images(), frames))
        info = video_info(self.path)
        if info.damage:
            raise ValueError(f"{self.path}: {info.damage}; replace the file")
        used = len(first_frames(range(info.frames), frames))
        return VideoFrames(self.path, (info.height, info.width), used)

    def problems(self, official: int | None = None, size: Size | None = None) -> Generator[str, None, Size | None]:
        """Decode every frame and yield what is wrong, one line each.

        Args:
            official: the right number of frames, if known.
            size: (height, width) that images of a folder should have; None: that of most.
        Returns:
            The size of the frames in a folder; None for a single file, and if no frame decodes.
        """
        if self.video:
            yield from video_problems(self.path, official)
        elif self.path.is_dir():
            yield from numbering_problems(self.path, official)
            return (yield from decoding_problems(self.path, size))
        else:
            yield from image_problems(self.path)
        return None

    def size(self) -> Size:
        """(height, width) of the first frame, from its header; errors as `source`."""
        return self.source(1).size


def check_together(lr: ClipOnDisk, gt: ClipOnDisk) -> None:
    """Check by counts and names that LR and GT of a clip have the same frames.

    Raises:
        ValueError: counts or names differ.
    """
    if not lr.video and not gt.video:
        check_pairing(lr.images(), gt.images())
    elif lr.count() != gt.count():
        raise ValueError(
            f"LR and GT differ in frames: {lr.path} has {lr.count()}, {gt.path} has {gt.count()}; "
            "cut them to the same frames"
        )


def find_clips(path: Path, option: str) -> dict[str, ClipOnDisk]:
    """The clips at a path by name; `option` names it in messages.

    Raises:
        FileNotFoundError, ValueError: nothing is there, or not in one of the layouts.
    """
    if is_video(path) or is_image(path):
        if not path.is_dir():
            if not path.exists() and not path.is_symlink():
                raise FileNotFoundError(f"{path}: not there; {option} is {LAYOUTS}")
            return {path.stem: ClipOnDisk(path)}
    if not path.exists():
        raise FileNotFoundError(f"{path}: not there; {option} is {LAYOUTS}")
    if not path.is_dir():
        raise ValueError(f"{path}: neither a video nor an image by its name; {option} is {LAYOUTS}")
    inside = entries(path)
    videos = [entry for entry in inside if is_video_file(entry)]
    folders = [entry for entry in inside if entry.is_dir() and any(is_image(file) for file in entries(entry))]
    images = any(is_image(entry) for entry in inside if entry not in folders)
    if (len(videos) > 0) + (len(folders) > 0) + images > 1:
        raise ValueError(f"{path}: frames, folders of frames and videos side by side; {option} is {LAYOUTS}")
    if images:
        return {path.resolve().name: ClipOnDisk(path)}
    if not videos and not folders:
        raise ValueError(f"{path}: there are no frames and no videos in it; {option} is {LAYOUTS}")
    found: dict[str, ClipOnDisk] = {}
    for entry in videos or folders:
        name = entry.stem if videos else entry.name
        if name in found:
            raise ValueError(f"{path}: {found[name].path.name} and {entry.name} would both be clip {name}; rename one")
        found[name] = ClipOnDisk(entry)
    return found
