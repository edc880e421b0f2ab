"""Environments of the runs, descriptions of the methods, signatures of the figures."""

from __future__ import annotations

from typing import Any

from bench.report.columns import Fact
from bench.report.summary import rows
from bench.store.record import Record

_DESCRIPTOR_FACTS = ("kind", "device", "dtype", "parameters", "weights", "licence", "size_rule", "frame_rule", "notes")
ARITHMETIC = "GMAC per frame"
METHOD_FACTS = (*_DESCRIPTOR_FACTS[:4], ARITHMETIC, *_DESCRIPTOR_FACTS[4:])


def of_runs(environments: dict[str, dict[str, Any]]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(run, its command, [(name, value)]) of each run; entries of unexpected types are shown as text."""
    found = []
    for run, environment in environments.items():
        pairs = {key: value for key, value in environment.items() if key not in ("command", "packages", "gpu")}
        pairs |= {f"GPU {key}": value for key, value in _mapping(environment.get("gpu")).items()}
        pairs |= _mapping(environment.get("packages"))
        shown = [(str(key), _plain(value)) for key, value in pairs.items()]
        found.append((run, str(environment.get("command", "")), shown))
    return found


def of_methods(records: list[Record]) -> list[tuple[str, list[str]]]:
    """(method, its `METHOD_FACTS`) of each method with a descriptor."""
    found = {record.method: record.descriptor for record in records if record.descriptor}
    counted = Fact("macs", ARITHMETIC)
    made = []
    for method, descriptor in found.items():
        facts = {name: _plain(getattr(descriptor, name)) for name in _DESCRIPTOR_FACTS}
        facts[ARITHMETIC] = counted.text([record for record in records if record.method == method])
        made.append((method, [facts[name] for name in METHOD_FACTS]))
    return made


def signatures(records: list[Record]) -> list[tuple[str, str]]:
    """(figure, its signature), each once."""
    return list(dict.fromkeys((row.metric, row.signature) for row in rows(records)))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _plain(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and value >= 10000:
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(f"{item:.2f}" if isinstance(item, float) else str(item) for item in value)
    return str(value)
