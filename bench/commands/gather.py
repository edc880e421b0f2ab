"""Several runs as one: their records and frames side by side, with names that tell them apart."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from bench.commands.frames import RunFrames
from bench.report.page.material import Material, sr
from bench.store.record import Record
from frames.errors import UserError, one_line
from frames.texts import read_json


@dataclass(frozen=True)
class Gathered:
    """Records with the names that a report shows, one material a clip, and each run's environment."""

    records: list[Record]
    materials: list[Material]
    environments: dict[str, dict]


def gather(runs: list[Path], store: Path | None = None, config_dirs: tuple[str, ...] = ()) -> Gathered:
    """Read the runs. What two runs measured under one name gets the run's name added, from the second run on.

    Raises:
        UserError: one of them is no run.
    """
    names = _names(runs)
    records: list[Record] = []
    materials: dict[tuple[str, str], Material] = {}
    environments: dict[str, dict] = {}
    for name, folder in names.items():
        run = RunFrames(folder, store, config_dirs)
        renamed = _renamed(run.records, records, name)
        for material in run.materials():
            _add(material, renamed, materials)
        records += [
            replace(r, data=renamed[r.data, r.method][0], method=renamed[r.data, r.method][1]) for r in run.records
        ]
        environments[name] = _environment(folder / "environment.json")
    return Gathered(records, list(materials.values()), environments)


def _environment(file: Path) -> dict:
    """A run's environment.json; a damaged one is said on stderr, and counts as absent."""
    if not file.exists():
        return {}
    try:
        found = read_json(file)
        if isinstance(found, dict):
            return found
        raise UserError(f"{file}: not a run's environment")
    except (UserError, ValueError, OSError) as error:
        print(f"bench: {one_line(error)}; the report goes on without it", file=sys.stderr)
        return {}


def _names(runs: list[Path]) -> dict[str, Path]:
    """The folders by their last name, or by the whole path where that would not tell them apart."""
    folders = [Path(run) for run in dict.fromkeys(runs)]
    alone = len({folder.name for folder in folders}) == len(folders)
    return {folder.name or str(folder) if alone else str(folder): folder for folder in folders}


def _renamed(new: list[Record], before: list[Record], run: str) -> dict[tuple[str, str], tuple[str, str]]:
    """(data, method) of a run -> what they are called in the report."""
    options = {record.data: record.data_config for record in before}
    cells = {(record.data, record.clip, record.method) for record in before}
    found = {}
    for data in dict.fromkeys(record.data for record in new):
        here = [record for record in new if record.data == data]
        label = data if options.get(data, here[0].data_config) == here[0].data_config else f"{data} ({run})"
        for method in dict.fromkeys(record.method for record in here):
            twice = any((label, r.clip, method) in cells for r in here if r.method == method)
            found[data, method] = label, f"{method} ({run})" if twice else method
    return found


def _add(material: Material, renamed: dict, materials: dict[tuple[str, str], Material]) -> None:
    """Put a run's clip beside the same clip of the runs before."""
    old = material.data
    labels = {sr(method): sr(new[1]) for (data, method), new in renamed.items() if data == old}
    material.data = next(new[0] for (data, _), new in renamed.items() if data == old)
    material.sources = {labels.get(name, name): read for name, read in material.sources.items()}
    material.absent = {labels.get(name, name): reason for name, reason in material.absent.items()}
    known = materials.setdefault((material.data, material.clip), material)
    if known is not material:
        known.sources |= material.sources
        absent = known.absent | material.absent
        known.absent = {name: reason for name, reason in absent.items() if name not in known.sources}
