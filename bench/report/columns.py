"""The columns that records can fill: speed, quality under one recipe, and facts about a method."""

from __future__ import annotations

from dataclasses import dataclass

from bench.report.grid import figure
from bench.report.summary import Row
from bench.store.record import Record
from frames.errors import UserError, did_you_mean

_SPEED = {  # metric: (title, unit, better, digits)
    "fps": ("FPS", "1/s", "higher", None),
    "ms_per_frame": ("time per frame", "ms", "lower", None),
    "mpx_per_s": ("output", "Mpx/s", "higher", None),
    "peak_memory_mb": ("peak memory", "MiB", "lower", 0),
    "energy_j_per_frame": ("energy per frame", "J", "lower", None),
}
_ARROWS = {"higher": " ↑", "lower": " ↓", "nearer": " →GT", "none": ""}


def headed(title: str, unit: str, better: str) -> str:
    """A column's head: `PSNR-RGB [dB] ↑`; without an arrow where a metric has no direction."""
    return f"{title} [{unit}]{_ARROWS[better]}" if unit else f"{title}{_ARROWS[better]}"


@dataclass(frozen=True)
class Column:
    """One metric under one recipe: unlike signatures make unlike columns."""

    metric: str
    title: str
    unit: str
    better: str
    digits: int | None  # None: three significant digits
    signature: str | None  # None for times: their recipe is in the caption and in summary.csv
    device: str | None = None  # of times, where a table has several devices: each has its own column
    best: float | None = None  # GT's own value, where nearer to it is better and it is one number

    @property
    def header(self) -> str:
        return headed(f"{self.title}, {self.device}" if self.device else self.title, self.unit, self.better)

    @property
    def is_quality(self) -> bool:
        return self.metric.split("-")[0] not in _SPEED

    @property
    def ranks(self) -> bool:
        """Whether it ranks methods: GT's own value, which has no direction, and times do not."""
        return self.is_quality and self.better != "none"

    def holds(self, row: Row) -> bool:
        """Whether a row's figure belongs here."""
        return (
            row.metric == self.metric
            and self.signature in (None, row.signature)
            and self.device in (None, device_of(row))
        )


@dataclass(frozen=True)
class Fact:
    """A column with a fact about a method, such as its licence, instead of a result."""

    name: str
    header: str
    is_quality = False

    def text(self, records: list[Record]) -> str:
        """The fact in a method's records; a dash if they do not say."""
        if self.name == "macs":
            return _macs_per_frame(records)
        found = dict.fromkeys(text for record in records if (text := self._one(record)))
        if self.name == "size" and len(found) > 1:
            order = sorted(found, key=lambda size: [int(side) for side in size.split("×")])
            return f"{order[0]} to {order[-1]}"
        return ", ".join(found) or "–"

    def _one(self, record: Record) -> str:
        if self.name == "size":
            if not record.frames:  # a clip that could not be opened
                return ""
            height, width = (record.scale * side for side in record.lr_size)
            return f"{width}×{height}"
        if self.name == "parameters":
            count = record.descriptor.parameters if record.descriptor else 0
            return f"{count / 1e6:.2f}" if count else ""
        if self.name == "device":
            return record.device
        return getattr(record.descriptor, {"precision": "dtype"}.get(self.name, self.name), "")


FACTS = {
    "size": "output size",
    "device": "device",
    "precision": "precision",
    "parameters": "parameters [M]",
    "macs": "arithmetic per frame [GMAC]",
    "weights": "weights",
    "licence": "licence",
    "kind": "kind",
    "size_rule": "LR sizes",
}


def _macs_per_frame(records: list[Record]) -> str:
    """GMAC of an output frame, over the clips for which MACs were counted."""
    counted = [(record.macs, record.frames) for record in records if record.macs is not None]
    if counted:
        total, frames = map(sum, zip(*counted))
        return figure(total / frames / 1e9, None)
    countable = not any((record.macs_reason or "").startswith("not countable") for record in records)
    return "–" if countable else "not countable"


def of_records(records: list[Record], total: list[Row], mix: bool = False) -> list[Column]:
    """All columns for which a data set has figures: times first, then scores in the records' order."""
    columns: list[Column] = []
    for metric, (title, unit, better, digits) in _SPEED.items():
        found = [row for row in total if row.metric.split("-")[0] == metric]
        devices = list(dict.fromkeys(map(device_of, found)))
        for name in dict.fromkeys(row.metric for row in found):
            scope = name.removeprefix(metric).lstrip("-")
            for device in devices if len(devices) > 1 else [None]:
                whole = metric == "peak_memory_mb" and _of_process(records, scope or "tensors", device)
                head, way = ("process memory", "none") if whole else (title, better)
                head = f"{head} ({scope})" if scope else head
                columns.append(Column(name, head, unit, way, digits, None, device))
    kinds = {(name, s.signature): s for record in records for name, s in record.scores.items()}
    for (name, own), kind in kinds.items():
        mixed = mix and any(n == name and s != own for n, s in kinds)
        title, signature = (f"{kind.title} (mixed recipes)", None) if mixed else (kind.short, own)
        column = Column(name, title, kind.unit, kind.better, kind.digits, signature, best=kind.best)
        if not any((c.metric, c.signature) == (name, signature) for c in columns):
            columns.append(column)
    return columns


def _of_process(records: list[Record], scope: str, device: str | None) -> bool:
    """Whether peaks of a scope on a device (None: the only one) are those of whole processes, which rank no method."""
    timed = (record.timing.get(scope) for record in records if device in (None, record.device))
    return any(times is not None and times.peak_of_process for times in timed)


def choose(columns: list[Column], names: list[str], known: set[str]) -> list[Column | Fact]:
    """Choose columns by name, in the given order: metrics as in summary.csv, and `FACTS`.

    Args:
        columns: those of one data set; a metric under two recipes is two columns of one name.
        known: the metrics of all data sets of the table.
    Raises:
        UserError: a name that neither is a fact nor a metric of any data set.
    """
    chosen: list[Column | Fact] = []
    for name in names:
        if name in FACTS:
            chosen.append(Fact(name, FACTS[name]))
        elif name not in known:
            raise UserError(f"unknown column '{name}'{did_you_mean(name, known | set(FACTS))}")
        chosen += [column for column in columns if column.metric == name]
    return chosen


def device_of(row: Row) -> str | None:
    """The device in the signature of a time; None for scores."""
    parts = row.signature.split("|")
    return parts[3] if parts[0] == "time" else None
