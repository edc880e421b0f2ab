"""Building of every product of `conf/paper/`: the same records give the same bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.report import cited, latex, look, plot, text
from bench.report.grid import Grid
from bench.report.paper import scores, speed
from bench.report.paper.gather import rows_of
from bench.report.paper.spec import Spec
from bench.store.record import Record
from frames.errors import UserError, did_you_mean

Published = tuple[list[cited.Figure], list[cited.Speed]]


def table(spec: Spec, runs: dict[str, list[Record]], published: Published) -> Grid | None:
    """Build the grid of a table; None for a figure."""
    if spec.kind == "scores":
        return scores.grid(spec, runs, published[0])
    return speed.grid(spec, runs, published[1]) if spec.kind == "speed" else None


def products(spec: Spec, runs: dict[str, list[Record]], published: Published) -> dict[str, bytes]:
    """Build a product's files: a table as Markdown, CSV and LaTeX, a figure as PDF, SVG and PNG, with LaTeX for it.

    A figure without anything to draw has no files.
    """
    grid = table(spec, runs, published)
    if grid is None:
        return _figure(spec, runs)
    made = {"md": text.markdown(grid), "csv": text.comma_separated(grid), "tex": latex.latex(grid, f"tab:{spec.name}")}
    return {f"{spec.name}.{kind}": content.encode() for kind, content in made.items()}


def index(specs: list[Spec], runs: dict[str, list[Record]], built: dict[str, bytes]) -> bytes:
    """README.md of the products: their titles and files, and the commands that measure what is missing."""
    lines = [
        "# Tables and figures",
        "",
        "Made by `python -m bench paper` from `conf/paper/` and the records; not to be",
    ]
    lines += ["edited. `python -m bench paper --trace` prints where each cell comes from.", ""]
    lines += ["| product | what | files |", "|---|---|---|"]
    for spec in specs:
        files = ", ".join(f"`{name}`" for name in built if name.split(".")[0] in (spec.name, f"{spec.name}-dark"))
        lines.append(f"| {spec.name} | {spec.title} | {files or 'nothing to draw yet'} |")
    absent = {source.folder: source.command for spec in specs for source in spec.sources if source.folder not in runs}
    if absent:
        lines += ["", "Not measured yet, with the command that does it (then run `python -m bench paper`):", ""]
        lines += [f"- `{folder}`: `{command}`" for folder, command in absent.items()]
    return ("\n".join(lines) + "\n").encode()


def document(built: dict[str, bytes]) -> bytes:
    """main.tex: all products on a few pages."""
    names = [name for name in built if name.endswith(".tex")]
    head = [r"\documentclass[10pt]{article}", r"\usepackage[utf8]{inputenc}"]
    head += [r"\usepackage[a4paper,margin=2cm]{geometry}", r"\usepackage{booktabs}", r"\usepackage{graphicx}"]
    body = [rf"\input{{{name}}}" for name in names]
    return "\n".join([*head, r"\begin{document}", *body, r"\end{document}", ""]).encode()


def chosen(specs: list[Spec], names: list[str]) -> list[Spec]:
    """The specs of these names, or all.

    Raises:
        UserError: there is no such product.
    """
    known = {spec.name: spec for spec in specs}
    for name in names:
        if name not in known:
            raise UserError(f"unknown product '{name}'{did_you_mean(name, known)}")
    return [known[name] for name in names] if names else specs


def differences(built: dict[str, bytes], folder: Path) -> list[str]:
    """One line on each file of a folder that differs from what was built."""
    there = {file.name for file in folder.iterdir() if file.is_file()} if folder.is_dir() else set()
    found = [f"{folder / name}: not there" for name in built if name not in there]
    found += [f"{folder / name}: not a product of conf/paper/" for name in sorted(there - set(built))]
    for name, content in built.items():
        if name in there and (old := (folder / name).read_bytes()) != content:
            same = next((i for i, (a, b) in enumerate(zip(old, content)) if a != b), min(len(old), len(content)))
            line = old[:same].count(b"\n") + 1
            where = f"line {line}" if name.endswith((".md", ".csv", ".tex")) else f"byte {same}"
            found.append(f"{folder / name}: differs from what the records give, first in {where}")
    return found


def _figure(spec: Spec, runs: dict[str, list[Record]]) -> dict[str, bytes]:
    where = f"conf/paper/{spec.name}.yaml"
    for words, known, key in (
        ([spec.plot], plot.KINDS, "plot"),
        (spec.themes, look.THEMES, "themes"),
        ([spec.width], look.WIDTHS, "width"),
    ):
        for word in words:
            if word not in known:
                raise UserError(f"{where}: {key} '{word}'{did_you_mean(word, known)}")
    rows = rows_of(spec, runs)
    records = [
        record if spec.plot == "steps" else replace(record, method=label)  # labels would hide which rows are one model
        for label, found in rows.items()
        for record in found
    ]
    built: dict[str, bytes] = {}
    for theme in spec.themes:
        drawn = plot.draw(spec.plot, records, theme=theme, width=spec.width, metrics=spec.metrics or None)
        if drawn is not None:
            from bench.report.plots import style

            name = spec.name if theme == "light" else f"{spec.name}-{theme}"
            formats = look.FORMATS if theme == "light" else ("png", "svg")
            built |= {f"{name}.{kind}": content for kind, content in style.rendered(drawn, formats).items()}
    if f"{spec.name}.pdf" in built:
        caption = spec.note or "made from the records"
        environment = latex.figure(f"{spec.name}.pdf", spec.title, caption, f"fig:{spec.name}", spec.width == "page")
        built[f"{spec.name}.tex"] = environment.encode()
    return built
