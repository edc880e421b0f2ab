"""The cluster of the tests, started once; and what runs of many workers need."""

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
        try:
            made.start()
        except AssertionError as error:
            pytest.skip(f"SLURM does not start here: {error}")
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def workers_apart(apart, undrawn) -> None:
    """Workers of several tests run at once; no run draws a plot."""
