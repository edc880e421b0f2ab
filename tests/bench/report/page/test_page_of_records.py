"""The page without pictures: names of any length, metrics without scores, times as in the tables."""

import json
import math
import re
from dataclasses import replace

from bench.metrics.places import finder
from bench.report.page import order, panels, render, stages, tabulated
from bench.report.page.choose import PictureBudget
from bench.report.tables import tables
from bench.timing.results import Repetition
from tests.bench.made_up import make

LONG = "a_very_long_name_of_a_method_that_someone_gave_after_an_experiment_2026-11-30"


def page_of(records):
    page, _ = render(records, [], {}, PictureBudget(1_000_000), finder)
    return page, json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])


def test_a_metric_that_nothing_was_scored_by_is_offered_nowhere():
    record = make("one", "a", [30.0], [1.0])
    lost = replace(record.scores["psnr"], values=None, indices=None, reason="no ground truth")
    _, data = page_of([replace(record, scores=record.scores | {"psnr": lost})])
    assert [metric["title"] for metric in data["metrics"]] == ["LPIPS-alex"]


def test_the_least_score_of_a_curve_is_no_call_with_all_of_them():
    """Browsers refuse calls with some 125,000 arguments, as are the scores of 13 methods on 10,000 frames."""
    page, _ = page_of([make("one", "a", [20.0, 21.0], [1.0])])
    assert "extent(finite)" in page and not re.search(r"Math\.(min|max)\(\.\.\.", page)


def test_an_infinite_score_is_sorted_as_a_number_of_javascript():
    """`Number("inf")` is NaN there, which compares with nothing; PSNR of equal frames is infinite."""
    page, _ = page_of([make("one", clip, [psnr], [1.0]) for clip, psnr in (("a", math.inf), ("b", 20.0))])
    assert re.findall(r'data-value="([^"]*)">∞<', page) == ["Infinity", "Infinity"]  # of the set and of the clip
    assert tabulated.BodyCell("-∞", -math.inf).number == "-Infinity" and tabulated.BodyCell("–", None).number == ""


def test_the_name_of_a_point_fits_into_its_panel_and_its_tip_has_it_whole():
    records = [make(name, clip, [30.0 + n], [1.0 + n]) for n, name in enumerate((LONG, "turbovsr")) for clip in "ab"]
    ((_, (panel, *_)),) = panels.of_tables(tables(records), order_of(records))
    shown = {label.text for label in panel.labels}
    assert "turbovsr" in shown and any(text.startswith("a_very") and text.endswith("11-30") for text in shown)
    assert all(len(text) <= panels.LETTERS for text in shown)
    assert any(mark.tip.startswith(LONG) for mark in panel.marks)


def test_the_names_of_a_sweep_tell_its_options_and_never_lie_upon_each_other():
    """The middle was cut out of each, so all looked alike; names of equal points were written one over the other."""
    names = [f"turbovsr[steps={steps},use_latent={latent}]" for steps in (1, 2, 4) for latent in ("True", "False")]
    records = [make(name, "a", [30.0 + n], [1.0]) for n, name in enumerate(names)]
    records += [make(f"same{n}", "a", [20.0], [9.0]) for n in range(9)]
    ((_, (panel, *_)),) = panels.of_tables(tables(records), order_of(records))
    shown = [label.text for label in panel.labels]
    assert "[steps=4,use_latent=False]" in shown and len(set(shown)) == len(shown)
    assert len(panel.marks) == 15 and 1 <= sum(text.startswith("same") for text in shown) < 9


def test_the_whole_of_the_stages_is_the_time_that_the_tables_have():
    """Medians of stages need not add up to the median of the whole."""
    record = make("one", "a", [30.0, 30.0], [1.0])
    repetitions = [
        Repetition(total_s=whole, stages_s={"encode": encode, "decode": whole - encode})
        for whole, encode in ((1.0, 0.9), (2.0, 0.1), (3.0, 1.0))
    ]
    times = replace(record.timing["tensors"], repetitions=repetitions)
    record = replace(record, timing={"tensors": times})
    ((_, _, (bar,)),) = stages.of_records([record], ["one"])
    assert bar.total == "1000 ms per frame"
    assert tables([record])[0].text("one", column_of(record, "ms_per_frame")) == "1000"


def test_stages_on_unlike_devices_are_bars_of_their_own():
    records = [make("one", "a", [30.0], [1.0]), make("one", "b", [30.0], [3.0], device="a GPU")]
    found = [(scope, bar.total) for _, scope, (bar,) in stages.of_records(records, ["one"])]
    assert found == [("tensors, a machine", "1000 ms per frame"), ("tensors, a GPU", "3000 ms per frame")]


def test_times_of_unlike_scopes_or_devices_never_share_a_column_of_the_table_of_clips():
    one = make("one", "a", [30.0], [1.0])
    program = replace(one, method="program", timing={"files": replace(one.timing["tensors"], scope="files")})
    found = tabulated.clips([one, program], ["one", "program"])
    assert [head.title for head in found.heads[3:5]] == ["ms per frame ↓", "ms per frame (files) ↓"]
    assert [[cell.text for cell in line.cells[:2]] for line in found.lines] == [["1000", "–"], ["–", "1000"]]
    heads = tabulated.clips([one, replace(one, method="two", device="a GPU")], ["one", "two"]).heads
    assert [head.title for head in heads[3:5]] == ["ms per frame, a machine ↓", "ms per frame, a GPU ↓"]


def order_of(records):
    return list(dict.fromkeys(record.method for record in records))


def column_of(record, metric):
    return next(column for column in tables([record])[0].columns if column.metric == metric)


def test_metrics_keep_their_order():
    record = make("one", "a", [30.0], [1.0])
    assert [metric.name for metric in order.metrics_of([record])] == list(record.scores)
