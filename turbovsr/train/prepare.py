"""Convert photographs and videos to uint8 arrays that training maps into memory.

`OUT/photos/*.npy` are (H, W, 3), `OUT/shots/*.npy` are (T, H, W, 3) consecutive frames of one scene. Videos and
`--halved-photos` are halved with an antialiasing filter first, because codecs and colour-filter arrays leave them soft
at 1:1. With `--smallest 192` each photograph is also stored at 1/sqrt(2), 1/2, ... of that size, while its shorter side
has 192 px: small pictures of whole scenes have more detail than crops of a large one. Photographs and frames that
resemble a frame of a `--held-out` clip are left out, frames with ten seconds around them.

A folder is of one call: with other arguments give another one, and train on both with `data=[OUT,OTHER]`. The same call
writes it anew, and at its end removes the arrays of files that are gone, broken or held out by now.

For training in LTX's latent space they are encoded instead, by a command with other options (`--latents OUT --help`):

    python -m turbovsr.train.prepare --latents OUT --data DATA --weights FILE --bucket 1080x1920x49
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from frames.command_line import Parser, guarded, importing, process

with importing():
    import numpy as np
    from PIL import Image

    from frames.atomic import replacing
    from frames.errors import OK, UserError, one_line
    from frames.images import read_image
    from frames.listing import entries, is_image
    from frames.source import open_source
    from frames.text import printable
    from frames.video import read_video
    from turbovsr.train.readers import cuts, halve, thumbnail

PROGRAM = "turbovsr.train.prepare"
SAME_CORRELATION = 0.95  # of thumbnails that show the same picture: encodings differ in brightness
MARGIN_FRAMES = 240
STEP = 2**0.5  # between the sizes that a photograph is stored at
CALL = "prepared.json"  # in OUT: the arguments that its arrays are of


class ArrayFolder:
    """A folder of .npy files, each written whole, under names that are unique within one call of the command."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._names: set[str] = set()

    def add(self, name: str, array: np.ndarray) -> None:
        """Store an array; another number is appended to a name that is taken."""
        unique, number = name, 2
        while unique in self._names:
            unique, number = f"{name}~{number}", number + 1
        self._names.add(unique)
        with replacing(self.folder / f"{unique}.npy") as temporary:
            np.save(temporary, array)

    def remove_others(self) -> int:
        """Remove the arrays that an earlier call stored and this one did not; returns their number."""
        others = [path for path in self.folder.glob("[!.]*.npy") if path.stem not in self._names]
        for path in others:
            path.unlink()
        return len(others)


def standardise(thumbnails: np.ndarray) -> np.ndarray:
    """Bring thumbnails (N, 18, 32) to zero mean and unit variance; flat ones become zero and match nothing."""
    centred = thumbnails - thumbnails.mean(axis=(1, 2), keepdims=True)
    return centred / np.maximum(centred.std(axis=(1, 2), keepdims=True), 8.0)


