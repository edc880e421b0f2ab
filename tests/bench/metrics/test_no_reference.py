"""`metrics=[no-reference]`: one word for all that needs no GT, and a reason for what is not at hand."""

import json
import sys

import pytest

from bench.metrics.protocol import RGB
from bench.metrics.registry import build, chosen
from bench.metrics.unavailable import Unavailable
from frames.errors import UserError


@pytest.fixture(autouse=True)
def without_pyiqa(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    build.cache_clear()
    yield
    build.cache_clear()


def test_members_that_cannot_be_had_keep_their_place():
    found = chosen(["psnr", "no-reference"], RGB)
    assert list(found)[:3] == ["psnr", "niqe", "warp-error-sr"] and "pyiqa/dover" in found
    assert not isinstance(found["niqe"], Unavailable) and not found["warp-error-sr"].kind.reference
    assert found["pyiqa/musiq"].unavailable.startswith("not at hand: pyiqa is not installed; pip install pyiqa")
    with pytest.raises(ValueError, match="not at hand"):
        found["pyiqa/musiq"].score(None)


def test_what_is_asked_for_by_its_own_name_must_be_there():
    with pytest.raises(UserError, match="pyiqa/musiq: pyiqa is not installed"):
        chosen(["pyiqa/musiq"], RGB)
    with pytest.raises(UserError, match="no-reference: several metrics; name one of niqe"):
        build("no-reference")
    with pytest.raises(UserError, match="unknown metric 'no-referense'; did you mean 'no-reference'"):
        chosen(["no-referense"], RGB)


def test_a_run_without_gt_says_once_what_is_missing(bench, clips, tmp_path):
    out = tmp_path / "run"
    words = ["method=bicubic", "data=folder", f"data.root={clips}", "metrics=[no-reference]", "timing=once"]
    answer = bench("run", *words, f"out={out}")
    assert answer.code == 0, answer.err
    told = [line for line in answer.err.splitlines() if "not at hand" in line]
    assert len(told) == 1 and told[0].startswith("bench: pyiqa/musiq, pyiqa/clipiqa, pyiqa/dover, pyiqa/fastervqa: not")
    records = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    for record in records:
        scores = record["scores"]
        assert len(scores["niqe"]["values"]) == 3 and len(scores["warp-error-sr"]["values"]) == 2
        assert scores["pyiqa/musiq"]["values"] is None and "pyiqa is not installed" in scores["pyiqa/musiq"]["reason"]
    table = bench("table", out, "--format", "md").out
    assert "pyiqa/musiq" in table.splitlines()[2] and table.count("not at hand") == 1
