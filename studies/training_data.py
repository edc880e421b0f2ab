"""Training data of `nano-real`'s last stages: photographs and videos from published packages.

    python -m studies.training_data OUT --packages DIR [--photos DIR ...] [--not-in CLIP ...]

DIR holds the packages, which these commands download (Debian 12; `apt-get source` wants a deb-src line):

    apt-get download endless-sky-data lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 gcompris-qt-data
    apt-get source --download-only libopenshot
    pip download --no-deps --no-binary :all: moviepy==2.2.1

OUT/data is for training (`data=OUT/data`). OUT/held-out has ten photographs and three clips for the choice of weights,
which no training sees. OUT/sources has the pictures themselves. `--photos` adds sharp photographs of your own. Frames
that resemble those of `--not-in`, clips to be scored later, are left out. It takes four minutes of a core and 3 GB.

Landscapes alone are not enough: weights trained on them gained 22 % of DISTS over bicubic on held-out landscapes and
12 % on other pictures (docs/decisions/turbovsr-data.md). GCompris' photographs show animals, buildings and people. The
collages, sprites of a game over any of them, have hard edges and drawn objects.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image
from rich.progress import track

from frames.atomic import replacing
from frames.command_line import Parser, guarded, process
from frames.errors import UserError
from frames.images import write_image
from frames.video import read_video
from studies.outputs import keep_settings, out_folder
from studies.packages import members, webp_in
from turbovsr.train import prepare

SKY = "usr/share/games/endless-sky/images"
FLAT = ("Fossa_by", "Infinite-Sea", "umang_by", "Painting-Colors")  # Lomiri's: renderings, and too soft
GCOMPRIS = ("erase", "details", "explore_*", "categorization", "clickgame")  # activities with photographs
SHORTEST = 500  # least shorter side in px of GCompris' photographs, which are halved because WebP leaves them soft
HELD_OUT = 10  # photographs
CLIP = 9  # frames of a held-out clip
CLIPS = {"sintel": ("sintel_trailer-720p.mp4", 900), "bunny": ("trailer_bbb.mp4", 500), "run": ("run.mp4", 60)}
"""Held-out clips: the video and its first frame."""
SMALLEST, EVERY = 192, 36  # px and frames, see turbovsr.train.prepare
COLLAGES, COLLAGE = 100, (720, 480)
SEED = 5


@dataclass(frozen=True)
class Source:
    """Files of a package that are copied to a folder of OUT/sources."""

    package: str  # pattern of the package's name
    patterns: tuple[str, ...]
    folder: str


FILES = (
    Source("endless-sky-data_*.deb", (f"./{SKY}/land/*.jpg",), "land"),
    Source("endless-sky-data_*.deb", (f"./{SKY}/scene/*.jpg",), "scenes"),
    Source("lomiri-wallpapers-16.04_*.deb", ("./usr/share/backgrounds/*.jpg",), "wallpapers"),
    Source("lomiri-wallpapers-20.04_*.deb", ("./usr/share/backgrounds/*.jpg",), "wallpapers"),
    Source("moviepy-*.tar.gz", ("*/trailer_bbb.mp4",), "videos"),
    Source("libopenshot_*.orig.tar.xz", tuple(f"*/examples/{name}" for name in (
        "sintel_trailer-720p.mp4", "test_video.mp4", "test.avi", "run.mp4")), "videos"),
)  # fmt: skip
GCOMPRIS_PACKAGE, SPRITES_PACKAGE = "gcompris-qt-data_*.deb", "endless-sky-data_*.deb"


def found(packages: Path) -> dict[str, Path]:
    """Find each package's file by its pattern. Raises `UserError`, which names those that are missing."""
    patterns = dict.fromkeys([*(source.package for source in FILES), GCOMPRIS_PACKAGE])
    files = {pattern: sorted(packages.glob(pattern)) for pattern in patterns}
    if missing := [pattern for pattern, paths in files.items() if not paths]:
        raise UserError(f"{packages}: no {', '.join(missing)} here; --help has the commands that download them")
    return {pattern: paths[-1] for pattern, paths in files.items()}


def unpack(files: dict[str, Path], out: Path) -> None:
    """Write the photographs and videos that are used as they are."""
    for source in FILES:
        for name, data in members(files[source.package], *source.patterns):
            path = out / source.folder / PurePosixPath(name).name
            if not path.name.startswith(FLAT):
                with replacing(path) as temporary:
                    temporary.write_bytes(data)


def files_in(folder: Path) -> list[Path]:
    """Files of a folder by name, without hidden ones: a killed call leaves unfinished files."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def opened(data: bytes, what: str) -> Image.Image:
    """Open a picture. Raises `UserError` if it cannot be read."""
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{what} cannot be read; download the package again") from error
    return image


def photographs(package: Path) -> Iterator[tuple[str, Image.Image]]:
    """Yield GCompris' photographs with their names; cut-outs and drawings, which have alpha channels, are left out."""
    patterns = [f"*/rcc/{name}.rcc" for name in GCOMPRIS]
    for name, data in members(package, *patterns):
        for picture in webp_in(data):
            image = opened(picture, f"{package}: a picture of {name}")
            if image.mode == "RGB" and min(image.size) >= SHORTEST:
                yield f"{PurePosixPath(name).stem}-{hashlib.md5(picture).hexdigest()[:8]}", image


