"""Metrics whose best value is GT's own: headings, marks, order, notes, the page, and the gate."""

from dataclasses import replace

import pytest

from bench.gate.comparison import compare
from bench.report import tables
from bench.report.look import front_of
from bench.report.page import order, tabulated
from bench.store.record import Record, Score
from tests.bench.made_up import make

OWN = {"a": [1.2, 1.4], "b": [2.0, 2.2]}


def score(values, better="nearer", **more):
    return Score(
        title="lattice", unit="", better=better, digits=2, signature="lattice|v1", short="lattice",
        values=values, indices=list(range(len(values))), **more,
    )  # fmt: skip


def records(offsets, companion=True, **more):
    """One record a method and clip: GT's own values plus an offset."""
    found = []
    for method, offset in offsets.items():
        for clip, own in OWN.items():
            scores = {"lattice": score([value + offset for value in own], **more)}
            scores |= {"lattice-gt": score(own, better="lower")} if companion else {}
            found.append(replace(make(method, clip, [20.0, 20.0], [1.0]), scores=scores))
    return found


def column_of(table, metric="lattice"):
    return next(column for column in table.columns if column.metric == metric)


def test_the_nearest_to_gt_is_best_whether_above_or_below_it():
    (table,) = tables.tables(records({"blurred": -0.5, "patterned": 3.0, "near": 0.2}))
    column = column_of(table)
    assert column.header == "lattice →GT"
    assert table.marks(column) == {"near": "best", "blurred": "second"}
    assert table.text("blurred", column) == "1.20"  # the value itself is printed, not its distance
    (by,) = tables.tables(records({"blurred": -0.5, "patterned": 3.0, "near": 0.2}), sort="lattice")
    assert by.methods == ["near", "blurred", "patterned"]


def test_distances_do_not_cancel_between_frames():
    found = records({"even": 0.3})
    swings = replace(found[0].scores["lattice"], values=[0.2, 2.4])  # its mean equals GT's
    found += [replace(r, method="swinging", scores=r.scores | {"lattice": swings}) for r in found]
    (table,) = tables.tables(found)
    assert table.marks(column_of(table))["even"] == "best"


def test_without_gts_own_value_nothing_is_ranked_and_a_note_says_so():
    (table,) = tables.tables(records({"one": 0.5, "two": 1.0}, companion=False))
    assert table.marks(column_of(table)) == {}
    assert any("lattice is not ranked" in note and "lattice-gt" in note for note in table.notes)
    assert not any("not ranked" in note for note in tables.tables(records({"one": 0.5, "two": 1.0}))[0].notes)


def test_a_fixed_value_of_gt_needs_no_companion():
    found = records({"one": 0.5, "two": 1.0}, companion=False, best=1.0)
    (table,) = tables.tables(found)
    assert table.marks(column_of(table))["one"] == "best"
    assert found[0].gt_values("lattice") == {0: 1.0, 1: 1.0}


def test_the_page_lists_the_farthest_frames_and_sorts_by_distance():
    found = records({"blurred": -0.9, "near": 0.2})
    metric = next(m for m in order.metrics_of(found) if m.name == "lattice")
    bad = order.worst(found, metric)
    assert metric.header == "lattice →GT" and bad[0].method == "blurred" and bad[0].value == pytest.approx(0.3)
    (table,) = tables.tables(found)
    page = tabulated.summary(table, ["blurred", "near"])
    (at,) = [index for index, head in enumerate(page.heads) if head.title == "lattice →GT"]
    assert [line.cells[at - 1].value for line in page.lines] == [pytest.approx(0.9), pytest.approx(0.2)]


def test_no_front_where_up_is_not_better():
    assert front_of([(1.0, 2.0), (2.0, 3.0)], "nearer") == []


@pytest.mark.parametrize("before, after, verdict", [(0.5, 0.1, "better"), (0.5, -0.1, "better"), (-0.1, -0.9, "worse")])
def test_the_gate_compares_distances(before, after, verdict):
    found = compare(records({"ours": before}), records({"ours": after}))
    (judged,) = [each for each in found if each.metric == "lattice"]
    assert judged.verdict == verdict and judged.change == pytest.approx(abs(before) - abs(after))
    assert judged.after == pytest.approx(1.7 + after)


def test_the_gate_refuses_to_judge_without_gts_own_value():
    for lacking in ((True, False), (False, True)):
        found = compare(*(records({"ours": 0.1}, companion=has) for has in lacking))
        (judged,) = [each for each in found if each.metric == "lattice"]
        assert judged.verdict == "missing" and "lattice-gt" in judged.note


def test_records_keep_the_direction_and_older_ones_read():
    (first, *_) = records({"ours": 0.1}, best=1.0)
    assert Record.from_json(first.to_json()) == first
    older = first.to_json()
    for each in older["scores"].values():
        del each["best"]
        each["better"] = "lower"
    assert Record.from_json(older).rank_values("lattice") == first.scores["lattice"].by_index
