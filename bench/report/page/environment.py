"""What the numbers were measured on and how they are defined: environments, methods, signatures."""

from __future__ import annotations

from html import escape

from bench.report.summary import rows
from bench.store.record import Record

_METHOD = ("kind", "device", "dtype", "parameters", "weights", "licence", "size_rule", "frame_rule", "notes")


def section(records: list[Record], environments: dict[str, dict]) -> str:
    return _environments(environments) + _methods(records) + _signatures(records)


def _environments(environments: dict[str, dict]) -> str:
    parts = []
    for run, environment in environments.items():
        pairs = {key: value for key, value in environment.items() if key not in ("command", "packages", "gpu")}
        pairs |= {f"GPU {key}": value for key, value in _mapping(environment.get("gpu")).items()}
        pairs |= _mapping(environment.get("packages"))
        lines = "".join(
            f"<div><dt>{escape(str(key))}</dt><dd>{escape(_plain(value))}</dd></div>" for key, value in pairs.items()
        )
        command = str(environment.get("command", ""))
        parts.append(
            f'<h3>Run {escape(run)}</h3><pre tabindex="0" aria-label="Command of the run">{escape(command)}</pre>'
            f'<dl class="facts">{lines}</dl>'
        )
    return "".join(parts)


def _methods(records: list[Record]) -> str:
    found = {record.method: record.descriptor for record in records if record.descriptor}
    if not found:
        return ""
    heads = "".join(f'<th scope="col">{name.replace("_", " ")}</th>' for name in ("method", *_METHOD))
    lines = "".join(
        f'<tr><th scope="row">{escape(method)}</th>'
        + "".join(f"<td>{escape(_plain(getattr(descriptor, name)))}</td>" for name in _METHOD)
        + "</tr>"
        for method, descriptor in found.items()
    )
    return _scrolled("Methods", f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody>")


def _signatures(records: list[Record]) -> str:
    found = dict.fromkeys((row.metric, row.signature) for row in rows(records))
    lines = "".join(
        f'<tr><th scope="row">{escape(metric)}</th><td><code>{escape(signature)}</code></td></tr>'
        for metric, signature in found
    )
    head = '<thead><tr><th scope="col">figure</th><th scope="col">signature</th></tr></thead>'
    return _scrolled("Signatures: how every figure is defined", f"{head}<tbody>{lines}</tbody>")


def _scrolled(title: str, inside: str) -> str:
    return (
        f'<h3>{title}</h3><div class="scroll" role="region" aria-label="{title}" tabindex="0">'
        f'<table class="plain">{inside}</table></div>'
    )


def _mapping(value) -> dict:
    return value if isinstance(value, dict) else {}


def _plain(value) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and value >= 10000:
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(f"{item:.2f}" if isinstance(item, float) else str(item) for item in value)
    return str(value)
