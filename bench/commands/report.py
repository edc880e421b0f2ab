"""`python -m bench report RUN`: one self-contained HTML page of one or several runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from bench.commands import plot, table
from bench.commands.options import CONFIG_DIR_HELP
from bench.commands.parser import Parser
from frames.atomic import replacing
from frames.errors import NOTHING_MEASURED, OK, UserError

ABOUT = """The page opens offline. Frames come from the store, or from the run's folder (save=frames); LR and GT are
read from the data set again. The page names what is missing. The same records and frames give the same bytes."""


def main(argv: list[str]) -> int:
    parser = Parser("report", ABOUT)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of runs")
    parser.add_argument("--out", type=Path, help="the file to write (default: page.html in the first run's folder)")
    parser.add_argument("--store", type=Path, help="where predictions are kept (default: what the run says)")
    parser.add_argument(
        "--budget", type=float, default=13, metavar="MB", help="size of all pictures; 0: none (default %(default)s)"
    )
    parser.add_argument("--frames", type=int, metavar="N", help="at most N frames of a clip")
    parser.add_argument("--crop", metavar="WxH", help="size of the crops (default: as large as the budget allows)")
    parser.add_argument("--config-dir", action="append", default=[], metavar="DIR", help=CONFIG_DIR_HELP)
    parser.add_argument("--all", action="store_true", help="also write the tables (md, csv, tex) and all plots")
    options = parser.parse_args(argv)
    if not 0 <= options.budget < 1000 or (options.frames is not None and options.frames < 1):
        raise UserError("--budget must not be negative and below 1000, --frames at least 1")
    out = options.out or options.runs[0] / "page.html"
    if out.is_dir():
        raise UserError(f"--out {out}: there is a folder of this name; give a file, such as {out / 'page.html'}")
    from bench.commands.gather import gather
    from bench.metrics.places import finder
    from bench.report import page
    from bench.report.page.choose import PictureBudget
    from bench.report.plot import KINDS
    from bench.report.tables import tables

    gathered = gather(options.runs, options.store, tuple(options.config_dir))
    if not gathered.records:
        print("bench: nothing was measured in these runs", file=sys.stderr)
        return NOTHING_MEASURED
    budget = PictureBudget(int(options.budget * 1e6), options.frames, _window(options.crop))
    text, notes = page.render(gathered.records, gathered.materials, gathered.environments, budget, finder)
    with replacing(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(out)
    if options.all:
        table.write(tables(gathered.records), out.parent)
        for kind in KINDS:
            print("\n".join(map(str, plot.write(gathered.records, out.parent, kind))) or f"  no {kind} to draw")
    for note in notes:
        print(f"  {note}", file=sys.stderr)
    print(f"  {len(text.encode()) / 1e6:.1f} MB", file=sys.stderr)
    return OK


def _window(text: str | None) -> tuple[int, int] | None:
    """`480x272` -> (height, width)."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found or not all(int(side) >= 16 for side in found.groups()):
        raise UserError(f"--crop {text}: write WIDTHxHEIGHT in pixels, at least 16x16, like 480x272")
    return int(found[2]), int(found[1])
