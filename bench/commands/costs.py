"""Time of each metric per frame, for `python -m bench list --cost`: read from the store, or measured if new."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import torch

from bench.commands.list import is_open, summary
from bench.environment import device_name, snapshot
from bench.groups import members
from bench.metrics import cost
from bench.metrics.base import Metric
from bench.metrics.protocol import RGB
from bench.metrics.registry import build, is_suite
from bench.paths import default_store
from bench.store.keys import combined
from bench.store.store import Store
from bench.timing.contention import contended
from frames.errors import one_line

_NONE, _BUSY = "–", "~"


@dataclass(frozen=True)
class Cost:
    """A metric's cost in seconds a frame, and whether other processes were busy while it was measured."""

    seconds: float
    busy: bool


def rows(config_dirs: tuple[str, ...] = ()) -> tuple[list[tuple[str, str, str]], str]:
    """The cost of each metric: rows of (metric, cost of a frame, summary), and the conditions in one line.

    Each cost is stored when it is measured, so that a second call, or one after Ctrl-C, measures only what is missing.
    A cost of a busy machine is marked and not stored. Errors of single metrics are printed on stderr.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    environment = snapshot(device)
    machine = device_name(environment)
    store = Store(default_store())
    found = []
    with store.in_use():
        for name, file in members("metric", config_dirs).items():
            if is_open(file) or is_suite(name, config_dirs):
                found.append((name + ("/NAME" if is_open(file) else ""), _NONE, summary(file)))
                continue
            try:
                metric = build(name, RGB, device=device, config_dirs=config_dirs)
                text = _text(_cost(name, metric, machine, store))
            except Exception as error:  # a metric of the user's own, a program that fails: the others count
                text = _NONE
                print(f"bench: {name}: {one_line(error)}", file=sys.stderr)
            found.append((name, text, summary(file)))
    height, width = cost.SIZE
    note = f"a frame of {width}x{height}, SR and GT, in one process: {machine}, torch {torch.__version__}"
    busy = (
        f"; {_BUSY} the machine was busy: measured again the next time" if any(_BUSY in row[1] for row in found) else ""
    )
    return found, note + busy


def key_of(metric: Metric) -> str:
    """Key of a metric's costs in the store."""
    return combined("cost of a metric", metric.signature, cost.SIZE, torch.__version__)


def _cost(name: str, metric: Metric, machine: str, store: Store) -> Cost:
    """The stored cost of a metric, or else a measured one."""
    key = key_of(metric)
    known = store.costs(key).get(machine)
    if known is not None:
        return Cost(known, busy=False)
    print(f"bench: measuring {name}", file=sys.stderr, flush=True)
    with contended() as others:
        seconds = cost.seconds_per_frame(metric)
    if not others.busy:
        store.keep_cost(key, machine, seconds)
    return Cost(seconds, others.busy)


def _text(found: Cost) -> str:
    amount = f"{found.seconds:.3g} s" if found.seconds >= 1 else f"{1000 * found.seconds:.3g} ms"
    return f"{amount} {_BUSY}" if found.busy else amount
