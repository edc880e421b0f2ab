"""One attack and its outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

VERDICTS = ("check", "doctor", "data", "paper", "submit")
"""Commands for which exit code 1 is an answer: regressed, damaged, or against a rule."""
CODES = (0, 2, 3, 4)


@dataclass(frozen=True)
class Case:
    """A command in a folder of intact material in which something has been changed.

    Attributes:
        kind: what was attacked, a row of the table: "records", "png", "weights", ...
        words: the words after `python -m`: bench or turbovsr, and its arguments.
        prepare: changes the material; called with the folder that will be the command's working directory.
        may_write: paths below the working directory that the command may write to, beside results/, store/ and out*.
    """

    kind: str
    words: tuple[str, ...]
    prepare: Callable[[Path], None]
    may_write: tuple[str, ...] = ()


@dataclass
class Outcome:
    """How a command ended.

    Attributes:
        code: its exit code; negative: the signal that ended it.
        seconds: how long it took.
        peak_mb: peak of its resident memory, MiB.
        output: its standard output and standard error.
        strays: files outside the folders that it may write to.
        executed: whether an input was executed.
        hung, too_large: whether it was killed for its time or its memory.
    """

    code: int
    seconds: float
    peak_mb: float
    output: str
    strays: list[str] = field(default_factory=list)
    executed: bool = False
    hung: bool = False
    too_large: bool = False

    def faults(self, case: Case) -> list[str]:
        """Names of its faults, as in the table's columns."""
        program, command = case.words[0], (*case.words, "")[1]
        verdict = program == "bench" and command in VERDICTS
        ended = self.hung or self.too_large
        designed = self.code in CODES or (self.code == 1 and verdict)
        found = {
            "traceback": "Traceback (most recent call last)" in self.output,
            "hang": self.hung,
            "memory": self.too_large,
            "stray file": bool(self.strays),
            "executed": self.executed,
            "exit code": not ended and not designed,
            "silent": self.code == 3 and not self.output.strip(),
        }
        return [name for name, present in found.items() if present]

    @property
    def unforeseen(self) -> bool:
        """Whether an error was only caught at the top level, where unexpected ones become one line."""
        return ": unexpected " in self.output or ": not enough memory" in self.output


COLUMNS = ("traceback", "hang", "memory", "stray file", "executed", "exit code", "silent")
