"""`python -m bench compare-frames RUN --clip NAME --frame N`: the methods side by side, as a strip or a video."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from bench import labels
from bench.commands.frames import CONFIG_DIR_HELP, RunFrames
from bench.commands.parser import Parser
from bench.labels import file_name
from bench.report import strip
from bench.report.grid import figure
from bench.report.page import regions
from bench.report.page.material import GT, LR, Material, sr
from bench.report.page.order import metrics_of, values
from bench.store.record import Record
from frames.errors import OK, UserError, did_you_mean
from frames.images import write_png
from frames.video import write_video

ABOUT = """From left to right: LR, each method with its scores, GT. The crop is where the methods differ most, unless it
is given. Crops are enlarged by repeating pixels."""
FASTEST = 1000  # frames a second; more is no frame rate
VIDEO_WIDTH = 640  # smaller frames are enlarged to about this


def main(argv: list[str]) -> int:
    parser = Parser("compare-frames", ABOUT)
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("--clip", required=True, help="the clip's name")
    parser.add_argument("--data", help="its data set, where several have a clip of that name")
    parser.add_argument("--frame", type=int, default=0, help="index of the frame, from 0 (default: 0)")
    parser.add_argument("--methods", help="only these, in this order: a,b (lr and gt may be among them)")
    parser.add_argument("--crop", metavar="X,Y,W,H", help="in pixels of SR")
    parser.add_argument("--video", choices=("split", "stack"), help="the clip: bands of one frame, or whole frames")
    parser.add_argument("--out", type=Path, help="FILE.png, or FILE.mp4 with --video (default: in the run's folder)")
    parser.add_argument("--store", type=Path, help="where predictions are kept (default: what the run says)")
    parser.add_argument("--config-dir", action="append", default=[], metavar="DIR", help=CONFIG_DIR_HELP)
    options = parser.parse_args(argv)
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
        fps = _fps(cells[0])
        write_video(out, _film(material, cells, sources, box, options.video), fps)
    else:
        write_png(out, _strip(material, cells, sources, box, options.frame))
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
    """The sources to show, in order: by default LR, the methods and GT, as far as they can be had.

    Raises:
        UserError: an unknown name, or one whose frames cannot be had.
    """
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
    return found


def _box(text: str | None, material: Material) -> regions.Box | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+),(\d+),(\d+),(\d+)", text)
    if not found:
        raise UserError(f"--crop {text}: write X,Y,WIDTH,HEIGHT in pixels, like 40,20,96,72")
    x, y, width, height = map(int, found.groups())
    if not width or not height or x + width > material.size[1] or y + height > material.size[0]:
        raise UserError(f"--crop {text}: the frames are {material.size[1]}x{material.size[0]}")
    return x, y, width, height


def _versions(material: Material, cells: list[Record], sources: list[str]) -> Iterator[list[strip.Version]]:
    """All versions of frame 0, of frame 1, ...; LR is enlarged by repeating pixels."""
    labels = _labels(cells)
    for index, frames in enumerate(zip(*(material.sources[source]() for source in sources))):
        yield [
            strip.Version(_name(source, material), _enlarged(frame, source, material), labels(source, index))
            for source, frame in zip(sources, frames)
        ]


def _strip(material: Material, cells, sources: list[str], box: regions.Box | None, frame: int) -> np.ndarray:
    versions = next(islice(_versions(material, cells, sources), frame, None))
    if box is None:
        methods = [v.frame for source, v in zip(sources, versions) if source not in (LR, GT)]
        compared = methods if len(methods) > 1 else [v.frame for v in versions]
        width = min(material.size[1], max(48, material.size[1] // 4))
        largest = (min(material.size[0], width * 3 // 4), width)
        box = regions.window(regions.difference(compared), material.size, largest, material.scale)
    whole = next((v.frame for source, v in zip(sources, versions) if source == GT), versions[-1].frame)
    recipe = " / ".join(metric.header for metric in metrics_of(cells))
    return strip.strip(versions, whole, box, [f"{material.data}, {material.clip}, frame {frame}", recipe])


def _film(material: Material, cells, sources: list[str], box: regions.Box | None, kind: str) -> Iterator[np.ndarray]:
    compose = strip.split if kind == "split" else strip.stacked
    for versions in _versions(material, cells, sources):
        if box is not None:
            versions = [strip.Version(v.name, regions.cut(v.frame, box), v.scores) for v in versions]
        yield compose(versions, max(1, round(VIDEO_WIDTH / versions[0].frame.shape[1])))


def _labels(cells: list[Record]):
    """(source, frame) -> its scores as text, the best of each metric bold."""
    metrics = metrics_of(cells)
    known = {sr(record.method): [values(record, metric) for metric in metrics] for record in cells}

    def label(source: str, frame: int) -> tuple[tuple[str, bool], ...]:
        pieces = []
        for index, metric in enumerate(metrics):
            value = known.get(source, [{}] * len(metrics))[index].get(frame)
            if value is None:
                continue
            others = [v for scores in known.values() if (v := scores[index].get(frame)) is not None]
            best = len(others) > 1 and metric.badness(value) == min(map(metric.badness, others))
            text = figure(value, metric.digits)
            pieces.append((text + " / ", best))
        return tuple([*pieces[:-1], (pieces[-1][0].removesuffix(" / "), pieces[-1][1])] if pieces else ())

    return label


def _name(source: str, material: Material) -> str:
    if source == LR:
        return f"LR ×{material.scale}"
    return "GT" if source == GT else source.removeprefix("sr:")


def _enlarged(frame: np.ndarray, source: str, material: Material) -> np.ndarray:
    return frame.repeat(material.scale, axis=0).repeat(material.scale, axis=1) if source == LR else frame
