"""The page on metrics names every metric twice: what it is, and which way it goes and what it does not see."""

import re
from pathlib import Path

import pytest

from bench.groups import members

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")


def named(head: str) -> list[str]:
    """The metrics in the first column of the table with this head."""
    rows = PAGE.split(head)[1].split("\n\n")[0].splitlines()
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1] if row else "")]


@pytest.mark.parametrize("head", ["| name | what | needs |", "| metric | range, better | blind to |"])
def test_every_metric_has_one_row(head):
    found = [name.removesuffix("/NAME") for name in named(head)]
    assert sorted(found) == sorted(members("metric"))
