"""One self-contained HTML page made from records and frames; it opens offline and sends no request.

The same records and frames give the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import replace

from markupsafe import Markup

from bench.report.grid import listed
from bench.report.look import order_of
from bench.report.methods import is_random
from bench.report.page import album, environment, html, panels, reliability, stages, tabulated
from bench.report.page.choose import PictureBudget
from bench.report.page.material import Material
from bench.report.page.order import Metric, metrics_of, values, worst_lists
from bench.report.page.places import Find, WorstFrame
from bench.report.summary import clip_frames
from bench.report.tables import tables
from bench.store.record import Record

SCRIPTS = (
    "dom", "state", "theme", "tables", "pixels", "layers", "stage", "controls", "curve", "slices", "spectrum",
    "atlas", "start",
)  # fmt: skip


def render(
    records: list[Record],
    materials: list[Material],
    environments: dict[str, dict],
    budget: PictureBudget,
    find: Find,
) -> tuple[str, list[str]]:
    """Render the page; returns its HTML, and its notes on pictures.

    Args:
        records: of one or several runs.
        materials: the frames of each clip; sources that cannot be read become absent.
        environments: run -> its environment.json.
        budget: for the pictures alone.
        find: the search for the worst place of a metric in a frame.
    """
    found = tables(records)
    # Methods with random weights are only timed: the tables say so, and no list of frames ranks their pictures.
    records = [replace(record, scores={}) if is_random(record) else record for record in records]
    methods = order_of(records)
    pictures = album.build(materials, records, budget, find)
    page = html.page(
        "page.html",
        SCRIPTS,
        len(methods),
        title=_title(found, methods),
        facts=_facts(records, environments),
        health=reliability.health(records, found),
        summaries=[tabulated.summary(table, methods) for table in found],
        clips=tabulated.clips(records, methods),
        panels=panels.of_tables(found, methods),
        size=panels,
        stages=stages.of_records(records, methods),
        tables=found,
        lists=reliability.lists(records, found),
        environments=environment.of_runs(environments),
        described=environment.of_methods(records),
        fact_names=environment.METHOD_FACTS,
        signatures=environment.signatures(records),
        notes=pictures.notes,
        data=html.json_data(_data(records, pictures, methods, find)),
        pictures=Markup("\n".join(pictures.pictures)),
    )
    return page, pictures.notes


def _title(found, methods: list[str]) -> str:
    sets = ", ".join(table.title for table in found)
    return f"{methods[0]} on {sets}" if len(methods) == 1 else f"{len(methods)} methods on {sets}"


def _facts(records: list[Record], environments: dict[str, dict]) -> list[tuple[str, str]]:
    """The line under the title: what, where, when, which commit."""
    clips = clip_frames(records)
    commits = [
        str(each.get("commit") or "")[:10] + " (dirty)" * bool(each.get("dirty")) for each in environments.values()
    ]
    facts = {
        "clips": f"{len(clips)}, {sum(clips.values())} frames",
        "protocol": listed(record.protocol for record in records),
        "LR": listed(record.lr_origin for record in records if record.frames),
        "device": listed(record.device for record in records),
        "measured": listed(sorted({record.date[:10] for record in records})),
        "commit": listed(filter(None, commits)),
    }
    return [(name, text) for name, text in facts.items() if text]


def _data(records: list[Record], pictures: album.Album, methods: list[str], find: Find) -> dict:
    """The data of the page's script. Frames and methods are numbers there, so that scores take little room."""
    metrics = metrics_of(records)
    number = {(clip["data"], clip["clip"]): index for index, clip in enumerate(pictures.clips)}
    scores: list[list[dict]] = [[{} for _ in metrics] for _ in pictures.clips]
    for record in records:
        for index, metric in enumerate(metrics):
            found = values(record, metric)
            if found and (record.data, record.clip) in number:
                cell = scores[number[record.data, record.clip]][index]
                cell[methods.index(record.method)] = [list(found), [_short(v, metric) for v in found.values()]]
    return {
        "methods": methods,
        "metrics": [
            {
                "title": m.title,
                "unit": m.unit,
                "better": m.better,
                "digits": m.digits,
                "signature": m.signature,
                "place": find(m.signature, m.window)[0],
            }
            for m in metrics
        ],
        "clips": pictures.clips,
        "places": pictures.places,
        "scores": scores,
        "worst": [_worst_lists(records, metric, methods, number, pictures, find) for metric in metrics],
    }


def _worst_lists(
    records: list[Record], metric: Metric, methods: list[str], number: dict, pictures: album.Album, find: Find
) -> list[list]:
    """For all methods together, then for each: [clip, frame, method, value, place or -1], worst first."""
    return [
        [
            [
                number[bad.data, bad.clip],
                bad.frame,
                methods.index(bad.method),
                _short(bad.value, metric),
                pictures.place_of.get(WorstFrame.of(bad, metric, find), -1),
            ]
            for bad in bads
            if (bad.data, bad.clip) in number
        ]
        for bads in worst_lists(records, metric).values()
    ]


def _short(value: float, metric: Metric) -> float | str | None:
    """A score for JSON, which has no infinity and no NaN, with two digits more than in a table."""
    if math.isnan(value):
        return None
    return ("inf" if value > 0 else "-inf") if math.isinf(value) else round(value, metric.digits + 2)
