"""SR frames made elsewhere, in a folder or as videos."""

from __future__ import annotations

from pathlib import Path

from bench.datasets.sources import FrameSource, VideoFrames, image_files
from bench.labels import file_name
from bench.methods.alignment import ALIGNMENTS, EXACT
from bench.methods.contract import Descriptor, FrameRule
from frames.errors import did_you_mean
from frames.listing import entries, images_in, is_image, is_video
from frames.video import video_info


class Precomputed:
    """SR frames of each clip under `root`, made by another program.

    A clip is `<clip>/` with images, `<clip>.<video suffix>` or `<clip>.<image suffix>` (a still). Frames in `root`
    itself, or a `root` that is a file, are a single clip: the only one of the data set, or the one that `root` is named
    after. Names may also be written as `save=frames` writes them (`my%20clip` for `my clip`).

    Args:
        root, label, scale: as in the config.
        align: `exact`, or `start` to leave out frames beyond the clip's, see `bench.methods.alignment`.
    Raises:
        FileNotFoundError, ValueError: the root is not there; an unknown alignment.
    """

    def __init__(self, root: str, label: str, scale: int, align: str = EXACT) -> None:
        self.root, self.align = Path(root), align
        if align not in ALIGNMENTS:
            raise ValueError(f"method.align={align}: unknown{did_you_mean(str(align), ALIGNMENTS)}")
        if not self.root.exists():
            raise FileNotFoundError(f"{root}: no such folder or file; method.root must hold the SR frames")
        self.descriptor = Descriptor(
            name=label,
            scale=scale,
            kind="given",
            device="elsewhere",
            dtype="not known",
            licence="not known",
            weights="not known",
            frame_rule=FrameRule(note="" if align == EXACT else "frames beyond the clip are left out (align=start)"),
        )

    def source(self, clip: str, alone: bool = False) -> FrameSource:
        """The frames of a clip by name.

        Args:
            alone: the data set has no other clip.
        Raises:
            FileNotFoundError: there are none; the line says what was looked for.
            ValueError: frames of unlike sizes, or unreadable ones.
        """
        if self.root.is_file():
            return _file(self._of_one_clip(clip, self.root.stem, alone))
        beside = entries(self.root)
        for name in dict.fromkeys((clip, file_name(clip))):  # `save=frames` writes the second
            for path in beside:
                if path.is_dir() and path.name == name:
                    return image_files(images_in(path))
                if path.is_file() and path.stem == name and (is_video(path) or is_image(path)):
                    return _file(path)
        if any(path.is_dir() or is_video(path) for path in beside) or not any(map(is_image, beside)):
            raise FileNotFoundError(
                f"{self.root}: no SR frames for clip {clip}: neither {clip}/ nor {clip}.mp4 is there"
            )
        return image_files(images_in(self._of_one_clip(clip, self.root.resolve().name, alone)))

    def _of_one_clip(self, clip: str, name: str, alone: bool) -> Path:
        """The root, if its frames are those of this clip.

        Raises:
            FileNotFoundError: it is another clip's, or nothing says whose.
        """
        if alone or name in (clip, file_name(clip)):
            return self.root
        raise FileNotFoundError(
            f"{self.root}: frames of one clip, but the data set has several; no SR frames for clip {clip}: "
            f"give each clip a folder or file of its name, or name the clip: data.clips=[{clip}]"
        )


def _file(path: Path) -> FrameSource:
    if is_image(path):
        return image_files([path])
    info = video_info(path)
    return VideoFrames(path, (info.height, info.width), info.frames)
