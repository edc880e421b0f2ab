"""Runs on a full disk, with a read-only store, during pruning, and two at once: no measurement may be lost."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from studies import forked
from studies.crashes.job import LIMIT_S, Job

SMALL_BYTES = 256 * 1024


def conditions(words: tuple[str, ...], root: Path) -> list[str]:
    """Run the small job under each condition; returns a line for each failure."""
    reference = Job(root / "undisturbed-conditions", words)
    reference.undisturbed()
    wrong: list[str] = []
    for condition in (_full_disk, _read_only, _pruned, _one_store, _one_folder):
        name = condition.__name__[1:].replace("_", " ")
        try:
            found = condition(words, root / name.replace(" ", "-"), reference)
        except _NotHere as reason:
            print(f"{name}: not tried: {reason}", flush=True)
            continue
        print(f"{name}: {'; '.join(found) or 'nothing lost'}", flush=True)
        wrong += [f"{name}: {line}" for line in found]
    return wrong


class _NotHere(Exception):
    """A condition that cannot be created on this machine."""


def _full_disk(words: tuple[str, ...], folder: Path, reference: Job) -> list[str]:
    """Run with a store on a disk that is full after a few frames."""
    job = Job(folder, words)
    with _mounted(folder / job.store, f"size={SMALL_BYTES}"):
        found = _compared(job, reference, job.to_the_end())
        if job.unreadable():
            found.append("unreadable entries")
    reports = (folder / "said.txt").read_text().count("results are not kept")
    return found if reports == 1 else [*found, f"the full disk was reported {reports} times, not once"]


def _read_only(words: tuple[str, ...], folder: Path, reference: Job) -> list[str]:
    """Run with a read-only store that holds all results but those of one metric."""
    job = Job(folder, (*words[:-1], "metrics=[psnr,ssim,tof]"))
    with _mounted(folder / job.store, "size=200m") as mount:
        shutil.copytree(reference.folder / reference.store, folder / job.store, dirs_exist_ok=True)
        mount("remount,ro")
        code = job.to_the_end()
    found = [] if code == 0 else [f"exit code {code}"]
    kept = {cell: digest for cell, (digest, _) in reference.quality().items()}
    if {cell: digest for cell, (digest, _) in job.quality().items()} != kept:
        found.append("other frames than before")
    return found


def _pruned(words: tuple[str, ...], folder: Path, reference: Job) -> list[str]:
    """Run while `prune --days 0` runs again and again on the same store."""
    job = Job(folder, words)
    child = job.start()
    rounds, code = 0, None
    while code is None and rounds < 1000:
        Job(folder, words).to_the_end("prune", "--days", "0", "--store", job.store)
        rounds += 1
        code = forked.wait(child, 0.05)
    if code is None:
        forked.kill(child)
        return [f"no end in {rounds} rounds"]
    found = _compared(job, reference, code)
    return found + (["unreadable entries"] if job.unreadable() else [])


def _one_store(words: tuple[str, ...], folder: Path, reference: Job) -> list[str]:
    """Run twice at once, with one store, into two folders."""
    jobs = [Job(folder, words, out=out) for out in ("run", "run2")]
    codes = _together(*(job.start for job in jobs))
    found = [line for job, code in zip(jobs, codes, strict=True) for line in _compared(job, reference, code)]
    return found + (["unreadable entries"] if jobs[0].unreadable() else [])


def _one_folder(words: tuple[str, ...], folder: Path, reference: Job) -> list[str]:
    """Run two methods at once into one folder: its files must have both, or one run must be refused."""
    rest = tuple(word for word in words if not word.startswith("method="))
    jobs = [Job(folder, (f"method={method}", *rest)) for method in ("bicubic", "nearest")]
    codes = _together(*(job.start for job in jobs))
    if sorted(codes) == [0, 3]:
        return []
    if codes != [0, 0]:
        return [f"exit codes {codes}"]
    files = [
        file.read_text()
        for file in (folder / "run").glob("*")
        if file.name in ("summary.csv", "table.md", "config.yaml")
    ]
    return [] if files and all("bicubic" in text and "nearest" in text for text in files) else ["a method is missing"]


def _compared(job: Job, reference: Job, code: int) -> list[str]:
    found = [] if code == 0 else [f"exit code {code}"]
    same = job.quality() == reference.quality()
    return found if same else [*found, "results differ from those of an undisturbed run"]


def _together(*starts: Callable[[], int]) -> list[int]:
    children = [start() for start in starts]
    codes = [forked.wait(child, LIMIT_S) for child in children]
    for child in children:
        forked.kill(child)
    return [-1 if code is None else code for code in codes]


@contextmanager
def _mounted(folder: Path, options: str) -> Iterator[Callable[[str], None]]:
    """Mount a tmpfs at a folder during the block; yields a function that mounts with other options.

    Raises:
        _NotHere: this user may not mount.
    """
    folder.mkdir(parents=True)

    def mount(how: str) -> None:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", how, "tmpfs", folder], capture_output=True, text=True)
        if done.returncode:
            raise _NotHere(done.stderr.strip() or "mount failed")

    mount(options)
    try:
        yield mount
    finally:
        subprocess.run(["umount", folder], check=True)
