"""The cluster of the tests, started once; and the environment in which runs of many workers are tried."""

import tempfile
from collections.abc import Iterator

import pytest

from tests.bench.launch.cluster import Cluster, absent


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    """A SLURM of one node."""
    if reason := absent():
        pytest.skip(reason)
    made = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def apart(monkeypatch, tmp_path) -> None:
    """A key of the tests, and locks on cores that no other test sees: workers of several tests run at once."""
    monkeypatch.setenv("BENCH_KEY", "of the tests")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
