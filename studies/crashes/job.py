"""The small job that is killed, and the conditions that its folder must meet at any moment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench.launch.crew import last_line
from bench.store.entries import read_entry
from bench.store.prediction import read_prediction
from bench.store.records import load
from bench.store.store import StoredFindings, StoredScores, StoredTimes
from frames.errors import UserError
from studies import forked

STORE = "store"
LIMIT_S = 600.0
Cell = tuple[str, str, str]


class Job:
    """A command and its folder: records go into run/, entries into store/, the output into said.txt."""

    def __init__(self, folder: Path, words: tuple[str, ...], out: str = "run", store: str = STORE) -> None:
        self.folder, self.words, self.out, self.store = folder, words, out, store
        (folder / "tmp").mkdir(parents=True, exist_ok=True)

    def undisturbed(self) -> None:
        """Run the command to its end.

        Raises:
            UserError: it failed; the message has the last line of its output.
        """
        if code := self.to_the_end():
            last = last_line(self.folder / "said.txt") or f"exit code {code}, and it said nothing"
            raise UserError(f"the undisturbed run failed: {last}")

    def start(self, *command: str) -> int:
        """Start the run, or another command of bench, in this folder; returns the process id."""
        words = command or ("run", *self.words, f"out={self.out}", f"store={self.store}")
        assets = os.environ.get("BENCH_ASSETS", str(forked.ROOT / ".assets"))
        environment = {"TMPDIR": str(self.folder / "tmp"), "BENCH_ASSETS": assets}
        return forked.start(("bench", *words), self.folder, environment, self.folder / "said.txt")

    def to_the_end(self, *command: str) -> int:
        """Run the command, or another one, to its end; returns the exit code.

        Raises:
            RuntimeError: it did not end within LIMIT_S.
        """
        child = self.start(*command)
        code = forked.wait(child, LIMIT_S)
        if code is None:
            forked.kill(child)
            raise RuntimeError(f"{self.folder}: no end in {LIMIT_S:g} s; see said.txt")
        return code

    def results(self) -> dict[Cell, Any]:
        """For each finished cell, what must not change: when it was timed, the digest of its frames, its scores."""
        try:
            found = load(self.folder / self.out)
        except UserError:  # no records yet
            return {}
        return {
            record.cell: (record.timed, record.sr_sha256, {name: score.values for name, score in record.scores.items()})
            for record in found.records
            if record.ok
        }

    def quality(self) -> dict[Cell, Any]:
        """The results without times, which must equal those of an undisturbed run."""
        return {cell: rest for cell, (_, *rest) in self.results().items()}

    def unreadable(self) -> list[str]:
        """Entries of the store that cannot be read, with the reason; temporary ones do not count."""
        found = []
        root = self.folder / self.store
        for kind, names in (("predictions", "*"), ("times", "*.json"), ("scores", "*.json")):
            for entry in (root / kind).glob(names):
                if entry.name.startswith("."):
                    continue
                try:
                    _read(kind, entry)
                except (ValueError, OSError) as error:
                    found.append(f"{entry}: {error}")
        return found


def _read(kind: str, entry: Path) -> None:
    """Read an entry of the store as a run would.

    Raises:
        ValueError: it is damaged.
    """
    if kind == "predictions":
        if (prediction := read_prediction(entry)) is not None:
            prediction.check()
    elif kind == "times":
        read_entry(entry, StoredTimes)
    else:
        try:
            read_entry(entry, StoredScores)
        except ValueError:
            read_entry(entry, StoredFindings)
