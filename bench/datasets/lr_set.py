"""A set of LR frames to share: a folder of PNG files for each clip, and a manifest.

The manifest says by which recipe, seed and versions the frames were made, and the digest of every clip.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.datasets.clip import Clip
from bench.labels import file_name
from bench.store import typed
from bench.store.keys import FramesDigest, frames_digest
from frames.appending import refuse_links
from frames.atomic import replacing
from frames.errors import UserError
from frames.images import Size, read_image, write_png
from frames.listing import images_in
from frames.text_files import read_json

MANIFEST = "manifest.json"
FAMILY = "lr-set-"
FORMAT = f"{FAMILY}1"


@dataclass(frozen=True, kw_only=True)
class WrittenClip:
    """One clip of the set; its folder has its name."""

    frames: int
    size: Size  # (height, width)
    sha256: str  # of the frames, see `bench.store.keys.FramesDigest`
    gt_sha256: str = ""  # of the GT frames that they were made from; "": written by an older version


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The recipe of an LR set, and its clips."""

    data: str  # the data set whose GT was degraded
    scale: int
    origin: str  # the degradation with its parameters: "realbasicvsr-x4-v2-seed0"
    degradation: dict[str, Any]  # its options
    made_with: str  # versions of encoder and libraries; "": the frames depend on none
    clips: dict[str, WrittenClip] = field(default_factory=dict)

    @property
    def recipe(self) -> Manifest:
        """The manifest without its clips."""
        return replace(self, clips={})


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an LR set; None for a folder without one.

    Raises:
        UserError: the file is damaged.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        return None
    content = read_json(path, "write the LR set again")
    written = content.pop("format", None) if isinstance(content, dict) else None
    if written != FORMAT:
        if str(written).startswith(FAMILY):
            raise UserError(f"{path}: an LR set of the format {written}, and {FORMAT} is read; write the LR set again")
        return None  # a file of another program
    try:
        manifest = typed.from_json(Manifest, content)
        if path_like := next((name for name in manifest.clips if Path(name).name != name or name == ".."), None):
            raise ValueError(f"its clip {path_like!r} is no name of a folder in it")
        return manifest
    except ValueError as error:
        raise UserError(f"{path}: not the manifest of an LR set ({error}); write the LR set again") from None


def write(recipe: Manifest, clips: Iterable[Clip], folder: Path) -> Iterator[tuple[str, bool]]:
    """Write the LR frames of clips, and the manifest after each of them.

    Clips that are there already, whole and made from the same GT frames, are kept.

    Yields:
        (clip, whether it was written now), as soon as it is complete on disk.
    Raises:
        UserError: the folder holds something else, or a clip cannot be used.
    """
    manifest = _begun(folder, recipe)
    for clip in clips:
        if clip.refusal:
            raise UserError(f"clip {clip.name} cannot be used: {clip.refusal}")
        name = clip.name if Path(clip.name).name == clip.name else file_name(clip.name)  # as `data.root` finds it
        there = manifest.clips.get(name)
        if there and there.gt_sha256 == frames_digest(clip.gt()) and not list(_clip_problems(folder / name, there)):
            yield clip.name, False
            continue
        manifest = replace(manifest, clips=manifest.clips | {name: _write_clip(clip, folder / name)})
        _store(manifest, folder)
        yield clip.name, True


def problems(folder: Path) -> Iterator[str]:
    """Check an LR set against its manifest, if it has one; yields a line on each missing or changed clip."""
    manifest = read_manifest(folder)
    for name, clip in manifest.clips.items() if manifest else ():
        yield from _clip_problems(Path(folder) / name, clip)


def _begun(folder: Path, recipe: Manifest) -> Manifest:
    """The manifest of a set that was begun here with the same recipe, or a new one; UserError for anything else.

    A new one is stored at once: by it the next call knows the folder, even if no clip becomes complete in this one.
    """
    found = read_manifest(folder)
    if found is None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: there is something else already; choose a new folder")
    if found is None or not found.clips:
        _store(recipe, folder)
        return recipe
    for key, value in asdict(recipe.recipe).items():
        before = getattr(found.recipe, key)
        if before != value:
            raise UserError(f"{folder}: an LR set with {key} {before}, not {value}; choose another folder")
    return found


def _write_clip(clip: Clip, folder: Path) -> WrittenClip:
    """Write a clip's frames into a hidden folder and rename it, so that `folder` is complete or absent.

    Raises:
        UserError: one of the two is a link, as a set from elsewhere may have.
    """
    part = folder.with_name(f".{folder.name}.part")
    for each in (part, folder):
        refuse_links(each, folder.parent)
    shutil.rmtree(part, ignore_errors=True)
    digest, gt_digest, count = FramesDigest(), FramesDigest(), 0
    for count, frame in enumerate(clip.lr_seeing_gt(gt_digest.add), start=1):
        write_png(part / f"{count - 1:08d}.png", frame)
        digest.add(frame)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return WrittenClip(frames=count, size=clip.lr_size, sha256=digest.hexdigest(), gt_sha256=gt_digest.hexdigest())


def _store(manifest: Manifest, folder: Path) -> None:
    with replacing(folder / MANIFEST) as part:
        part.write_text(json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1) + "\n", encoding="utf-8")


def _clip_problems(folder: Path, clip: WrittenClip) -> Iterator[str]:
    if not folder.is_dir():
        yield f"{folder}: missing; its manifest has it"
        return
    try:
        digest = frames_digest(map(read_image, images_in(folder)))
    except (ValueError, FileNotFoundError) as error:
        yield str(error)
        return
    if digest != clip.sha256:
        yield f"{folder}: not the frames that were written (its manifest has another digest); write the LR set again"
