"""The options of `python -m turbovsr`. Nothing heavy is imported, so that help and usage errors come at once."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

from frames.codecs import CODECS, PRORES_PROFILES, X26X_PRESETS
from frames.command_line import Parser
from turbovsr.geometry import SCALES

PRECISIONS = ("auto", "float32", "bfloat16")
COLOR_FIXES = ("none", "wavelet", "adain")
LEAST_FPS, MOST_FPS = Fraction(1, 100), 1000
LONGEST_NUMBER = 32  # characters
CONTAINERS = ("mp4", "mkv", "mov")
ABOUT = "Upscale a video, an image, a folder of images or a folder of videos."
EPILOG = """OUT is a video if its name ends in .mp4, .mkv or .mov, an image if IN is one and the name ends like one, a
folder of videos if IN is one, and otherwise, without a suffix, a folder of PNG files. A video keeps its times, sound,
subtitles, chapters, tags and colours; stderr names what is lost. Memory does not grow with the length of the video. If
a video was stopped or killed, the same command continues it and gives the same file; a folder of PNG files begins anew.
If the input is damaged, the frames that can be read are written. Exit codes: 3 error or damaged input, 4 the device is
not available, 130 Ctrl-C. `python -m turbovsr export WEIGHTS OUT.onnx` writes an ONNX file (see its --help)."""


def parse(argv: list[str]) -> argparse.Namespace:
    """Parse the command line; a mistake ends the process with one line on stderr and exit code 3."""
    parser = Parser("python -m turbovsr", ABOUT, EPILOG)
    parser.add_argument("input", type=Path, metavar="IN", help="a video, an image, or a folder of either")
    parser.add_argument("output", type=Path, metavar="OUT", help="a video, an image, or a folder")
    parser.add_argument("--scale", type=int, default=4, choices=SCALES, help="SR size over LR size (default 4)")
    parser.add_argument("--steps", type=int, default=1, help="sampling steps: 1, 2, 4, 8 or 16 (default 1)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the noise that sampling starts from (default 0)")
    parser.add_argument(
        "--latent",
        action=argparse.BooleanOptionalAction,
        help="sample the latent, or decode from the LR frames alone, which is faster (default: with one step as the"
        " weights say, nano and nano-real without)",
    )
    parser.add_argument(
        "--weights",
        default="auto",
        help="a packaged name, a .safetensors file, or auto: nano for clean, nano-real for degraded frames (default)",
    )
    parser.add_argument("--device", help="cpu or cuda (default: cuda if available)")
    parser.add_argument(
        "--precision",
        default="auto",
        choices=PRECISIONS,
        help="auto: bfloat16 if the device computes it natively (default)",
    )
    parser.add_argument(
        "--color-fix", default="none", choices=COLOR_FIXES, help="give SR the coarse colours of LR (default none)"
    )
    parser.add_argument("--tile", default="auto", help="edge of a tile in LR pixels, 0 for whole frames (default auto)")
    parser.add_argument("--fps", type=_fps, help="frame rate of a video made from images (default 24)")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    _add_video_options(parser)
    arguments = parser.parse_args(argv)
    if arguments.preview is not None and arguments.preview <= 0:
        parser.error(f"--preview {arguments.preview}: give a number of seconds above 0")
    if arguments.start < 0 or (arguments.start and arguments.preview is None):
        parser.error(f"--start {arguments.start}: give the seconds, from 0 on, at which a --preview begins")
    if not 0 <= arguments.seed < 2**63:
        parser.error(f"--seed {arguments.seed}: give a whole number from 0 on, below 2^63")
    if arguments.tile != "auto":
        try:
            arguments.tile = int(arguments.tile)
        except ValueError:
            parser.error(f"--tile {arguments.tile}: give auto or a number")
    return arguments


def _add_video_options(parser: Parser) -> None:
    video = parser.add_argument_group("how a video is written")
    video.add_argument(
        "--codec", choices=tuple(CODECS), help="default h264, or hevc for an input of more than 8 bits a sample"
    )
    rated = ", ".join(f"{name} {c.best} to {c.worst}, {c.quality}" for name, c in CODECS.items() if c.quality)
    video.add_argument(
        "--quality", "--crf", type=int, metavar="N", help=f"lower is better and larger ({rated} by default)"
    )
    words = f"{X26X_PRESETS[0]} to {X26X_PRESETS[-2]} (h264, hevc; default medium), 13 to 0 (av1; 8)"
    video.add_argument(
        "--preset", help=f"trade speed for file size: {words}, {' to '.join(PRORES_PROFILES[::3])} (prores; hq)"
    )
    bits = sorted({bits for codec in CODECS.values() for bits in codec.formats})
    video.add_argument("--bits", type=int, choices=bits, help="bits a sample (default: as IN, but 8 for h264)")
    video.add_argument(
        "--container", choices=CONTAINERS, help="container of each video of a folder (default: its own, else mkv)"
    )
    video.add_argument("--no-audio", dest="audio", action="store_false", help="leave out the sound")
    video.add_argument("--no-subtitles", dest="subtitles", action="store_false", help="leave out the subtitles")
    video.add_argument(
        "--preview",
        type=_seconds,
        metavar="SECONDS",
        help="make only this much, as a split screen: bicubic left, upscaled right",
    )
    video.add_argument(
        "--start",
        type=_seconds,
        default=Fraction(0),
        metavar="SECONDS",
        help="where the preview begins: 90 or 1:30 (default 0)",
    )


def _fps(text: str) -> Fraction:
    """Parse a frame rate; its denominator is at most 1001, as in encoders and containers: 23.976024 is 24000/1001."""
    try:
        rate = _number(text)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number like 24 or 30000/1001") from error
    if not LEAST_FPS <= rate <= MOST_FPS:
        raise argparse.ArgumentTypeError(f"{text}: give a number from {float(LEAST_FPS)} to {MOST_FPS}")
    return rate.limit_denominator(1001)


def _number(text: str) -> Fraction:
    """Parse a number or a fraction; ValueError for long ones and for exponents: 1e999999999 would take all memory."""
    if "e" in text.lower() or len(text) > LONGEST_NUMBER:
        raise ValueError(text)
    return Fraction(text)


def _seconds(text: str) -> Fraction:
    """Parse seconds, or hours, minutes and seconds with colons: "90", "1.5", "1:30"; returns seconds."""
    parts = text.split(":")
    try:
        if len(parts) > 3:
            raise ValueError
        return sum((_number(part) * 60**place for place, part in enumerate(reversed(parts))), Fraction(0))
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time like 10, 1.5 or 1:30") from error
