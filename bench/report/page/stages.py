"""Where the time goes: a bar a method, cut into the stages that the method announced."""

from __future__ import annotations

from html import escape

from bench.report.page import marks
from bench.report.page.figures import three
from bench.store.record import Record
from bench.timing.stats import median


def section(records: list[Record], methods: list[str]) -> str:
    """A bar a data set, scope and method, as shares of its own time: the methods are orders of magnitude apart."""
    parts = []
    for data in dict.fromkeys(record.data for record in records):
        here = [record for record in records if record.data == data and record.status == "ok"]
        for scope in dict.fromkeys(scope for record in here for scope in record.timing):
            bars = [_bar(method, [r for r in here if r.method == method], scope, methods) for method in methods]
            bars = [bar for bar in bars if bar]
            if bars:
                head = f"<h3>{escape(data)}, scope {escape(scope)}</h3>"
                parts.append(f'<div class="card">{head}<div class="bars">{"".join(bars)}</div></div>')
    return "".join(parts) or "<p>Nothing was timed.</p>"


def _bar(method: str, records: list[Record], scope: str, methods: list[str]) -> str | None:
    """Each stage's median, summed over the clips."""
    timed = [(r.frames, r.timing[scope].repetitions) for r in records if scope in r.timing]
    frames = sum(count for count, _ in timed)
    if not frames:
        return None
    names = dict.fromkeys(name for _, repetitions in timed for each in repetitions for name in each.stages_s)
    stages = {
        name: 1e3
        * sum(median([each.stages_s.get(name, 0.0) for each in repetitions]) for _, repetitions in timed)
        / frames
        for name in names
    }
    total = sum(stages.values())
    if total <= 0:
        return None
    parts = [
        f'<span style="flex-grow:{1000 * value / total:.0f};--shade:{100 - 60 * order // max(1, len(stages) - 1)}%" '
        f'title="{escape(name)}: {three(value)} ms, {value / total:.0%}"></span>'
        for order, (name, value) in enumerate(stages.items())
    ]
    said = ", ".join(f"{name} {three(value)} ms ({value / total:.0%})" for name, value in stages.items())
    index = methods.index(method)
    return (
        f'<div class="bar {marks.css_class(index)}"><b>{marks.key(index)}{escape(method)}</b>'
        f'<span class="total">{three(total)} ms per frame</span>'
        f'<div class="parts" aria-hidden="true">{"".join(parts)}</div><p>{escape(said)}</p></div>'
    )
