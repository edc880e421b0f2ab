"""A small real run and its page, made once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.__main__ import main
from frames.images import write_png


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
