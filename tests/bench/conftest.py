"""A small real clip on disk, and the command line as a function."""

from pathlib import Path

import numpy as np
import pytest
from skimage import data

from bench.__main__ import main
from bench.timing import contention
from frames.images import write_png
from tests.command_line import Answer, answer


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """uint8 (512, 512, 3)."""
    return data.astronaut()


@pytest.fixture
def clips(tmp_path, photo) -> Path:
    """A folder with GT of two clips, three frames of 64x96 each, panning over a photograph."""
    root = tmp_path / "gt"
    for name, left in (("pan", 180), ("tilt", 300)):
        for index in range(3):
            write_png(root / name / f"{index:08d}.png", photo[100 + 2 * index : 164 + 2 * index, left : left + 96])
    return root


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch) -> None:
    """What else runs on the machine of the tests is not seen: no repetition is redone because of it."""
    monkeypatch.setattr(contention, "_waiting", lambda: None)
    monkeypatch.setattr(contention, "_processors", lambda: (None, None))


@pytest.fixture
def bench(capfd, monkeypatch, tmp_path):
    """`bench("run", "method=bicubic", ...)` -> exit code, stdout, stderr."""

    monkeypatch.setenv("BENCH_STORE", str(tmp_path / "store"))

    def call(*arguments: str) -> Answer:
        return answer(main, arguments, capfd)

    return call
