"""The options of `python -m turbovsr`. Nothing heavy is imported: help and usage errors come at once."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

from frames.command_line import Parser
from turbovsr.geometry import SCALES

PRECISIONS = ("auto", "float32", "bfloat16")
COLOR_FIXES = ("none", "wavelet", "adain")
ABOUT = "Upscale a video, an image or a folder of images."
EPILOG = """OUT is a video if its name ends in .mp4, .mkv or .mov, an image if IN is one and the name ends like one, a
folder of PNG files if it has no suffix. Memory does not grow with the length of the video. What of IN is not in OUT
(sound, transparency, bits beyond 8) is said on stderr. Of a damaged video the frames that can be read are written, and
the exit code is 3."""


def parse(argv: list[str]) -> argparse.Namespace:
    """The options of the command line; mistakes end the process with one line and exit code 3."""
    parser = Parser("python -m turbovsr", ABOUT, EPILOG)
    parser.add_argument("input", type=Path, metavar="IN", help="a video, an image or a folder of images")
    parser.add_argument("output", type=Path, metavar="OUT", help="a video, an image or a folder for PNG files")
    parser.add_argument("--scale", type=int, default=4, choices=SCALES)
    parser.add_argument("--steps", type=int, default=1, help="sampling steps: 1, 2, 4, 8 or 16 (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", default="nano", help="a packaged name or a .safetensors file (default nano)")
    parser.add_argument("--device", help="cpu or cuda (default cuda where there is one)")
    parser.add_argument("--precision", default="auto", choices=PRECISIONS)
    parser.add_argument("--color-fix", default="none", choices=COLOR_FIXES)
    parser.add_argument("--tile", default="auto", help="LR pixels decoded at once, 0 for whole frames (default auto)")
    parser.add_argument("--fps", type=_fps, help="of a video made from images (default 24)")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it is there already")
    arguments = parser.parse_args(argv)
    if arguments.fps is not None and not 0 < arguments.fps <= 1000:
        parser.error(f"--fps {arguments.fps}: give a number above 0, at most 1000")
    if arguments.tile != "auto":
        try:
            arguments.tile = int(arguments.tile)
        except ValueError:
            parser.error(f"--tile {arguments.tile}: give auto or a number")
    return arguments


def _fps(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number like 24 or 30000/1001") from error
