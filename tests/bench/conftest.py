"""A small real clip on disk, the command line as a function, and a real Chromium where there is one."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from bench.__main__ import main
from bench.commands import plot
from bench.timing import contention
from frames.images import write_png
from studies.page import FLAGS
from tests.bench.browser import Opened
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
def drawn() -> None:
    """For tests that look at the plot of a run, among tests that do without (`undrawn`)."""


@pytest.fixture
def undrawn(request, monkeypatch) -> None:
    """A run draws no plot: it takes longer than all else of a small run."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(plot, "write", lambda *_: [])


@pytest.fixture
def apart(monkeypatch, tmp_path) -> None:
    """A key of the tests, and locks on cores that no other test sees: for runs of several workers."""
    monkeypatch.setenv("BENCH_KEY", "of the tests")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def bench(capfd, monkeypatch, tmp_path):
    """`bench("run", "method=bicubic", ...)` -> exit code, stdout, stderr."""

    monkeypatch.setenv("BENCH_STORE", str(tmp_path / "store"))

    def call(*arguments: str) -> Answer:
        return answer(main, arguments, capfd)

    return call


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Debian's Chromium, or $CHROMIUM, driven by playwright; tests that need it are skipped where there is none."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        pytest.skip("no chromium here: install Debian's package, or name one in $CHROMIUM")
    driver = pytest.importorskip("playwright.sync_api", reason="the playwright package is not installed")
    with driver.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=program, args=FLAGS, timeout=600_000)
        except driver.Error as error:
            pytest.skip(f"{program} does not start here: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium):
    """`opened(file, viewport=...)` -> the page, open."""
    pages = []

    def call(file: Path, **options) -> Opened:
        pages.append(Opened(chromium, file, **options))
        return pages[-1]

    yield call
    for each in pages:
        each.context.close()
