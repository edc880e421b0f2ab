"""Content of the plots: fronts, names that do not collide, exponents, shares, steps, themes."""

import itertools
import math
from dataclasses import replace

import matplotlib.colors as colors
import numpy as np
import pytest
from matplotlib.axes import Axes

from bench.report import plot
from bench.report.look import front_of
from bench.report.page import panels
from bench.report.plots import style
from bench.report.plots.labels import _DIRECTIONS
from bench.report.plots.scaling import power_law
from bench.report.points import LACKING, points_of
from bench.report.tables import tables
from tests.bench.made_up import untrained, with_times


def texts_of(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_the_pareto_front_keeps_what_nothing_beats_in_both():
    points = [(1, 20), (2, 19), (3, 25), (3, 24), (9, 26)]
    assert front_of(points, "higher") == [(1, 20), (3, 25), (9, 26)]
    assert front_of(points, "lower") == [(1, 20), (2, 19)]


def test_a_method_that_lacks_clips_is_on_no_front_and_its_name_counts_them(crowd):
    """Without the hardest clip any method looks better."""
    lacking = [r for r in crowd if (r.method, r.clip) != ("model[steps=4]", "a")]
    (table,) = tables(lacking)
    time, score = (next(c for c in table.columns if c.metric == name) for name in ("ms_per_frame", "psnr"))
    points = points_of(table, time, score)
    assert points.counted == {"model[steps=4]": "3/4"} and len(points.of) == 4
    assert len(points.front("higher")) == 2 and points.of["model[steps=4]"] not in points.front("higher")
    figure = plot.draw("speed-quality", lacking)
    assert "model[steps=4] (3/4)" in texts_of(figure.axes[0]) and LACKING.strip() in figure.get_supxlabel()
    ((_, (panel, *_)),) = panels.of_tables([table], [r.method for r in crowd[:4]])
    assert len(panel.front) == 2 and "model[steps=4] (3/4)" in {label.text for label in panel.labels}
    assert "(3/4)" in panel.alt_text


def test_times_of_files_are_drawn_where_a_method_has_no_others(record):
    """Programs have times of files alone; a run of them had no plot."""
    one = record("one", "a", [30.0], [1.0], expected=1)
    files = replace(one.timing["tensors"], scope="files")
    program = replace(one, method="program", timing={"files": files})
    both = replace(one, timing=one.timing | {"files": files})
    heads = [
        [axes.get_xlabel() for axes in plot.draw("speed-quality", runs).axes[::2]]
        for runs in ([both], [program], [both, program])
    ]
    assert heads == [["time per frame [ms]"], ["time per frame (files) [ms]"], [heads[0][0], heads[1][0]]]


def test_names_meet_neither_each_other_nor_markers_nor_the_frame(crowd):
    figure = plot.draw("speed-quality", crowd)
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes:
        names = [t for t in axes.texts if t.get_text() != "better"]
        boxes = [t.get_window_extent(renderer) for t in names]
        assert len(boxes) == 4
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
        inside = axes.get_window_extent(renderer)
        assert all(box.x0 >= inside.x0 and box.x1 <= inside.x1 for box in boxes)


def test_an_axis_of_close_values_has_whole_numbers_and_no_offset(record):
    runs = [record(f"m[steps={n}]", "a", [18.29 + 0.001 * n], [n], steps=n, expected=1) for n in (1, 2)]
    figure = plot.draw("steps", runs)
    figure.canvas.draw()
    assert [axes.yaxis.get_offset_text().get_text() for axes in figure.axes] == [""] * len(figure.axes)


def test_a_clip_without_scores_by_a_metric_says_so_and_has_no_axis_of_its_own(record):
    one, other = (record("one", clip, [30.0, 31.0], [1.0]) for clip in "ab")
    curve = replace(one.scores["lpips-alex"], values=[0.2, 0.3], indices=[0, 1])
    lost = replace(curve, values=None, indices=None, reason="no still area")
    runs = [replace(each, scores=each.scores | {"lpips-alex": s}) for each, s in ((one, curve), (other, lost))]
    figure = plot.draw("frames", runs)
    (empty,) = [axes for axes in figure.axes if "no scores" in texts_of(axes)]
    assert empty.get_title(loc="left").endswith("/b") and not len(empty.get_xticks())


def test_the_only_value_of_a_clip_of_two_frames_is_drawn_and_infinite_ones_are_named(record):
    """Metrics of pairs have one value there; the panel said that there were no scores."""
    long, short = record("one", "a", [30.0, 31.0, 32.0], [1.0]), record("one", "b", [30.0, math.inf], [1.0])
    pairs = replace(long.scores["lpips-alex"], window=2, values=[0.2, 0.3], indices=[0, 1])
    single = replace(pairs, values=[0.2], indices=[0])
    runs = [replace(each, scores=each.scores | {"lpips-alex": s}) for each, s in ((long, pairs), (short, single))]
    figure = plot.draw("frames", runs)
    assert not any("no scores" in texts_of(axes) for axes in figure.axes)
    assert [len(axes.lines[0].get_xdata()) for axes in figure.axes] == [3, 2, 2, 1]
    assert "infinite scores" in figure.get_supxlabel()
    assert "infinite scores" not in plot.draw("frames", runs[:1]).get_supxlabel()


def test_too_many_names_go_into_a_legend(record):
    many = [record(f"a_rather_long_name_{i}", "a", [25 + 0.01 * i], [0.2 + 0.001 * i], expected=1) for i in range(14)]
    figure = plot.draw("speed-quality", many, width="column")
    assert all(texts_of(axes) == ["better"] for axes in figure.axes)
    legend = {t.get_text() for each in figure.legends for t in each.get_texts()}
    assert {f"a_rather_long_name_{i}" for i in range(14)} <= legend


def test_names_are_tried_until_one_finds_no_place(record, monkeypatch):
    """Twenty methods on ten sets took minutes, for names that then went into a legend."""
    many = [
        record(f"a_rather_long_name_{i}", "a", [25 + 0.01 * i], [0.2 + 0.001 * i], data=data, expected=1)
        for data in ("one", "two", "three")
        for i in range(14)
    ]
    written: list[str] = []
    annotate = Axes.annotate

    def counted(axes, text, *positions, **options):
        written.append(text)
        return annotate(axes, text, *positions, **options)

    monkeypatch.setattr(Axes, "annotate", counted)
    assert plot.draw("speed-quality", many, width="column").legends
    assert sum(text != "better" for text in written) <= 14 * len(_DIRECTIONS)


def test_marker_and_colour_together_stay_unique():
    theme = style.THEMES["light"]
    assert len({(style.color(theme, i), style.marker(i)) for i in range(60)}) == 60


@pytest.mark.parametrize(
    "kind, grows", [("device, allocated by torch", True), ("process, resident", False)], ids=["gpu", "whole process"]
)
def test_a_marker_grows_with_the_memory_of_a_method_and_not_of_a_process(record, kind, grows):
    records = [record("small", "a", [20], [1.0]), record("large", "a", [21], [2.0])]
    records = [with_times(r, peak_memory_mb=mb, peak_memory_kind=kind) for r, mb in zip(records, (100.0, 40_000.0))]
    axes = plot.draw("speed-quality", records).axes[0]
    sizes = [line.get_markersize() for line in axes.lines if line.get_marker() in style.MARKERS]
    assert (max(sizes) > 1.5 * min(sizes)) == grows


def test_curves_have_a_panel_a_clip_and_metric_and_only_clips_of_several_frames(crowd):
    figure = plot.draw("frames", crowd, clips=["a", "set/b"])
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert titles == ["set/a", "set/b"]  # LPIPS has one value a clip here: nothing to draw along
    assert len(figure.axes[0].lines) == 4


def test_stages_are_shares_of_the_whole_and_the_whole_is_written(crowd):
    (axes,) = plot.draw("stages", crowd).axes
    assert {"25 %", "50 %"} <= set(texts_of(axes)) and "0.833 ms" in texts_of(axes)
    widths = sum(patch.get_width() for patch in axes.patches)
    assert widths == pytest.approx(400)


def test_stages_that_all_took_no_time_are_one_bar_of_the_whole(record):
    made = record("plain", "a", [20.0], [1.0])
    still = [replace(each, stages_s={"encode": 0.0, "decode": 0.0}) for each in made.timing["tensors"].repetitions]
    (axes,) = plot.draw("stages", [with_times(made, repetitions=still)]).axes
    assert "1000 ms" in texts_of(axes) and [patch.get_width() for patch in axes.patches] == [100]


def test_the_exponent_of_the_cost_is_in_the_legend(crowd):
    factor, exponent, (low, high) = power_law([1, 2, 4, 8], [3, 6, 12, 24])
    assert factor == pytest.approx(3) and exponent == pytest.approx(1) and low <= 1.0001 and high >= 0.9999
    figure = plot.draw("cost-size", crowd)
    assert "plain: exponent 1.00 (1.00 to 1.00)" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_a_method_whose_name_begins_with_an_underscore_is_in_the_legend(crowd):
    figure = plot.draw("cost-size", [replace(r, method=f"_{r.method}") for r in crowd])
    assert "_plain: exponent 1.00 (1.00 to 1.00)" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_no_power_law_goes_through_points_of_two_devices(crowd):
    figure = plot.draw("cost-size", [replace(r, device="a GPU") if r.clip in "cd" else r for r in crowd])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {f"plain ({each}): too few sizes for an exponent" for each in ("a machine", "a GPU")} < set(names)


def test_steps_of_one_model_make_one_curve(crowd):
    figure = plot.draw("steps", crowd)
    axes = next(axes for axes in figure.axes if "PSNR" in axes.get_ylabel())
    (curve,) = (line for line in axes.lines if line.get_marker() in style.MARKERS)
    assert list(curve.get_xdata()) == [1, 4] and np.diff(curve.get_ydata())[0] == pytest.approx(0.5)


def test_methods_with_random_weights_are_in_no_quality_plot(crowd):
    crowd = list(map(untrained, crowd))
    assert plot.draw("speed-quality", crowd) is None and plot.draw("frames", crowd) is None
    assert plot.draw("stages", crowd) is not None


@pytest.mark.parametrize("theme", style.THEMES)
def test_every_colour_stands_out_from_its_background(theme):
    def luminance(name):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colors.to_rgb(name)]
        return float(np.dot((0.2126, 0.7152, 0.0722), linear))

    chosen = style.THEMES[theme]
    for name in (*chosen.series, chosen.ink, chosen.faint):
        bright, dim = sorted((luminance(name), luminance(chosen.background)), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) > 3, name  # WCAG: graphics need 3 to 1
