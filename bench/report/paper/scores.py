"""A table of scores as papers print it: methods down, data sets and their metrics across, cited rows below."""

from __future__ import annotations

from dataclasses import replace

from bench import labels
from bench.report import cited
from bench.report.columns import FACTS, Column, Fact
from bench.report.grid import MARKS, Block, Cell, Grid, Head, Provenance, listed
from bench.report.paper.gather import rows_of
from bench.report.paper.spec import ColumnRule, Spec
from bench.report.summary import UNITS
from bench.report.tables import RANDOM, TRAINED, TRAINED_NOTE, Table, tables
from bench.store.record import Record

_HEADS = {  # of columns without a measured figure: (title, unit, better)
    "psnr": ("PSNR", "dB", "higher"),
    "ssim": ("SSIM", "", "higher"),
    "lpips-alex": ("LPIPS-alex", "", "lower"),
    "dists": ("DISTS", "", "lower"),
    "ms_per_frame": ("time per frame", "ms", "lower"),
    "fps": ("FPS", "1/s", "higher"),
    "mpx_per_s": ("output", "Mpx/s", "higher"),
    "peak_memory_mb": ("peak memory", "MiB", "lower"),
}


def grid(spec: Spec, runs: dict[str, list[Record]], published: list[cited.Figure]) -> Grid:
    """Build the table; a cell that was not measured is a dash, and the notes say so."""
    rows = rows_of(spec, runs)
    records = [record for found in rows.values() for record in found]
    heads, parts, captions, notes = [Head("method", numeric=False)], [], [], []
    for rule in spec.columns:
        table, own = _measured(rule, rows)
        notes += own
        if table:
            captions.append(f"{rule.title}: {table.caption}")
            notes += [f"{rule.title}: {each}" for each in table.notes]
        for metric in rule.metrics:
            column = next((c for c in table.columns if c.metric == metric), None) if table else None
            heads.append(Head(FACTS.get(metric) or _head(metric, column), rule.title))
            parts.append((rule, metric, table, column))
    lines = []
    for label in rows:
        cells = [
            _fact(metric, [record for record in rows[label] if record.data in rule.data])
            if metric in FACTS
            else _cell(label, table, column)
            for rule, metric, table, column in parts
        ]
        untrained = any(table and label in table.random for _, _, table, _ in parts)
        lines.append((Cell(label, sup=RANDOM if untrained else ""), *cells))
    blocks = [Block(tuple(lines), "measured here" if spec.cite else "")]
    more, cited_notes = _cited(spec, parts, published, records)
    blocks += more
    if any(cell.text == "–" and not cell.sup for block in blocks for line in block.rows for cell in line[1:]):
        cited_notes.append("– not measured" + (", or not published" if more else ""))
    marked = any(cell.mark for line in lines for cell in line)
    trained = any(cell.sup == TRAINED for line in lines for cell in line)
    legend = [*([MARKS] if marked else []), *([f"{TRAINED} {TRAINED_NOTE}"] if trained else [])]
    caption = "; ".join([*captions, *legend, *([spec.note] if spec.note else [])])
    return Grid(spec.title, caption or "not measured", tuple(heads), tuple(blocks), tuple([*notes, *cited_notes]))


def _measured(rule: ColumnRule, rows: dict[str, list[Record]]) -> tuple[Table | None, list[str]]:
    """(the measured table of a data set with the rows' labels as methods, notes on rows and sets that are left out)."""
    here = [replace(r, method=label) for label, found in rows.items() for r in found if r.data in rule.data]
    lacking = listed(name for name in rule.data if name not in {r.data for r in here})
    versions: dict[str, str] = {}
    if len(rule.data) > 1:
        versions = {_clip(r.clip, r.data): _clip(r.clip, labels.parts(r.data)[0]) for r in here}
        here = _pooled(here, rule.title)
    right = [r for r in here if rule.protocol in (None, r.protocol)]
    if not right:
        why = f", or under protocol {listed(r.protocol for r in here)} alone" if here else ""
        return None, [f"{rule.title}: not measured{why}"]
    shown = {name for metric in rule.metrics for name in (metric, f"{metric}-gt")}
    right = [replace(r, scores={name: r.scores[name] for name in r.scores if name in shown}) for r in right]
    left = listed(r.method for r in here if rule.protocol not in (None, r.protocol))
    notes = [f"{rule.title}: {left} not under protocol {rule.protocol}, left out"] if left else []
    notes += [f"{rule.title}: {lacking} not measured, the means are over the other sets"] if lacking else []
    return replace(tables(right)[0], versions=versions), notes


