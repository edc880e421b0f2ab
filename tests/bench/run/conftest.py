"""Runs of these tests draw no plot, unless a test asks for `drawn`."""

import pytest


@pytest.fixture(autouse=True)
def small(undrawn) -> None:
    """See `undrawn`."""
