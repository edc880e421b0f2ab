"""A small real run and its page, made once; a real Chromium where there is one."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.__main__ import main
from frames.images import write_png
from studies.page import FLAGS


@dataclass(frozen=True)
class Made:
    """A run of two methods on two clips (five frames of 64x96, a still), and what it was made from."""

    run: Path
    store: Path
    gt: Path
    page: Path


@pytest.fixture(scope="session")
def made(tmp_path_factory, photo) -> Made:
    root = tmp_path_factory.mktemp("page")
    for index in range(5):
        top = 100 + 3 * index
        write_png(root / "gt" / "pan" / f"{index:08d}.png", photo[top : top + 64, 180:276])
    write_png(root / "gt" / "still" / "00000000.png", photo[150:214, 300:396])
    found = Made(root / "run", root / "store", root / "gt", root / "page.html")
    options = ("metrics=[psnr,ssim]", "timing=once", f"out={found.run}", f"store={found.store}")
    assert main(["run", "method=bicubic,nearest", "data=folder", f"data.gt={found.gt}", *options]) == 0
    assert main(["report", str(found.run), "--out", str(found.page)]) == 0
    return found


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Debian's Chromium, or $CHROMIUM, driven by playwright; tests that need it are skipped where there is none."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        pytest.skip("no chromium here: install Debian's package, or name one in $CHROMIUM")
    driver = pytest.importorskip("playwright.sync_api", reason="the playwright package is not installed")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Opened:
    """The page in a browser that reaches nothing; `errors` and `requests` hold what went wrong or tried to leave."""

    def __init__(self, browser, file: Path, **options) -> None:
        self.context = browser.new_context(**options)
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page = self.context.new_page()
        self.page.set_default_timeout(60000)  # a busy machine is no fault of the page
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.context.route("**/*", self._guard)
        self.address = f"file://{file}"
        self.page.goto(self.address)

    def _guard(self, route) -> None:
        if route.request.url == self.address or route.request.url.startswith("data:"):
            route.continue_()
        else:
            self.requests.append(route.request.url)
            route.abort()

    def drawn(self, what: str) -> None:
        """Wait until the pictures of `clip/frame` are on the stage."""
        self.page.wait_for_selector(f'#stage[data-drawn="{what}"]')


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