def _pooled(records: list[Record], title: str) -> list[Record]:
    """Records of several data sets as those of one, in which each clip of each set is a clip."""
    expected = sum({record.data: record.expected_clips for record in records}.values())
    return [replace(r, data=title, clip=_clip(r.clip, r.data), expected_clips=expected) for r in records]


def _clip(clip: str, data: str) -> str:
    return f"{clip} of {data}"


def _head(metric: str, column: Column | None) -> str:
    if column:
        return column.header
    title, unit, better = _HEADS.get(metric, (metric, UNITS.get(metric, ""), ""))
    return Column(metric, title, unit, better, None, None).header if better else title


def _cell(label: str, table: Table | None, column: Column | None) -> Cell:
    if table is None or column is None or label not in table.methods:
        return Cell("–")
    return table.cell(label, column, counted=True)


def _fact(name: str, records: list[Record]) -> Cell:
    return Cell(Fact(name, FACTS[name]).text(records))


def _cited(
    spec: Spec, parts: list, published: list[cited.Figure], records: list[Record]
) -> tuple[list[Block], list[str]]:
    """Blocks of cited rows, one for each group, and the notes on their marks."""
    wanted = {name.lower(): rule for rule, *_ in parts for name in rule.data}
    lines: dict[tuple[str, str, str, int], dict[tuple[str, str], cited.Figure]] = {}
    for each in published:
        if each.data.lower() not in wanted or not any(
            c.fits(each.group, each.method, each.protocol) for c in spec.cite
        ):
            continue
        key, turn = (each.data.lower(), each.metric), 0
        while key in lines.setdefault((each.group, each.method, each.source, turn), {}):
            turn += 1  # a source that has a method under two protocols on one data set: two rows
        lines[each.group, each.method, each.source, turn][key] = each
    origins: dict[tuple[str, str], None] = {}
    for (_, _, source, _), found in lines.items():
        origins.setdefault((source, _protocols(found, wanted)))
    letters = {origin: cited.letter_of(index, len(origins)) for index, origin in enumerate(origins)}
    blocks, unlike = [], False
    for group in dict.fromkeys(key[0] for key in lines):
        block = []
        for (own, method, source, _), found in lines.items():
            if own != group:
                continue
            cells = [Cell(method, sup=cited.CITED + letters[source, _protocols(found, wanted)])]
            for rule, metric, _, column in parts:
                keys = [(name.lower(), cited.METRICS.get(metric, metric)) for name in rule.data]
                quoted = next((found[key] for key in keys if key in found), None)
                same = [r for r in records if r.data in rule.data]
                apart = quoted is not None and column is not None and not quoted.alike(column, same)
                unlike = unlike or apart
                cells.append(_cited_cell(quoted, apart))
            block.append(tuple(cells))
        blocks.append(Block(tuple(block), f"cited, group {group}", f"cited, group {group}"))
    notes = [f"{cited.CITED}{letter} cited: {source}; {protocols}" for (source, protocols), letter in letters.items()]
    if unlike:
        notes.append(f"{cited.UNLIKE} another protocol or other LR frames than the column's: do not compare")
    return blocks, notes


def _protocols(found: dict[tuple[str, str], cited.Figure], wanted: dict[str, ColumnRule]) -> str:
    """A source's own words on its protocols, data set by data set."""
    pairs = dict.fromkeys((each.protocol, wanted[data].title) for (data, _), each in found.items())
    protocols = dict.fromkeys(protocol for protocol, _ in pairs)
    return "; ".join(f"{', '.join(title for p, title in pairs if p == protocol)}: {protocol}" for protocol in protocols)


def _cited_cell(each: cited.Figure | None, apart: bool) -> Cell:
    if each is None:
        return Cell("–")
    source = Provenance(
        "published", each.data, each.value, f"group {each.group}", "", f"{each.protocol}; {each.source}"
    )
    return Cell(each.value, sup=cited.UNLIKE if apart else "", sources=(source,))
