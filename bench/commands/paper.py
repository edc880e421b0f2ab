"""`python -m bench paper`: rebuild the tables and figures of `conf/paper/` from records."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.commands.parser import Parser
from bench.commands.reading import read_run
from bench.commands.table import PUBLISHED
from bench.paths import CONF
from bench.report import cited, trace
from bench.report.merge import by_settings
from bench.report.paper import build
from bench.report.paper.spec import Spec, parse
from bench.store import records
from bench.store.record import Record
from frames.atomic import replacing
from frames.errors import NOTHING_MEASURED, OK, REGRESSED, UserError
from frames.strict_yaml import read_mapping
from frames.text import printable

OUT = Path("results") / "paper"


def main(argv: list[str]) -> int:
    parser = Parser(
        "paper",
        epilog="exit codes: 0 built, or no difference; 1 --check found a difference; 2 nothing was measured; 3 error",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="products (default: all of conf/paper/)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write (default %(default)s)")
    parser.add_argument(
        "--check", type=Path, metavar="DIR", help="write nothing; exit with 1 if DIR differs from what would be built"
    )
    parser.add_argument("--trace", action="store_true", help="write nothing; print run, clip and record of every cell")
    parser.add_argument("--conf", type=Path, default=CONF / "paper", help=argparse.SUPPRESS)
    parser.add_argument(
        "--published", type=Path, default=PUBLISHED, help="folder of cited figures (default %(default)s)"
    )
    arguments = parser.parse_args(argv)
    if arguments.check and not arguments.check.is_dir():
        raise UserError(
            f"--check {arguments.check}: no such folder; python -m bench paper --out {arguments.check} makes it"
        )
    every = _specs(arguments.conf)
    specs = build.chosen(every, arguments.names)
    published = cited.load(arguments.published) if any(spec.cite for spec in specs) else ([], [])
    runs = _runs(specs)
    if arguments.trace:
        for spec in specs:
            if grid := build.table(spec, runs, published):
                print("\n".join(map(printable, trace.lines(spec.name, grid))))
        return OK
    built: dict[str, bytes] = {}
    for spec in specs:
        built |= build.products(spec, runs, published)
    if not arguments.names:
        built |= {"main.tex": build.document(built), "README.md": build.index(specs, runs, built)}
    if arguments.check:
        return _check(built, arguments.check, partial=bool(arguments.names))
    for name, content in built.items():
        with replacing(arguments.out / name) as file:
            file.write_bytes(content)
        print(arguments.out / name)
    _tell_missing(specs, runs)
    return OK if any(runs.values()) else NOTHING_MEASURED


def _specs(folder: Path) -> list[Spec]:
    """All declarations of tables and figures in a folder, sorted by name."""
    found = []
    for file in sorted(folder.glob("*.yaml")):
        found.append(parse(file.stem, read_mapping(file)))
    if not found:
        raise UserError(f"{folder}: no declarations of tables or figures here")
    return found


def _runs(specs: list[Spec]) -> dict[str, list[Record]]:
    """The records of every source folder that is a run; the others are not measured yet."""
    folders = dict.fromkeys(source.folder for spec in specs for source in spec.sources)
    return {folder: by_settings(read_run(Path(folder))) for folder in folders if records.is_run(Path(folder))}


def _check(built: dict[str, bytes], folder: Path, partial: bool) -> int:
    found = build.differences(built, folder)
    if partial:
        found = [line for line in found if "not a product" not in line]
    for line in found:
        print(f"bench: {line}; if that is meant: python -m bench paper --out {folder}", file=sys.stderr)
    if not found:
        print(f"{len(built)} files in {folder} are what the records give, byte for byte")
    return REGRESSED if found else OK


def _tell_missing(specs: list[Spec], runs: dict[str, list[Record]]) -> None:
    absent = {source.folder: source.command for spec in specs for source in spec.sources if source.folder not in runs}
    for folder, command in absent.items():
        print(f"not measured: {folder}; to fill it in: {command}", file=sys.stderr)
