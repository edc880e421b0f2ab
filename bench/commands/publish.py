"""`python -m bench publish FOLDER ... --to DIR`: a static site of results from many runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from bench.commands.parser import Parser
from bench.commands.reading import read_run
from bench.store.records import runs as runs_below
from bench.store.workers import read_workers
from frames.atomic import replacing
from frames.errors import NOTHING_MEASURED, OK, UserError
from frames.text import printable

ABOUT = """Writes index.html with a table and plots for each set of clips, and runs/NAME/ with each run's records. It
opens from a file and sends no request. Same records, same bytes."""
_OURS = re.compile(r"index\.html|runs/[A-Za-z0-9._-]+/(index\.html|records\.jsonl)")


def main(argv: list[str]) -> int:
    parser = Parser("publish", ABOUT)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="runs, submissions, or folders of them")
    parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="where the site goes: a folder of its own"
    )
    options = parser.parse_args(argv)
    from bench.commands.gather import read_environment
    from bench.report import site

    stale = _before(options.to)
    found: dict[str, tuple[Path, site.SiteRun]] = {}
    for folder in _runs(options.folders):
        name, records = folder.resolve().name, read_run(folder)
        if name in found:
            raise UserError(f"{found[name][0]} and {folder}: two runs of one name; rename one of the folders")
        workers = {worker: facts.environment for worker, facts in read_workers(folder).items()}
        own = read_environment(folder / "environment.json")
        if records:
            found[name] = folder, site.SiteRun(name, records, workers | ({"": own} if own else {}))
    if not found:
        print("bench: nothing was measured in these runs", file=sys.stderr)
        return NOTHING_MEASURED
    files = site.render([run for _, run in found.values()])
    for name, text in files.items():
        with replacing(options.to / name) as part:
            part.write_text(text, encoding="utf-8", newline="\n")
    for name in stale - files.keys():
        (options.to / name).unlink()
    print(options.to / site.INDEX)
    return OK


def _runs(folders: list[Path]) -> list[Path]:
    """The runs at or below each folder, each once.

    Raises:
        UserError: there is none in one of them.
    """
    found: dict[Path, Path] = {}
    for folder in folders:
        below = runs_below(folder)
        if not below:
            raise UserError(f"{folder}: no run here; give folders of runs or submissions")
        for run in below:
            found.setdefault(run.resolve(), run)
    return list(found.values())


def _before(target: Path) -> set[str]:
    """The files of an earlier site, which this one replaces.

    Raises:
        UserError: the folder holds anything else.
    """
    if target.exists() and not target.is_dir():
        raise UserError(f"--to {target}: it is a file; give a folder")
    files = {
        file.relative_to(target).as_posix() for file in target.rglob("*") if not file.is_dir() or file.is_symlink()
    }
    for name in sorted(files):
        if not _OURS.fullmatch(name) or (target / name).is_symlink():
            raise UserError(
                f"--to {target}: it holds {printable(name)}, which is no part of a site; give an empty folder"
            )
    return files
