"""Give hostile inputs to every command and count what must not happen.

    python -m studies.attack --seed 0 --count 500

Each case is drawn from the seed: material is damaged in a folder of its own, and a command that reads it runs in a
forked process. Failures are tracebacks, hangs over 60 s, processes over 4 GB, files outside the folders that the
command may write to, executed inputs, exit codes that the design does not have, and errors without a message. The
folders of failed cases are kept, and the exit code is 1 if there are any. With --state the cases of earlier calls
count, and those that failed are tried again, so that a call can be repeated until all are done.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import shutil
import tempfile
from pathlib import Path

from frames.command_line import Parser, guarded, process
from studies import forked
from studies.attack import child, kinds, material, models
from studies.attack.case import Case, Outcome
from studies.attack.tally import Count, Tally
from studies.outputs import out_file, out_folder


def main() -> int:
    parser = Parser("python -m studies.attack", (__doc__ or "").strip())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=500, help="cases (default %(default)s)")
    parser.add_argument("--only", type=int, metavar="N", help="run only case number N and show its output")
    parser.add_argument(
        "--kinds",
        nargs="+",
        metavar="NAME",
        choices=sorted({each.__name__ for each in kinds.KINDS}),
        help="only cases of these kinds: %(choices)s",
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=child.LIMIT_S,
        metavar="S",
        help="seconds after which a command counts as hanging (default %(default)g)",
    )
    parser.add_argument("--state", type=out_file, help="a file that keeps the cases between calls")
    parser.add_argument("--keep", type=out_folder, help="where folders of failed cases are kept (default: a new one)")
    arguments = parser.parse_args()
    kept = arguments.keep or Path(tempfile.mkdtemp(prefix="attack-"))
    kept.mkdir(parents=True, exist_ok=True)
    os.environ["OMP_NUM_THREADS"] = "1"
    child.bound_files()
    forked.import_everything()
    models.import_extras()
    whole = kept / "material"
    shutil.rmtree(whole, ignore_errors=True)  # of a call that was killed
    whole.mkdir()
    forked.apart(lambda: material.make(whole))
    numbers = [arguments.only] if arguments.only is not None else chosen(arguments.count, arguments.kinds)
    tally = Tally(arguments.seed, arguments.state)
    try:
        for number in numbers:
            if not tally.done(number) or arguments.only is not None:
                tally.add(_run_case(number, arguments, whole, kept))
    except KeyboardInterrupt:
        print("interrupted; the table is of the cases so far")
    shutil.rmtree(whole)
    lines, done, bad = tally.summary(numbers)
    print(*lines, sep="\n")
    print(f"{done} cases, seed {arguments.seed}: {bad} faults; folders of failed cases: {kept}")
    return 1 if bad else 0


def _run_case(number: int, arguments: argparse.Namespace, whole: Path, kept: Path) -> Count:
    """Try one case; if something went wrong, print it and keep the case's folder."""
    case = drawn(arguments.seed, number)
    shutil.rmtree(kept / f"case{number}", ignore_errors=True)
    outcome = attempt(case, whole, kept / f"case{number}", arguments.limit)
    faults = outcome.faults(case)
    if faults or outcome.unforeseen or arguments.only is not None:
        label = ", ".join(faults) or "unforeseen"
        last = outcome.output.strip().splitlines()[-1:] or [""]
        print(f"{number}: {label}: {shlex.join(case.words)} [{case.kind}, {outcome.code}]: {last[0][:300]}", flush=True)
    if arguments.only is not None:
        print(outcome.output)
    if not faults:
        shutil.rmtree(kept / f"case{number}", ignore_errors=True)
    return Count.of(number, case, outcome)


def drawn(seed: int, number: int) -> Case:
    """Draw the case of a number; it depends on the seed and the number alone."""
    return kinds.KINDS[number % len(kinds.KINDS)](random.Random(f"{seed}/{number}"))


def chosen(count: int, names: list[str] | None) -> list[int]:
    """The numbers of the first `count` cases, or of the first that are of these kinds."""
    found: list[int] = []
    number = 0
    while len(found) < count:
        if not names or kinds.KINDS[number % len(kinds.KINDS)].__name__ in names:
            found.append(number)
        number += 1
    return found


def attempt(case: Case, whole: Path, folder: Path, limit_s: float) -> Outcome:
    """Prepare a case's folder, run its command there, and check what it left behind."""
    material.copy(whole, folder / "work")
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    work = folder / "work"
    case.prepare(work)
    before = material.snapshot(work, case.may_write)
    environment = {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "BENCH_STORE": "results/store",
        "BENCH_KEY": "of this user",
        "HF_HUB_OFFLINE": "1",
        "BENCH_ASSETS": os.environ.get("BENCH_ASSETS", str(forked.ROOT / ".assets")),
    }
    outcome = child.run(case, work, environment, folder / "said.txt", limit_s)
    after = material.snapshot(work, case.may_write)
    outcome.strays = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    outcome.strays += [str(file) for file in (folder / "home").rglob("*") if file.is_file()]
    outcome.strays += [str(file) for file in (folder / "tmp").rglob("*") if file.is_file() and not _stays(file)]
    outcome.executed = any(folder.rglob("CANARY"))
    return outcome


def _stays(file: Path) -> bool:
    """Whether a temporary file stays by design: a log, or a device's lock, which two could hold if it were deleted."""
    is_log = file.name.startswith("bench-") and file.suffix == ".log"
    return is_log or (file.parent.name.startswith("bench-devices-") and not file.stat().st_size)


if __name__ == "__main__":
    process(lambda _: guarded("studies.attack", main))
