"""Estimate of a run's time from earlier work of the same kind; unknown where there is none."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from omegaconf import OmegaConf

from bench.run.cell import Cell
from bench.run.plan import MethodOnData
from bench.run.units import PARTS, SCORING, Opened, Step, Unit, sees
from bench.store.keys import combined
from bench.store.record import Record
from bench.store.records import is_run, load
from bench.store.store import Store
from frames.errors import UserError


def cost_key(group: Sequence[MethodOnData], step: Step = "all") -> str:
    """Key of everything that a unit's cost depends on, its pixels and the device excepted."""
    first = group[0]
    names = [name for name, metric in first.metrics.items() if step not in PARTS or sees(step, metric)]
    every = [first.protocol.every] if first.protocol.every > 1 else []
    if step in SCORING:
        return combined("scoring", len(group), sorted(names), first.protocol.name, first.config.scale, *every)
    timing = OmegaConf.to_container(first.config.timing)
    scored: list = ["upscaling alone"] if step == "upscale" else [sorted(first.metrics), *every]
    return combined([plan.method_config for plan in group], timing, *scored, first.config.threads)


def keep_cost(cells: Sequence[Cell], unit: Unit, seconds: float, store: Store) -> None:
    """Store the cost of a unit's cells, for plans of later runs."""
    if unit.pixels and cells:
        key = cost_key([cell.plan for cell in cells], unit.step)
        store.keep_cost(key, cells[0].machine.name, seconds / unit.pixels)


def estimated(units: Sequence[Unit], opened: Opened, store: Store, device: str = "") -> list[Unit]:
    """The units with their cost where it is known.

    Args:
        device: the device whose costs count; empty: the slowest of those known.
    """
    known: dict[str, dict[str, float]] = {}
    found = []
    for unit in units:
        key = cost_key(opened.group(unit), unit.step)
        if key not in known:
            known[key] = store.costs(key)
        costs = known[key]
        rate = costs.get(device) if device else max(costs.values(), default=None)
        found.append(replace(unit, cost_s=None if rate is None else rate * unit.pixels))
    return found


def devices(units: Sequence[Unit], opened: Opened, store: Store) -> list[str]:
    """The devices on which some of these units have a known cost."""
    keys = dict.fromkeys(cost_key(opened.group(unit), unit.step) for unit in units)
    return list(dict.fromkeys(device for key in keys for device in store.costs(key)))


def hours(units: Sequence[Unit], workers: int) -> float:
    """Hours for units of known cost if each worker, when it is free, takes the longest that is left."""
    free = [0.0] * min(workers, max(1, len(units)))
    for cost in sorted((unit.cost_s or 0.0 for unit in units), reverse=True):
        free[free.index(min(free))] += cost
    return max(free, default=0.0) / 3600


@dataclass(frozen=True)
class ExistingCells:
    """Numbers of a plan's cells that are recorded in the run's folder, and whose frames are in the store."""

    recorded: int
    in_store: int


def count_existing(opened: Opened, out: str | None, store: Store) -> ExistingCells:
    """Count the cells that exist already, by the records of the folder and of its neighbours; no frame is read."""
    own = Path(out) if out else None
    near = own.parent if own else Path("results") / "runs"
    folders = [folder for folder in sorted(near.glob("*")) if is_run(folder)] if near.is_dir() else []
    recorded = 0
    wanted = {(p.data, c.name, p.method): p for p in opened.plans for c in p.clips}
    in_store: set[tuple[str, str, str]] = set()
    for folder in folders:
        for record in _records(folder, wanted):
            if not record.ok or not _fits(record, wanted[record.cell]):
                continue
            recorded += own is not None and folder == own
            if record.prediction and store.has_prediction(record.prediction):
                in_store.add(record.cell)
    return ExistingCells(recorded, len(in_store))


def _fits(record: Record, plan: MethodOnData) -> bool:
    ours = {key: value for key, value in plan.data_config.items() if key != "clips"}
    theirs = {key: value for key, value in record.data_config.items() if key != "clips"}
    return record.method_config == plan.method_config and ours == theirs


def _records(folder: Path, cells: Container[tuple]) -> list[Record]:
    try:
        return load(folder, cells).records
    except UserError:
        return []
