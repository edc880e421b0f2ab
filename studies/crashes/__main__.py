"""Kill runs at random moments, or run under bad conditions, and compare with an undisturbed run.

    python -m studies.crashes --kills 1000 --state kills.json
    python -m studies.crashes --conditions

A run is killed at a random moment, up to four times, and resumed to its end; then its reports are killed. After every
kill the finished results must still be in the records, unchanged (at most the clip in progress is lost), and every
entry of the store must be readable. At the end scores and frames must equal those of an undisturbed run to the last
digit. Times are not compared, because they vary. With --state the kills of earlier calls count, so that a call can be
repeated.

Conditions: a full disk under the store, a read-only store, a store pruned in a loop, two runs at once in one store and
in one folder. The first two mount a tmpfs, which needs root.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from frames.command_line import Parser, guarded, process
from studies import forked
from studies.crashes.conditions import conditions
from studies.crashes.kills import kills
from studies.outputs import out_file

DATA = ("data=sample", "data.clips=[city,astronaut,coffee]", "data.frames=2", "timing.repeats=1", "timing.warmup=0")


def main() -> int:
    parser = Parser("python -m studies.crashes", (__doc__ or "").strip())
    parser.add_argument("--kills", type=int, default=30, help="number of kills (default %(default)s)")
    parser.add_argument("--state", type=out_file, help="a file that keeps the tally between calls")
    parser.add_argument("--conditions", action="store_true", help="bad conditions instead of kills")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", default="bicubic,turbovsr", help="default %(default)s")
    parser.add_argument("--metrics", default="[psnr,ssim]", help="default %(default)s")
    arguments = parser.parse_args()
    words = (*DATA, f"method={arguments.methods}", f"metrics={arguments.metrics}")
    os.environ["OMP_NUM_THREADS"] = "1"
    forked.import_everything()
    root = Path(tempfile.mkdtemp(prefix="crashes-"))
    if arguments.conditions:
        wrong = conditions(words, root)
        print(f"{len(wrong)} failures; folders: {root}")
        return 1 if wrong else 0
    tally = kills(arguments.kills, words, root, arguments.seed, arguments.state)
    print(tally)
    if tally.failures:
        print(f"folders of the failures: {root}")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    process(lambda _: guarded("studies.crashes", main))
