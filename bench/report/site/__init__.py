"""A static site of many runs: an index with tables and Pareto plots, and a page for each run with its records.

The same records give the same bytes; names in them are text, never part of an address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.report.grid import figure
from bench.report.look import order_of
from bench.report.page import environment, html, panels
from bench.report.site import crops
from bench.report.site.boards import Board, boards, sorted_table
from bench.store.record import Record, Score
from bench.timing.stats import mean

RUNS, CROPS, INDEX, RECORDS = "runs", "crops", "index.html", "records.jsonl"
_MOST_NAMED = 5  # points of a plot
_SCRIPTS = ("dom", "theme", "tables")


@dataclass(frozen=True)
class SiteRun:
    """One run or submission: its folder's name, its records, and the environments they were measured in."""

    name: str
    records: list[Record]
    environments: dict[str, dict[str, Any]]  # by worker, "" for a run of one worker


def render(runs: Sequence[SiteRun], materials: crops.Materials | None = None, budget: int = 0) -> dict[str, str]:
    """Render the site's files: path below its folder -> text.

    Args:
        runs: each with a name of its own, in the order in which methods get their colours.
        materials: frames for crops, of the runs whose frames can be read.
        budget: bytes of all crops together.
    """
    folders = _folders([run.name for run in runs])
    found = boards({run.name: run.records for run in runs})
    methods = order_of(record for board in found for record in board.records)
    files = _crops(found, materials or {}, budget)
    names = _folders([board.title for board in found])
    drawn = [
        (board, sorted_table(board, methods, folders), _plots(board, methods), _address(names[board.title], files))
        for board in found
    ]
    listed = _listed(runs, folders)
    files[INDEX] = html.page("site_index.html", _SCRIPTS, len(methods), boards=drawn, runs=listed, size=panels)
    for run in runs:
        place = f"{RUNS}/{folders[run.name]}"
        lines = [json.dumps(record.to_json(), allow_nan=False) for record in run.records]
        files[f"{place}/{RECORDS}"] = "\n".join(lines) + "\n"
        files[f"{place}/{INDEX}"] = _run_page(run)
    return files


def _crops(found: Sequence[Board], materials: crops.Materials, budget: int) -> dict[str, str]:
    """A page of crops for each board of which frames can be read; each has an equal share of the budget."""
    names = _folders([board.title for board in found])
    held = {board.title: (board, clips) for board in found if (clips := crops.of_board(board, materials))}
    pages = {}
    for title, (board, clips) in held.items():
        if kept := crops.within(clips, budget / len(held)):
            data = crops.data(kept, board.table.methods)
            text = html.page("site_crops.html", ("dom", "crops"), 0, title=title, data=data)
            pages[f"{CROPS}/{names[title]}/{INDEX}"] = text
    return pages


def _address(name: str, files: Collection[str]) -> str:
    """The address of a board's crops; empty if there are none."""
    address = f"{CROPS}/{name}/{INDEX}"
    return address if address in files else ""


def _run_page(run: SiteRun) -> str:
    """The provenance of a run's rows: each record, the signatures, the environments."""
    named = {f"{run.name}, worker {worker}" if worker else run.name: e for worker, e in run.environments.items()}
    return html.page(
        "site_run.html",
        _SCRIPTS,
        0,
        name=run.name,
        records=[(record, _scores(record), _times(record)) for record in run.records],
        environments=environment.of_runs(named),
        described=environment.of_methods(run.records),
        fact_names=environment.METHOD_FACTS,
        signatures=environment.signatures(run.records),
    )


def _plots(board: Board, methods: list[str]) -> list[tuple[str, list[panels.Panel]]]:
    """Panels of a board; names beside the points only where there are few, since the table has the same marks."""
    return [
        (title, [each if len(each.marks) <= _MOST_NAMED else replace(each, labels=[]) for each in drawn])
        for title, drawn in panels.of_tables([board.table], methods)
    ]


def _listed(runs: Sequence[SiteRun], folders: dict[str, str]) -> list[tuple[str, str, str]]:
    """(name, address, summary) of each run."""
    found = []
    for run in runs:
        cells = len(run.records)
        modified = any(each.get("dirty") for each in run.environments.values())
        unknown = not run.environments or any(each.get("dirty") is None for each in run.environments.values())
        state = "code modified locally" if modified else "state of the code not known" if unknown else ""
        days = max(record.date for record in run.records)[:10]
        summary = f"{cells} cells, measured until {days}" + (f"; {state}" if state else "")
        found.append((run.name, f"{RUNS}/{folders[run.name]}/{INDEX}", summary))
    return found


def _folders(names: Sequence[str]) -> dict[str, str]:
    """A plain folder name for each run: letters, digits, dots, dashes; no two alike whatever the case."""
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:60] or "run"
        taken = {each.lower() for each in found.values()}
        numbered = (f"{plain}-{number}" if number > 1 else plain for number in range(1, len(names) + 2))
        found[name] = next(each for each in numbered if each.lower() not in taken)
    return found


def _scores(record: Record) -> list[str]:
    return [_score(score) for score in record.scores.values()]


def _score(score: Score) -> str:
    if not score.values:
        return f"{score.short}: not taken" + (f" ({score.reason})" if score.reason else "")
    return (
        f"{score.short} {figure(mean(score.values), score.digits)} {score.unit}".strip() + f" (n={len(score.values)})"
    )


def _times(record: Record) -> str:
    if not record.timing:
        return record.timing_reason or "none"
    each_scope = {scope: figure(1e3 * times.median_s / record.frames, None) for scope, times in record.timing.items()}
    return "; ".join(
        f"{scope}: {text} ms per frame, {len(record.timing[scope].repetitions)} repetitions"
        for scope, text in each_scope.items()
    )
