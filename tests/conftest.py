"""What all tests share: the assets fetched by `make test`, and small real pictures."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bench import assets


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> None:
    """Two threads, so that a shared machine gives the same order of sums to everybody."""
    torch.set_num_threads(min(2, torch.get_num_threads()))


@pytest.fixture(scope="session")
def asset() -> Callable[[str], Path]:
    """`asset("basicvsr/reds4.pth")`: the verified file; fails with the remedy when it was not fetched."""
    return assets.path
