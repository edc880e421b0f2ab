"""Fixtures of all tests: the assets fetched by `make test`, and small real pictures."""

import logging
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from bench import assets

SLOW = (
    "baselines/test_basicvsr.py",
    "bench/commands/test_foreign_runs.py",
    "bench/datasets/test_refused_clips.py",
    "bench/metrics/test_elpips.py",
    "bench/metrics/test_gt_features.py",
    "bench/metrics/test_perceptual_metrics.py",
    "bench/metrics/test_temporal_metrics.py",
    "bench/envelope/test_process.py",
    "bench/launch",
    "bench/methods/test_programs.py",
    "bench/report/page",
    "bench/report/test_names.py",
    "bench/report/test_paper.py",
    "bench/test_bad_input.py",
    "bench/run",
    "bench/test_overrides.py",
    "bench/test_turbovsr_2b.py",
    "documentation/test_commands.py",
    "documentation/test_site.py",
    "studies",
    "test_wheel.py",
    "turbovsr/ltx",
    "turbovsr/test_budget.py",
    "turbovsr/test_consistency.py",
    "turbovsr/test_pipeline.py",
    "turbovsr/test_shipped_weights.py",
    "turbovsr/test_video.py",
    "turbovsr/train",
)
"""Files and folders here whose tests train, run real networks or start processes; `make test-fast` leaves them out."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`-m "not slow"` does not even import the slow files."""
    return True if config.getoption("markexpr") == "not slow" and is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if is_slow(item.path):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Each test, and each fixture made for it, draws the same from the global generators: in any order, in any part."""
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


def is_slow(path: Path) -> bool:
    """Whether a test file, or a folder around it, is in SLOW."""
    here = Path(__file__).parent
    return any(here / name in (path, *path.parents) for name in SLOW)


@pytest.fixture(scope="session", autouse=True)
def quiet_matplotlib() -> None:
    """A machine's first use of it may say that its fonts are listed, or that there is no home: in any test."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> None:
    """Two threads, so that a shared machine gives the same order of sums to everybody."""
    torch.set_num_threads(min(2, torch.get_num_threads()))


@contextmanager
def restored() -> Iterator[None]:
    """The working folder, the environment and torch's threads are as before afterwards: commands change them."""
    folder, variables, threads = Path.cwd(), dict(os.environ), torch.get_num_threads()
    yield
    os.chdir(folder)
    torch.set_num_threads(threads)
    for name in os.environ.keys() - variables.keys() - {"PYTEST_CURRENT_TEST"}:
        del os.environ[name]
    os.environ.update({name: value for name, value in variables.items() if name != "PYTEST_CURRENT_TEST"})


@pytest.fixture(scope="module", autouse=True)
def restored_after_a_file(few_threads: None) -> Iterator[None]:
    with restored():
        yield


@pytest.fixture(autouse=True)
def restored_after_a_test(restored_after_a_file: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    modules = set(sys.modules)
    with restored():
        yield
    for name in set(sys.modules) - modules:  # of tests that write modules: another test's may have the same name
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(tmp_path_factory.getbasetemp()):
            del sys.modules[name]


@pytest.fixture(scope="session")
def asset() -> Callable[[str], Path]:
    """`asset("basicvsr/reds4.pth")`: the verified file; fails with the remedy when it was not fetched."""
    return assets.path


@pytest.fixture
def default_signals() -> Iterator[None]:
    """SIGINT and SIGHUP as at a terminal, for children that inherit them: under `&` or nohup a shell ignores them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