def sprites(package: Path) -> list[Image.Image]:
    """Read a game's sprites, pictures with an alpha channel; small ones and those of nearly one colour are left out."""
    drawn: list[Image.Image] = []
    for name, data in sorted(members(package, f"./{SKY}/*.png")):
        if any(word in name for word in ("label", "effect", "projectile", "/ui/", "/icon")):
            continue
        sprite = opened(data, f"{package}: {name}")
        if min(sprite.size) < 120 or sprite.mode not in ("RGBA", "LA", "P"):
            continue
        image = sprite.convert("RGBA")
        pixels = np.asarray(image)
        inside = pixels[..., 3] > 128
        if 0.1 < inside.mean() < 0.95 and pixels[inside][:, :3].std() > 25:
            drawn.append(image)
    return drawn


def collage(background: Image.Image, things: list[Image.Image], rng: np.random.Generator) -> Image.Image:
    """Make a picture of `COLLAGE` px with 12 to 25 sprites on a background, shrunk and turned at random."""
    width, height = COLLAGE
    factor = max(width / background.width, height / background.height)
    size = round(background.width * factor) + 1, round(background.height * factor) + 1
    picture = background.convert("RGB").resize(size, Image.Resampling.LANCZOS).crop((0, 0, width, height))
    for _ in range(int(rng.integers(12, 26))):
        thing = things[rng.integers(len(things))]
        factor = rng.uniform(0.35, 1) * min(1, 300 / max(thing.size))
        size = max(8, int(thing.width * factor)), max(8, int(thing.height * factor))
        thing = thing.resize(size, Image.Resampling.LANCZOS)
        if rng.random() < 0.7:
            thing = thing.rotate(float(rng.uniform(0, 360)), Image.Resampling.BICUBIC, expand=True)
        corner = int(rng.integers(-60, width - 20)), int(rng.integers(-60, height - 20))
        picture.paste(thing, corner, thing)
    return picture


def halved(image: Image.Image) -> np.ndarray:
    """Halve a photograph; a large one is reduced to a shorter side of 480 px at most. Sides are multiples of 8 px."""
    factor = min(0.5, 480 / min(image.size)) if max(image.size) > 1200 else 0.5
    size = int(image.width * factor) // 8 * 8, int(image.height * factor) // 8 * 8
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def write_pictures(files: dict[str, Path], sources: Path, held_out: Path) -> None:
    """Write GCompris' photographs, some of them held out, and the collages."""
    named = dict(sorted(photographs(files[GCOMPRIS_PACKAGE])))
    if len(named) <= HELD_OUT:
        raise UserError(f"{files[GCOMPRIS_PACKAGE]}: {len(named)} photographs, more than {HELD_OUT} are needed")
    rng = np.random.default_rng(SEED)
    held = {list(named)[index] for index in rng.permutation(len(named))[:HELD_OUT]}
    for name, image in named.items():
        if name in held:
            write_image(held_out / "pictures" / f"{name}.png", halved(image))
        else:
            write_image(sources / "gcompris" / f"{name}.png", np.asarray(image))
    backgrounds = [*files_in(sources / "land"), *files_in(sources / "gcompris")]
    things, rng = sprites(files[SPRITES_PACKAGE]), np.random.default_rng(SEED)
    for number in track(range(COLLAGES), "collages"):
        with Image.open(backgrounds[rng.integers(len(backgrounds))]) as background:
            picture = collage(background, things, rng)
        write_image(sources / "collages" / f"{number:03d}.png", np.asarray(picture))


def write_clips(videos: Path, held_out: Path) -> None:
    """Write the held-out clips, at half their size."""
    for name, (video, first) in CLIPS.items():
        for index, frame in enumerate(read_video(videos / video)):
            if index >= first + CLIP:
                break
            if index >= first:
                small = prepare.halve(frame)
                height, width = (side // 8 * 8 for side in small.shape[:2])
                write_image(held_out / "clips" / name / f"{index - first:08d}.png", small[:height, :width])


def main() -> int:
    parser = Parser("python -m studies.training_data", (__doc__ or "").strip())
    parser.add_argument("out", type=out_folder)
    parser.add_argument("--packages", type=Path, required=True, metavar="DIR", help="folder of the downloaded packages")
    parser.add_argument(
        "--photos",
        type=Path,
        nargs="*",
        default=[],
        metavar="DIR",
        help="folders of more photographs, sharp at 1:1",
    )
    parser.add_argument(
        "--not-in",
        type=Path,
        nargs="*",
        default=[],
        metavar="CLIP",
        help="clips to leave out: videos or folders of images",
    )
    arguments = parser.parse_args()
    files = found(arguments.packages)
    if missing := [str(path) for path in [*arguments.photos, *arguments.not_in] if not path.exists()]:
        raise UserError(
            f"{', '.join(missing)}: not there; --photos takes folders, --not-in videos or folders of images"
        )
    sizes = {path.name: path.stat().st_size for path in files.values()}
    others = {"photos": [*map(str, arguments.photos)], "not_in": [*map(str, arguments.not_in)]}
    keep_settings(arguments.out, {"packages": sizes} | others)
    sources, held_out = arguments.out / "sources", arguments.out / "held-out"
    unpack(files, sources)
    write_pictures(files, sources, held_out)
    write_clips(sources / "videos", held_out)
    photos = [sources / "land", sources / "scenes", sources / "wallpapers", sources / "collages", *arguments.photos]
    videos = [path for path in files_in(sources / "videos") if path.name != CLIPS["run"][0]]
    words = [arguments.out / "data", "--smallest", SMALLEST, "--every", EVERY, "--photos", *photos]
    words += ["--halved-photos", sources / "wallpapers", sources / "gcompris", "--videos", *videos]
    words += ["--held-out", *sorted((held_out / "clips").iterdir()), *arguments.not_in]
    return prepare.main([str(word) for word in words])


if __name__ == "__main__":
    process(lambda _: guarded("studies.training_data", main))
