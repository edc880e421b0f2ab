"""A data set of a user's own, for tests."""

from bench.datasets.folder import Folder


class Mine(Folder):
    """As a user would write one."""
