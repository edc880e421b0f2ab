"""`python -m bench compare-frames RUN --clip NAME --frame N`: the methods side by side, as a strip or a video."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bench import labels
from bench.commands.options import CONFIG_DIR_HELP
from bench.commands.parser import Parser
from bench.labels import file_name
from bench.store.record import Record
from frames.errors import OK, UserError, did_you_mean

if TYPE_CHECKING:
    from bench.report.page.material import Material
    from bench.report.page.regions import Box

ABOUT = """From left to right: LR, each method with its scores, GT. By default the crop is where the methods differ
most. Crops are enlarged by repeating pixels."""
FASTEST = 1000  # frames a second; more is no frame rate


def main(argv: list[str]) -> int:
    parser = Parser("compare-frames", ABOUT)
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("--clip", required=True, help="the clip's name")
    parser.add_argument("--data", help="its data set, if several have a clip of that name")
    parser.add_argument("--frame", type=int, default=0, help="index of the frame, from 0 (default: 0)")
    parser.add_argument("--methods", help="only these, in this order: a,b (lr and gt are allowed)")
    parser.add_argument("--crop", metavar="X,Y,W,H", help="the crop, in SR pixels")
    parser.add_argument("--video", choices=("split", "stack"), help="a video: bands of one frame, or whole frames")
    parser.add_argument("--out", type=Path, help="FILE.png, or FILE.mp4 with --video (default: in the run's folder)")
    parser.add_argument("--store", type=Path, help="where predictions are kept (default: what the run says)")
    parser.add_argument("--config-dir", action="append", default=[], metavar="DIR", help=CONFIG_DIR_HELP)
    options = parser.parse_args(argv)
    from bench.commands.frames import RunFrames
    from bench.report import side_by_side
    from frames.images import write_png
    from frames.video import write_video

    run = RunFrames(options.run, options.store, tuple(options.config_dir))
    cells = _cells(run.records, options.clip, options.data)
    material = run.material(cells[0].data, options.clip)
    sources = _sources(material, cells, options.methods)
    if not 0 <= options.frame < material.frames:
        raise UserError(f"--frame {options.frame}: clip {options.clip} has the frames 0 to {material.frames - 1}")
    box = _box(options.crop, material)
    suffix = ".mp4" if options.video else ".png"
    stem = f"compare-{file_name(material.data)}-{file_name(options.clip)}"
    end = options.video or f"{options.frame:04d}"
    out = options.out or options.run / f"{stem}-{end}{suffix}"
    if out.suffix not in ((".mp4", ".mkv") if options.video else (".png",)):
        raise UserError(f"--out {out}: give a name that ends in {suffix}")
    if options.video:
        write_video(out, side_by_side.film(material, cells, sources, box, options.video), _fps(cells[0]))
    else:
        write_png(out, side_by_side.still(material, cells, sources, box, options.frame))
    print(out)
    return OK


def _fps(record: Record) -> float:
    fps = record.data_config.get("fps")
    return float(fps) if isinstance(fps, (int, float)) and 0 < fps <= FASTEST else 24.0


def _cells(records: list[Record], clip: str, data: str | None) -> list[Record]:
    """The records of the clip.

    Raises:
        UserError: there is none, or several data sets have one.
    """
    if data is not None and data not in {record.data for record in records}:
        raise UserError(f"--data {data}: not in this run{did_you_mean(data, {r.data for r in records})}")
    here = [record for record in records if data in (None, record.data)]
    found = [record for record in here if record.clip == clip]
    if not found:
        raise UserError(f"--clip {clip}: not in this run{did_you_mean(clip, {r.clip for r in here})}")
    sets = list(dict.fromkeys(record.data for record in found))
    if len(sets) > 1:
        raise UserError(f"--clip {clip} is in several data sets; choose with --data: {', '.join(sets)}")
    return found


def _sources(material: Material, cells: list[Record], wanted: str | None) -> list[str]:
    """The sources to show, in order: by default LR, the methods and GT, as far as their frames can be read.

    Raises:
        UserError: an unknown name, or one whose frames cannot be read.
    """
    from bench.report.page.material import GT, LR, sr

    names = {LR: LR, **{record.method: sr(record.method) for record in cells}, GT: GT}
    if wanted is None:
        found = [source for source in names.values() if source in material.sources]
        if not any(source not in (LR, GT) for source in found):
            reasons = "; ".join(dict.fromkeys(material.absent.values()))
            raise UserError(f"no method's frames can be shown: {reasons}")
        return found
    found = []
    for name in labels.listed(wanted):
        if name not in names:
            raise UserError(f"--methods {name}: not in this run{did_you_mean(name, names)}")
        if names[name] not in material.sources:
            raise UserError(f"--methods {name}: {material.absent[names[name]]}")
        found.append(names[name])
    if not found:
        raise UserError(f"--methods {wanted}: names none; write some of {', '.join(names)}")
    return found


def _box(text: str | None, material: Material) -> Box | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+),(\d+),(\d+),(\d+)", text)
    if not found:
        raise UserError(f"--crop {text}: write X,Y,WIDTH,HEIGHT in pixels, like 40,20,96,72")
    x, y, width, height = map(int, found.groups())
    if not width or not height or x + width > material.size[1] or y + height > material.size[0]:
        raise UserError(f"--crop {text}: the frames are {material.size[1]}x{material.size[0]}")
    return x, y, width, height
