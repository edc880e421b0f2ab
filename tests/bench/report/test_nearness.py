"""Metrics whose best value is GT's own: headings, marks, order, notes, the page, and the gate."""

from dataclasses import replace

import pytest

from bench.gate.comparison import compare
from bench.report import latex, plot, tables
from bench.report import text as plain
from bench.report.look import front_of
from bench.report.page import order, panels, tabulated
from bench.report.site.boards import Board, sorted_table
from bench.store.record import Record, Score
from frames.errors import UserError
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
            scores |= {"lattice-gt": score(own, better="none")} if companion else {}
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
    assert front_of([(1.0, 2.0), (2.0, 3.0)], "nearer") == front_of([(1.0, 2.0)], "none") == []


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


def test_gts_own_value_has_no_arrow_no_mark_no_order_and_no_panel():
    found = records({"one": 0.5, "two": 1.0})
    (table,) = tables.tables(found)
    column = column_of(table, "lattice-gt")
    assert column.header == "lattice" and table.marks(column) == {}
    assert "of GT" not in " ".join(table.notes)
    with pytest.raises(UserError, match="cannot sort by lattice-gt: it has no direction"):
        tables.tables(found, sort="lattice-gt")
    metrics = order.metrics_of(found)
    own = next(m for m in metrics if m.name == "lattice-gt")
    assert own.header == "lattice" and order.worst(found, own) == []
    ((_, drawn),) = panels.of_tables([table], table.methods)
    assert [(panel.title, panel.note) for panel in drawn] == [("lattice", "nearer to GT is better")]
    (shown,) = tables.tables(found, show=["lattice-gt"])
    assert "arrow" not in latex.latex(shown.grid()) and "| lattice |" in plain.markdown(shown.grid())


def test_the_plot_has_no_panel_for_what_ranks_nothing():
    figure = plot.draw("speed-quality", records({"one": 0.5, "two": 1.0}), metrics=["lattice", "lattice-gt"])
    assert [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()] == ["lattice\nnearer to GT is better"]
    assert plot.draw("speed-quality", records({"one": 0.5}), metrics=["lattice-gt"]) is None


def test_curves_and_steps_say_that_there_is_no_direction():
    figure = plot.draw("frames", [each for each in records({"one": 0.5})])
    assert "lattice\nno direction" in [axes.get_ylabel() for axes in figure.axes]


def test_the_gate_leaves_out_what_ranks_nothing():
    found = compare(records({"ours": 0.1}), records({"ours": 0.1}))
    assert [each.metric for each in found] == ["lattice"]


def test_the_site_sorts_by_distance_and_not_by_gts_own_value():
    found = [replace(each, run=f"run-{each.method}") for each in records({"blurred": -0.9, "near": 0.2})]
    (table,) = tables.tables(found)
    board = Board("set", table, found, found)
    page = sorted_table(board, table.methods, {f"run-{name}": name for name in table.methods})
    heads = [head.title for head in page.heads[3:]]
    values = [dict(zip(heads, (cell.value for cell in line.cells[1:]), strict=True)) for line in page.lines]
    assert heads == ["FPS [1/s] ↑", "time per frame [ms] ↓", "output [Mpx/s] ↑", "process memory [MiB]",
                     "lattice →GT", "lattice"]  # fmt: skip
    assert [each["lattice →GT"] for each in values] == [pytest.approx(0.9), pytest.approx(0.2)]
    assert [each["lattice"] for each in values] == [None, None]


def test_records_keep_the_direction_and_older_ones_read():
    (first, *_) = records({"ours": 0.1}, best=1.0)
    assert Record.from_json(first.to_json()) == first
    older = first.to_json()
    for each in older["scores"].values():
        del each["best"]
        each["better"] = "lower"
    assert Record.from_json(older).rank_values("lattice") == first.scores["lattice"].by_index
