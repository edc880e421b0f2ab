"""Checked declarations of `conf/paper/`: a table or figure, its rows, its columns, the place of its records."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from bench.labels import parts
from bench.report.methods import option
from bench.store import typed
from bench.store.record import Record
from frames.errors import UserError, did_you_mean

KINDS = ("scores", "speed", "figure")


@dataclass(frozen=True)
class From:
    """A folder of records, and the command that makes it."""

    folder: str
    command: str


@dataclass(frozen=True)
class RowRule:
    """A row, by the name of its method before the bracket (a pattern), and options (null: it has no such option)."""

    label: str
    method: str
    where: dict[str, Any] = field(default_factory=dict)

    def fits(self, record: Record) -> bool:
        return fnmatchcase(parts(record.method)[0], self.method) and all(
            _word(option(record, name)) in map(_word, value if isinstance(value, list) else [value])
            for name, value in self.where.items()
        )


@dataclass(frozen=True)
class ColumnRule:
    """The columns of a data set under one protocol; several, such as one set under several seeds, count as one.

    `data` may be written as a single name.
    """

    data: list[str]
    title: str
    metrics: list[str]
    protocol: str | None = None


@dataclass(frozen=True)
class CiteRule:
    """Published rows of a group: of these methods, under protocols that fit these patterns."""

    group: str
    methods: list[str] = field(default_factory=lambda: ["*"])
    protocols: list[str] = field(default_factory=lambda: ["*"])

    def fits(self, group: str, method: str, protocol: str) -> bool:
        return (
            group == self.group
            and any(fnmatchcase(method, pattern) for pattern in self.methods)
            and any(fnmatchcase(protocol, pattern) for pattern in self.protocols)
        )


@dataclass(frozen=True)
class Spec:
    """One product. `rows` empty: every method; `columns` belong to scores, `plot` and what follows to figures."""

    name: str
    kind: str
    title: str
    sources: list[From]
    note: str = ""
    rows: list[RowRule] = field(default_factory=list)
    columns: list[ColumnRule] = field(default_factory=list)
    cite: list[CiteRule] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    plot: str = "speed-quality"
    metrics: list[str] = field(default_factory=list)
    width: str = "page"
    themes: list[str] = field(default_factory=lambda: ["light"])


def parse(name: str, config: dict) -> Spec:
    """Check the content of a file, and return it as a spec.

    Raises:
        UserError: an unknown or missing key, a value of another type, or two rows of one label, in one line that names
            the file.
    """
    where = f"conf/paper/{name}.yaml"
    config = dict(config)
    for key, rule in (("sources", From), ("rows", RowRule), ("columns", ColumnRule), ("cite", CiteRule)):
        given = config.get(key) or []
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            raise UserError(f"{where}: '{key}' must be a list of mappings")
        config[key] = [_known(rule, each, f"{where}, {key}") for each in given]
    for column in config["columns"]:
        if isinstance(column.get("data"), str):
            column["data"] = [column["data"]]
    content = {"name": name} | {key: value for key, value in _known(Spec, config, where).items() if value is not None}
    try:
        spec = typed.from_json(Spec, content)
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error
    if spec.kind not in KINDS:
        raise UserError(f"{where}: kind '{spec.kind}'{did_you_mean(spec.kind, KINDS)}")
    if spec.kind == "scores" and not (spec.rows and spec.columns):
        raise UserError(f"{where}: a table of scores declares rows and columns")
    labels = [row.label for row in spec.rows]
    if twice := next((label for label in labels if labels.count(label) > 1), None):
        raise UserError(f"{where}: two rows are called '{twice}'; give each a label of its own")
    return spec


def _known(kind: type, given: dict, where: str) -> dict[str, Any]:
    """A copy of the mapping, whose keys are all fields of the dataclass."""
    known = {each.name for each in fields(kind)}
    for key in given:
        if key not in known:
            raise UserError(f"{where}: unknown key '{key}'{did_you_mean(key, known)}")
    return dict(given)


def _word(value: Any) -> str:
    """An option's value for comparison, the same whether from YAML, a configuration or a label."""
    return "" if value is None else str(value).lower()
