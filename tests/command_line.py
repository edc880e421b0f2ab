"""A command line called as a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest


@dataclass
class Answer:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


def answer(main: Callable[[list[str]], int], arguments: tuple, capfd: pytest.CaptureFixture[str]) -> Answer:
    """The answer of `main` to these arguments."""
    capfd.readouterr()
    code = main(list(map(str, arguments)))
    return Answer(code, *capfd.readouterr())
