"""Time until a run's page is loaded, and until its pictures are drawn, in a real Chromium from a file.

python -m studies.page PAGE.html
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from time import perf_counter

from bench.timing.stats import median, quartiles
from frames.command_line import Parser, guarded, process

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
LIMIT_S = 2.0


def main() -> int:
    parser = Parser("python -m studies.page", (__doc__ or "").strip())
    parser.add_argument("page", type=Path, help="a file that `python -m bench report` wrote")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if not arguments.page.is_file():
        parser.error(f"{arguments.page}: no such file; name one that `python -m bench report` wrote")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        print("no chromium here: install Debian's package, or name one in $CHROMIUM", file=sys.stderr)
        return 4
    from playwright.sync_api import sync_playwright  # a package for tests, not for the harness

    loaded, drawn = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for _ in range(arguments.repeats + 1):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            start = perf_counter()
            page.goto(f"file://{arguments.page.resolve()}")
            loaded.append(perf_counter() - start)
            page.wait_for_selector("#stage[data-drawn]")
            drawn.append(perf_counter() - start)
            context.close()
        version = browser.version
        browser.close()
    size = arguments.page.stat().st_size / 1e6
    print(f"{arguments.page.name}: {size:.1f} MB, Chromium {version}, {arguments.repeats} repeats after one to warm up")
    for name, times in (("loaded", loaded[1:]), ("pictures drawn", drawn[1:])):
        low, high = quartiles(times)
        print(f"  {name}: median {median(times):.3f} s, quartiles {low:.3f} to {high:.3f} s")
    good = median(drawn[1:]) < LIMIT_S
    print(f"  {'under' if good else 'NOT under'} {LIMIT_S:g} s")
    return 0 if good else 1


if __name__ == "__main__":
    process(lambda _: guarded("studies.page", main))
