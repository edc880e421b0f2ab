"""`python -m bench run ... --dry-run`: the plan, the results that exist already, and the estimated cost."""

from __future__ import annotations

from bench.config import Combination
from bench.launch.options import LaunchOptions
from bench.run.estimate import count_existing, devices, estimated, hours
from bench.run.plan import open_plan
from bench.run.units import PARTS, Opened, Split, Unit, split_for, units_of
from bench.run.watching import duration
from bench.store.store import Store
from frames.errors import OK

COUNTS = (1, 2, 4, 8, 16, 32, 64)


def dry_run(combinations: list[Combination], launch: LaunchOptions) -> int:
    """Print the plan of a run without measuring or writing anything."""
    root = combinations[0].config
    plans, store = open_plan(combinations), Store(root.store)
    split = Split() if launch.is_plain else split_for(plans, launch.total, launch.scorers is not None)
    opened, units = Opened(plans), units_of(plans, split)
    upscaled = [unit for unit in units if not unit.scores]
    cells = sum(len(unit.methods) for unit in upscaled)
    frames = sum(unit.frames * len(unit.methods) for unit in upscaled)
    scales = {plan.data: plan.config.scale for plan in plans}
    raw = sum(3 * unit.pixels * scales[unit.data] ** 2 * len(unit.methods) for unit in upscaled)
    existing = count_existing(opened, root.out, store)
    scoring = f" ({len(units) - len(upscaled)} of them scoring)" if split.scoring else ""
    print(f"{len(units)} units{scoring}: {cells} cells (clip and method), {frames} frames")
    if parts := [unit for unit in units if unit.step in PARTS]:
        print(f"scoring of {sum(unit.joins for unit in units)} clips is cut in {len(parts)} parts")
    for data in dict.fromkeys(plan.data for plan in plans):
        own = [unit for unit in upscaled if unit.data == data]
        clips = {unit.clip for unit in own}
        methods = dict.fromkeys(method for unit in own for method in unit.methods)
        print(f"  {data}: {len(clips)} clips; {', '.join(methods)}")
    print(f"recorded in this folder: {existing.recorded} of {cells} cells; frames in the store: {existing.in_store}")
    print(
        "(found by the records of this folder and its neighbours; the run itself looks by content, and may find more)"
    )
    print(f"SR frames: {raw / 1e9:.3g} GB as bytes, less as PNG files in the store")
    for line in _times(units, opened, store, launch.count if not launch.is_plain else 0):
        print(line)
    return OK


def _times(units: list[Unit], opened: Opened, store: Store, count: int) -> list[str]:
    """Lines on the time to compute everything anew, by device and number of workers."""
    found = []
    for device in devices(units, opened, store):
        costed = estimated(units, opened, store, device)
        known = [unit for unit in costed if unit.cost_s is not None]
        counts = sorted({1, *(each for each in COUNTS if each <= 2 * count), max(1, count)})
        times = ", ".join(f"{n} worker{'s' * (n > 1)} {duration(3600 * hours(known, n))}" for n in counts)
        rest = len(units) - len(known)
        found.append(f"time on {device}, all computed anew: {times}" + (f"; unknown for {rest} units" if rest else ""))
    return found or ["time: unknown, since none of this was measured before with this store"]
