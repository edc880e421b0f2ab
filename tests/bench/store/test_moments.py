"""Moments of unlike machines are compared as moments, not as texts."""

import pytest

from bench.store.moments import UNKNOWN, moment


def test_offsets_count():
    assert (
        moment("2026-01-01T01:30:00+02:00") < moment("2026-01-01T00:00:00+00:00") < moment("2025-12-31T17:00:00-08:00")
    )
    assert moment("2026-01-01T02:00:00+02:00") == moment("2026-01-01T00:00:00+00:00")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_moment_is_long_ago(text):
    assert moment(text) == UNKNOWN < moment("1970-01-02")
