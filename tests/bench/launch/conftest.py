"""The cluster of the tests, started once; and the environment in which runs of many workers are tried."""

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
def key(monkeypatch) -> None:
    monkeypatch.setenv("BENCH_KEY", "of the tests")
