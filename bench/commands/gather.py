"""Records and frames of several runs together, under distinct names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.commands.frames import RunFrames
from bench.commands.reading import read_environment
from bench.report.merge import merged, relabelled, run_names
from bench.report.page.material import Material, sr
from bench.store.record import Record


@dataclass(frozen=True)
class Gathered:
    """Records with the names that a report shows, the material of each clip, and each run's environment."""

    records: list[Record]
    materials: list[Material]
    environments: dict[str, dict]


def gather(runs: list[Path], store: Path | None = None, config_dirs: tuple[str, ...] = ()) -> Gathered:
    """Read the runs; their methods have the labels of `bench.report.merge`.

    Raises:
        UserError: one of them is no run, or two used one data set under unlike options.
    """
    opened = {str(folder): RunFrames(folder, store, config_dirs) for folder in runs}
    records = {name: run.records for name, run in opened.items()}
    new = relabelled(records)
    materials: dict[tuple[str, str], Material] = {}
    for name, run in opened.items():
        labels: dict[tuple[str, str], dict[str, str]] = {}  # (data, clip) -> source -> source in the report
        for (data, clip, method), label in new[name].items():
            labels.setdefault((data, clip), {})[sr(method)] = sr(label)
        for material in run.materials():
            _add(material, labels.get(material.place, {}), materials)
    names = run_names(opened)
    environments = {names[name]: read_environment(run.run / "environment.json") for name, run in opened.items()}
    return Gathered(merged(records), list(materials.values()), environments)


def _add(material: Material, here: dict[str, str], materials: dict[tuple[str, str], Material]) -> None:
    """Add a run's clip to the same clip of earlier runs, under the labels that its methods have in the report."""
    material.sources = {here.get(name, name): read for name, read in material.sources.items()}
    material.absent = {here.get(name, name): reason for name, reason in material.absent.items()}
    known = materials.setdefault(material.place, material)
    if known is not material:
        known.sources |= material.sources
        absent = known.absent | material.absent
        known.absent = {name: reason for name, reason in absent.items() if name not in known.sources}
