"""Turn folders of photographs and video files into uint8 arrays that training can map into memory.

    python -m turbovsr.train.prepare OUT --photos DIR [DIR ...] --halved-photos DIR [...] --videos FILE [...]
        [--smallest PX] --held-out FILE [...]

`OUT/photos/*.npy` are (H, W, 3), `OUT/shots/*.npy` are (T, H, W, 3) runs of consecutive frames inside one shot.
Videos and `--halved-photos` are halved with an antialiasing filter first, because codecs and colour-filter arrays
leave them soft at 1:1. With `--smallest 192` each photograph is also stored at 1/sqrt(2), 1/2, ... of that size, while
its shorter side has 192 px: small pictures of whole scenes are denser than any crop of a large one. Frames that
resemble a frame of a `--held-out` clip are left out, with ten seconds around them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from turbovsr.train.readers import PHOTO_SUFFIXES, BrokenFile, cuts, halve, read_frames, read_photo, thumbnail

SAME_CORRELATION = 0.95  # of thumbnails, above which two frames show the same picture: encodings differ in brightness
MARGIN_FRAMES = 240
STEP = 2**0.5  # between the sizes that a photograph is stored at


def standardise(thumbnails: np.ndarray) -> np.ndarray:
    """(N, 18, 32) -> the same with zero mean, unit variance each; a flat picture becomes zero and matches nothing."""
    centred = thumbnails - thumbnails.mean(axis=(1, 2), keepdims=True)
    return centred / np.maximum(centred.std(axis=(1, 2), keepdims=True), 8.0)


def held_out_mask(thumbnails: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Which frames to leave out: those like a held-out frame, and their neighbours within `MARGIN_FRAMES`."""
    mask = np.zeros(len(thumbnails), bool)
    truth = standardise(held_out)
    for index, small in enumerate(standardise(thumbnails)):
        if len(held_out) and (truth * small).mean(axis=(1, 2)).max() > SAME_CORRELATION:
            mask[max(0, index - MARGIN_FRAMES) : index + MARGIN_FRAMES + 1] = True
    return mask


def smaller(photo: np.ndarray, first: float, smallest: int) -> Iterator[np.ndarray]:
    """Yield a photograph, uint8 (H, W, 3), at 1/`first` of its size and smaller, while a side has `smallest`."""
    image, factor = Image.fromarray(photo), first
    while min(image.size) / factor >= smallest:
        size = tuple(round(edge / factor) for edge in image.size)
        yield np.asarray(image.resize(size, Image.Resampling.LANCZOS))
        factor *= STEP


def prepare_photos(folder: Path, out: Path, halved: bool, smallest: int | None = None) -> int:
    """Store every photograph of a folder that can be read, with `smallest` in smaller sizes too; returns how many."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; name one that holds photographs")
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PHOTO_SUFFIXES)
    if not paths:
        raise FileNotFoundError(f"{folder}: no photographs here; name a folder that holds some")
    stored = 0
    for path in paths:
        try:
            photo = read_photo(path)
        except BrokenFile as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        np.save(out / f"{folder.name}-{path.stem}.npy", halve(photo) if halved else photo)
        for small in smaller(photo, STEP * (1 + halved), smallest) if smallest else ():
            np.save(out / f"{folder.name}-{path.stem}@{small.shape[1]}x{small.shape[0]}.npy", small)
        stored += 1
    return stored


def prepare_video(path: Path, out: Path, length: int, every: int, held_out: np.ndarray) -> int:
    """Store runs of `length` frames, one in each `every` frames, none across a cut; returns how many."""
    thumbnails = [thumbnail(frame) for frame in read_frames(path)]
    if not thumbnails:
        raise BrokenFile(f"{path}: has no frame that can be decoded")
    thumbnails = np.stack(thumbnails)
    is_cut = cuts(thumbnails)
    left_out = held_out_mask(thumbnails, held_out)
    wanted = {}
    for slot in range(0, len(thumbnails) - length + 1, every):
        # The first run in the slot that is free of cuts and of held-out pictures.
        for start in range(slot, min(slot + every, len(thumbnails)) - length + 1):
            if not is_cut[start : start + length - 1].any() and not left_out[start : start + length].any():
                wanted[start] = start + length
                break
    run, end, stored = [], None, 0
    for index, frame in enumerate(read_frames(path)):
        if index in wanted:
            run, end = [], wanted[index]
        if end is not None:
            run.append(halve(frame))
            if index + 1 == end:
                np.save(out / f"{path.stem}-{end - length:06d}.npy", np.stack(run))
                run, end, stored = [], None, stored + 1
    counts = f"{len(thumbnails)} frames, {int(is_cut.sum())} cuts, {int(left_out.sum())} left out, {stored} runs"
    print(f"{path.name}: {counts}")
    return stored


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--photos", type=Path, nargs="*", default=[])
    parser.add_argument("--halved-photos", type=Path, nargs="*", default=[])
    parser.add_argument("--smallest", type=int, metavar="PX", help="store photographs smaller too, down to this side")
    parser.add_argument("--videos", type=Path, nargs="*", default=[])
    parser.add_argument("--held-out", type=Path, nargs="*", default=[])
    parser.add_argument("--length", type=int, default=18, help="frames in a run")
    parser.add_argument("--every", type=int, default=90, help="at most one run in so many frames")
    args = parser.parse_args()
    if args.smallest is not None and args.smallest < 1:
        parser.error(f"--smallest {args.smallest}: a size in pixels is wanted, such as 192")
    try:
        prepare(args)
    except (OSError, BrokenFile) as error:
        print(f"turbovsr.train.prepare: {error}", file=sys.stderr)
        raise SystemExit(3) from None


def prepare(args: argparse.Namespace) -> None:
    """Do what the command line says."""
    for name in ("photos", "shots"):
        (args.out / name).mkdir(parents=True, exist_ok=True)
    for folder in args.photos:
        print(f"{folder.name}: {prepare_photos(folder, args.out / 'photos', False, args.smallest)} photographs")
    for folder in args.halved_photos:
        print(f"{folder.name}: {prepare_photos(folder, args.out / 'photos', True, args.smallest)} photographs, halved")
    held_out = [thumbnail(frame) for path in args.held_out for frame in read_frames(path)]
    held_out = np.stack(held_out) if held_out else np.empty((0, 18, 32), np.float32)
    for path in args.videos:
        try:
            prepare_video(path, args.out / "shots", args.length, args.every, held_out)
        except BrokenFile as error:
            print(f"left out: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