def held_out_mask(thumbnails: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Mark the frames to leave out: those like a held-out frame, and their neighbours within `MARGIN_FRAMES`."""
    mask = np.zeros(len(thumbnails), bool)
    references = standardise(held_out)
    for index, small in enumerate(standardise(thumbnails)):
        if len(held_out) and (references * small).mean(axis=(1, 2)).max() > SAME_CORRELATION:
            mask[max(0, index - MARGIN_FRAMES) : index + MARGIN_FRAMES + 1] = True
    return mask


def halved_frame(frame: np.ndarray, path: Path) -> np.ndarray:
    """Halve a frame of a file. Raises `ValueError` where a side is a single pixel."""
    if min(frame.shape[:2]) < 2:
        raise ValueError(f"{path}: {frame.shape[1]}x{frame.shape[0]} px are too few to be halved")
    return halve(frame)


def smaller(photo: np.ndarray, first: float, smallest: int) -> Iterator[np.ndarray]:
    """Yield a photograph, uint8 (H, W, 3), at 1/`first` of its size and smaller, sides of at least `smallest` px."""
    image, factor = Image.fromarray(photo), first
    while min(image.size) / factor >= smallest:
        size = (round(image.width / factor), round(image.height / factor))
        yield np.asarray(image.resize(size, Image.Resampling.LANCZOS))
        factor *= STEP


def prepare_photos(folder: Path, out: ArrayFolder, halved: bool, smallest: int | None, held_out: np.ndarray) -> int:
    """Store the readable photographs of a folder that resemble no held-out frame; returns their number.

    Args:
        smallest: if given, they are stored in smaller sizes too.
    Raises:
        FileNotFoundError: no such folder.
        UserError: it holds no such photograph.
    """
    stored = 0
    for path in filter(is_image, entries(folder)):
        try:
            photo = read_image(path)
            kept = halved_frame(photo, path) if halved else photo
        except (OSError, ValueError) as error:
            print(f"left out: {one_line(error)}", file=sys.stderr)
            continue
        if held_out_mask(thumbnail(photo)[None], held_out).any():
            print(f"left out: {printable(str(path))}: it resembles a held-out clip", file=sys.stderr)
            continue
        name = f"{folder.name}-{path.stem}"
        out.add(name, kept)
        for small in smaller(photo, STEP * (1 + halved), smallest) if smallest else ():
            out.add(f"{name}@{small.shape[1]}x{small.shape[0]}", small)
        stored += 1
    if not stored:
        raise UserError(f"{folder}: no photographs here that can be read and used; name a folder that holds some")
    return stored


def sequence_starts(is_cut: np.ndarray, left_out: np.ndarray, length: int, every: int) -> list[int]:
    """First frames of sequences of `length` frames: the first one without cut or left-out frame in each `every`."""
    starts = []
    count = len(left_out)
    for slot in range(0, count - length + 1, every):
        for start in range(slot, min(slot + every, count) - length + 1):
            if not is_cut[start : start + length - 1].any() and not left_out[start : start + length].any():
                starts.append(start)
                break
    return starts


def prepare_video(path: Path, out: ArrayFolder, length: int, every: int, held_out: np.ndarray) -> int:
    """Store sequences of `length` frames, one in each `every` frames, none across a cut; returns their number.

    Raises:
        FileNotFoundError, ValueError: the video cannot be read, or is damaged.
    """
    thumbnails = np.stack([thumbnail(frame) for frame in read_video(path)])
    is_cut, left_out = cuts(thumbnails), held_out_mask(thumbnails, held_out)
    starts = sequence_starts(is_cut, left_out, length, every)
    wanted, frames = iter([*starts, None]), list[np.ndarray]()
    start = next(wanted)
    for index, frame in enumerate(read_video(path)):
        if start is None:
            break
        if index >= start:
            frames.append(halved_frame(frame, path))
        if len(frames) == length:
            out.add(f"{path.stem}-{start:06d}", np.stack(frames))
            start, frames = next(wanted), []
    counts = f"{int(is_cut.sum())} cuts, {int(left_out.sum())} left out, {len(starts)} sequences"
    print(f"{printable(path.name)}: {len(thumbnails)} frames, {counts}")
    return len(starts)


def claim(args: argparse.Namespace) -> None:
    """Write the arguments into the folder OUT, whose arrays they describe.

    Raises:
        UserError: it has arrays of other arguments: they would stay and be trained on, or be overwritten.
    """
    path = args.out / CALL
    text = json.dumps({k: v for k, v in vars(args).items() if k != "out"}, default=str, indent=1) + "\n"
    before = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    if before != text and any(any(args.out.glob(f"{kind}/*.npy")) for kind in ("photos", "shots")):
        raise UserError(
            f"{args.out}: it has arrays of a call with other arguments; remove it or give another folder, and train on"
            " several with data=[A,B]"
        )
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def prepare(args: argparse.Namespace) -> int:
    """Store the photographs and videos that the arguments name; returns the exit code.

    Raises:
        UserError: the arguments name none, or videos had to be left out, after all others were stored.
    """
    if not args.photos and not args.halved_photos and not args.videos:
        raise UserError("nothing to prepare: name --photos, --halved-photos or --videos")
    references = [thumbnail(frame) for path in args.held_out for frame in open_source(path).frames()]
    held_out = np.stack(references) if references else np.empty((0, 18, 32), np.float32)
    claim(args)
    photos, sequences = ArrayFolder(args.out / "photos"), ArrayFolder(args.out / "shots")
    for folder in args.photos:
        count = prepare_photos(folder, photos, False, args.smallest, held_out)
        print(f"{printable(folder.name)}: {count} photographs")
    for folder in args.halved_photos:
        count = prepare_photos(folder, photos, True, args.smallest, held_out)
        print(f"{printable(folder.name)}: {count} photographs, halved")
    broken = 0
    for path in args.videos:
        try:
            prepare_video(path, sequences, args.length, args.every, held_out)
        except (OSError, ValueError) as error:
            broken += 1
            print(f"left out: {one_line(error)}", file=sys.stderr)
    if removed := photos.remove_others() + sequences.remove_others():
        print(f"removed: {removed} arrays of an earlier call, whose photographs or frames are not used any more")
    if broken:
        raise UserError(f"{broken} of {len(args.videos)} videos were left out; everything else is stored in {args.out}")
    return OK


def main(argv: list[str]) -> int:
    """Run the command and return its exit code."""
    return guarded(PROGRAM, lambda: _run(argv))


def _run(argv: list[str]) -> int:
    if any(word.partition("=")[0] == "--latents" for word in argv):
        from turbovsr.train.ltx import prepare as latents

        return latents.main(argv)
    return prepare(_arguments(argv))


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = Parser(f"python -m {PROGRAM}", (__doc__ or "").strip())
    parser.add_argument("out", type=Path, help="folder for the arrays")
    for name, size in (("--photos", "full size"), ("--halved-photos", "half their size")):
        parser.add_argument(
            name, type=Path, nargs="*", default=[], metavar="DIR", help=f"folders of photographs, used at {size}"
        )
    parser.add_argument(
        "--smallest", type=int, metavar="PX", help="also store photographs at smaller sizes, down to this side"
    )
    parser.add_argument("--videos", type=Path, nargs="*", default=[], metavar="FILE", help="videos")
    parser.add_argument(
        "--held-out",
        type=Path,
        nargs="*",
        default=[],
        metavar="CLIP",
        help="held-out videos or folders of images",
    )
    parser.add_argument("--length", type=int, default=18, help="frames of a sequence (default 18)")
    parser.add_argument("--every", type=int, default=90, help="at most one sequence in this many frames (default 90)")
    args = parser.parse_args(argv)
    if args.smallest is not None and args.smallest < 1:
        parser.error(f"--smallest {args.smallest}: give a size in pixels, such as 192")
    if args.length < 2:
        parser.error(f"--length {args.length}: a sequence needs 2 frames at least")
    if args.every < args.length:
        parser.error(f"--every {args.every}: it must be at least --length, {args.length}")
    return args


if __name__ == "__main__":
    process(main)
