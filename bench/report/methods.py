"""Facts about a record's method: the options in its label, and whether its weights are trained."""

from __future__ import annotations

import re
from typing import Any

from bench.labels import parts
from bench.store.record import Record

RANDOM_NOTE = "random weights: timed only, its pictures mean nothing"


def option(record: Record, name: str) -> Any:
    """A method's option, from its configuration, else from its label (as text); None if it has no such option."""
    configured = record.method_config
    return configured[name] if name in configured else parts(record.method)[1].get(name)


def steps(record: Record) -> int | None:
    """The sampling steps of a few-step model; None for a method without such an option."""
    value = option(record, "steps")
    return int(value) if value is not None and str(value).isdigit() else None


def is_random(record: Record) -> bool:
    """Whether a record's descriptor says that nobody trained these weights."""
    if record.descriptor is None:
        return False
    weights, notes = record.descriptor.weights, record.descriptor.notes
    return bool(
        re.search(r"\b(random(ly)?|untrained)\b", weights, re.I)
        or re.search(r"\brandom(ly initiali[sz]ed)? weights\b|\bweights (are|at) random\b|\buntrained\b", notes, re.I)
    )


def random_methods(records: list[Record]) -> set[str]:
    """The methods whose weights are random in any of these records."""
    return {record.method for record in records if is_random(record)}


def trained_on(records: list[Record]) -> dict[str, set[str]]:
    """For each method the metrics that it was trained on, in any of these records."""
    found: dict[str, set[str]] = {}
    for record in records:
        if record.descriptor is not None:
            found.setdefault(record.method, set()).update(record.descriptor.trained_on)
    return found
