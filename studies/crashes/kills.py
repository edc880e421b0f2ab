"""SIGKILL at random moments: of a run, of the same run resumed, of its report."""

from __future__ import annotations

import json
import random
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from studies import forked
from studies.crashes.job import Job

PAGE = "page.html"


@dataclass
class Tally:
    """Counts so far, which can be kept in a file so that a later call adds to them."""

    kills: int = 0
    in_runs: int = 0
    in_reports: int = 0
    finished: int = 0
    lost: int = 0
    unequal: int = 0
    unreadable: int = 0
    torn_files: int = 0
    failures: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, file: Path | None) -> Tally:
        return cls(**json.loads(file.read_text())) if file and file.is_file() else cls()

    def keep(self, file: Path | None) -> None:
        if file:
            file.write_text(json.dumps(asdict(self), indent=1) + "\n")

    def __str__(self) -> str:
        return (
            f"{self.kills} kills ({self.in_runs} in runs, {self.in_reports} in reports), {self.finished} runs resumed "
            f"to their end: {self.lost} results lost, {self.unequal} runs of unequal quality, {self.unreadable} "
            f"entries unreadable, {self.torn_files} reports torn"
        )


def kills(count: int, words: tuple[str, ...], root: Path, seed: int, state: Path | None) -> Tally:
    """Kill runs until there were `count` kills. Each chain of kills has a folder, which is kept if a check failed."""
    tally = Tally.of(state)
    reference = Job(root / "undisturbed", words)
    began = time.monotonic()
    reference.undisturbed()
    work, expected = time.monotonic() - began, reference.quality()
    began = time.monotonic()
    reference.to_the_end("report", reference.out, "--out", PAGE)
    page = time.monotonic() - began
    print(f"undisturbed: {len(expected)} cells in {work:.1f} s, its page in {page:.1f} s", flush=True)
    while tally.kills < count:
        rng = random.Random(f"{seed}/{tally.kills}")
        job = Job(root / f"chain{tally.kills}", words)
        before = len(tally.failures)
        _chain(job, work, page, expected, rng, tally)
        tally.keep(state)
        if len(tally.failures) == before:
            shutil.rmtree(job.folder)
        print(tally, flush=True)
    return tally


def _chain(job: Job, work: float, page: float, expected: dict, rng: random.Random, tally: Tally) -> None:
    """Kill one run up to four times, each time resumed; let it end; then kill its reports."""
    for _ in range(rng.randrange(1, 5)):
        tally.in_runs += _killed(job, (), rng.uniform(0, work), tally)
    if code := job.to_the_end():
        _fail(tally, "lost", f"{job.folder}: resumed, it ended with {code}")
    tally.finished += 1
    if job.quality() != expected:
        _fail(tally, "unequal", f"{job.folder}: its results differ from those of an undisturbed run")
    summary = (job.folder / job.out / "summary.csv").read_text().count("\n")
    for command in ((), ("report", job.out, "--out", PAGE)):
        tally.in_reports += _killed(job, command, rng.uniform(0, page), tally)
        file = job.folder / PAGE
        if file.is_file() and not file.read_text(encoding="utf-8").rstrip().endswith("</html>"):
            _fail(tally, "torn_files", f"{file}: torn")
        if (job.folder / job.out / "summary.csv").read_text().count("\n") != summary:
            _fail(tally, "torn_files", f"{job.folder / job.out / 'summary.csv'}: torn")


def _killed(job: Job, command: tuple[str, ...], moment: float, tally: Tally) -> bool:
    """Kill the command after `moment` seconds and check that no result is lost; False if it had ended by then."""
    before = job.results()
    child = job.start(*command)
    if forked.wait(child, moment) is not None:
        return False
    forked.kill(child)
    forked.wait(child, 60)
    tally.kills += 1
    after = job.results()
    for cell, result in before.items():
        if after.get(cell) != result:
            _fail(tally, "lost", f"{job.folder}: {cell} was finished, and is gone or measured again")
    for line in job.unreadable():
        _fail(tally, "unreadable", line)
    return True


def _fail(tally: Tally, kind: str, line: str) -> None:
    setattr(tally, kind, getattr(tally, kind) + 1)
    tally.failures.append(line)
    print(line, flush=True)
