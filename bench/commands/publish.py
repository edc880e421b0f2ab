"""`python -m bench publish FOLDER ... --to DIR`: a static site of results from many runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.options import CONFIG_DIR_HELP
from bench.commands.parser import Parser
from bench.commands.reading import read_environment, read_run, run_folders
from bench.store.workers import read_workers
from frames.atomic import replacing
from frames.errors import NOTHING_MEASURED, OK, UserError
from frames.text import printable

if TYPE_CHECKING:
    from bench.report.site.crops import Materials

ABOUT = """Writes index.html with a table and plots for each set of clips, and runs/NAME/ with each run's records. If
frames are available (save=frames, or in the store), crops/ shows the same places of all methods and GT side by side.
The site opens from a file and sends no request. The same records and frames give the same bytes."""
_OURS = re.compile(r"index\.html|runs/[A-Za-z0-9._-]+/(index\.html|records\.jsonl)|crops/[A-Za-z0-9._-]+/index\.html")


def main(argv: list[str]) -> int:
    parser = Parser("publish", ABOUT)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="runs, submissions, or folders of them")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="a folder for the site alone")
    parser.add_argument(
        "--budget", type=float, default=8, metavar="MB", help="size of all crops; 0: none (default %(default)s)"
    )
    parser.add_argument("--store", type=Path, help="where predictions are kept (default: what each run says)")
    parser.add_argument("--config-dir", action="append", default=[], metavar="DIR", help=CONFIG_DIR_HELP)
    options = parser.parse_args(argv)
    if not 0 <= options.budget < 1000:
        raise UserError(f"--budget {options.budget:g}: write megabytes from 0 to 1000")
    from bench.report import site

    stale = _before(options.to)
    found: dict[str, tuple[Path, site.SiteRun]] = {}
    for folder in _outside(options.to, run_folders(options.folders, "give folders of runs or submissions")):
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
    folders = [folder for folder, _ in found.values()] if options.budget else []
    held = _materials(folders, options.store, options.config_dir)
    files = site.render([run for _, run in found.values()], held, int(options.budget * 1e6))
    for name, text in files.items():
        with replacing(options.to / name) as part:
            part.write_text(text, encoding="utf-8", newline="\n")
    for name in stale - files.keys():
        (options.to / name).unlink()
    print(options.to / site.INDEX)
    return OK


def _outside(target: Path, folders: list[Path]) -> list[Path]:
    """The runs that do not lie in the site: an earlier site has copies of their records.

    Raises:
        UserError: all of them do.
    """
    site = target.resolve()
    found = [folder for folder in folders if not folder.resolve().is_relative_to(site)]
    if not found:
        raise UserError(f"--to {target}: all of these runs lie in the site itself; give the folders they came from")
    return found


def _materials(folders: list[Path], store: Path | None, config_dirs: list[str]) -> Materials:
    """The frames of the runs whose SR frames can still be read, by the run's name; GT comes from the data set."""
    from bench.commands.frames import RunFrames

    found = {}
    for folder in folders:
        run = RunFrames(folder, store, tuple(config_dirs))
        if run.has_frames:
            found[folder.resolve().name] = {material.place: material for material in run.materials()}
    return found


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
