"""Stage times: a bar for each method, divided into the stages that it announced."""

from __future__ import annotations

from dataclasses import dataclass

from bench.report.machines import split_by_canary
from bench.report.page.figures import three
from bench.store.record import Record


@dataclass(frozen=True)
class Part:
    """One stage of a bar: its share in thousandths, the strength of its colour in percent, and a tip."""

    share: int
    shade: int
    tip: str


@dataclass(frozen=True)
class Bar:
    """A method's time in shares of its own total, because methods differ by orders of magnitude."""

    index: int
    method: str
    total: str
    parts: list[Part]
    in_words: str


def of_records(records: list[Record], methods: list[str]) -> list[tuple[str, str, list[Bar]]]:
    """(data set, scope, bars) of each scope and, where there are several, each device on which something was timed."""
    found = []
    records = split_by_canary(records)
    for data in dict.fromkeys(record.data for record in records):
        here = [record for record in records if record.data == data and record.ok]
        timed = dict.fromkeys((scope, record.device) for record in here for scope in record.timing)
        for scope, device in timed:
            own = [record for record in here if record.device == device]
            bars = [_bar(method, [r for r in own if r.method == method], scope, methods) for method in methods]
            several = len({each for _, each in timed}) > 1
            if drawn := [bar for bar in bars if bar]:
                found.append((data, f"{scope}, {device}" if several else scope, drawn))
    return found


def _bar(method: str, records: list[Record], scope: str, methods: list[str]) -> Bar | None:
    """Each stage's median, summed over the clips; the total is that of tables, not the sum of the stages' medians."""
    stages: dict[str, float] = {}
    timed = [record for record in records if scope in record.timing]
    frames = sum(record.frames for record in timed)
    whole = 0.0
    for record in timed:
        whole += 1e3 * record.timing[scope].median_s / frames
        for name, seconds in record.timing[scope].stage_medians_s.items():
            stages[name] = stages.get(name, 0.0) + 1e3 * seconds / frames
    total = sum(stages.values())
    if not 0 < total < float("inf"):
        return None
    parts = [
        Part(
            round(1000 * value / total),
            100 - 60 * order // max(1, len(stages) - 1),
            f"{name}: {three(value)} ms, {value / total:.0%}",
        )
        for order, (name, value) in enumerate(stages.items())
    ]
    in_words = ", ".join(f"{name} {three(value)} ms ({value / total:.0%})" for name, value in stages.items())
    return Bar(methods.index(method), method, f"{three(whole)} ms per frame", parts, in_words)
