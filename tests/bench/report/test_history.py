"""Lines over commits on made-up runs: what is worse, and what is never joined."""

import math
from dataclasses import replace

import pytest

from bench.commands.history import judge
from bench.report.history import BUSY, Run, grids, lines, machines, worse
from bench.report.plots import style
from bench.report.plots.history import history_plot
from tests.bench.made_up import make, with_score, with_times

CLIPS = "abcd"


def run(day, psnr=30.0, seconds=0.1, change=lambda record: record, **more):
    """A run of one method on four clips, at the commit of that day."""
    records = [
        make("plain", clip, [psnr + n, psnr + n + 0.5], [seconds, 1.01 * seconds, 0.99 * seconds], expected=4, **more)
        for n, clip in enumerate(CLIPS)
    ]
    return Run(f"run{day}", f"2026-01-{day:02}T00:00:00", f"{day:040x}", False, list(map(change, records)))


def line(runs, metric):
    (found,) = [each for each in lines(runs, judge) if each.metric == metric]
    return found


def verdicts(runs, metric):
    found = line(runs, metric)
    return [[m.since_previous and m.since_previous.verdict for m in part] for part in found.parts]


def test_runs_are_in_the_order_of_their_dates_with_the_tables_figures():
    (part,) = line([run(3), run(1), run(2)], "psnr").parts
    assert [result.run.name for result in part] == ["run1", "run2", "run3"]
    assert part[0].row.value == pytest.approx(31.75) and part[0].row.interval is not None


def test_runs_of_unlike_time_zones_are_in_the_order_in_which_they_were_made():
    early, late = (
        replace(run(day), date=date)
        for day, date in ((1, "2026-01-02T09:00:00+09:00"), (2, "2026-01-02T01:00:00+00:00"))
    )
    (part,) = line([late, early], "psnr").parts
    assert [result.run.name for result in part] == ["run1", "run2"]


@pytest.mark.parametrize("now, verdict", [(30.0, "same"), (29.98, "same"), (29.9, "worse"), (30.2, "better")])
def test_a_score_is_judged_by_the_paired_interval_and_the_margin(now, verdict):
    assert verdicts([run(1), run(2, psnr=now)], "psnr") == [[None, verdict]]


def test_frames_that_are_equal_in_both_runs_are_no_change():
    def equal_in_one_clip(record):
        return with_score(record, "psnr", values=[math.inf]) if record.clip == "a" else record

    runs = [run(day, change=equal_in_one_clip) for day in (1, 2)]
    assert verdicts(runs, "psnr") == [[None, "same"]]
    (grid,) = grids([line(runs, "psnr")])
    assert grid.blocks[0].rows[1][6].text == "+0.00 dB, same"


def test_a_fall_that_the_clips_do_not_agree_on_is_not_called_worse():
    def uneven(record):
        values = [30.0 - 3.0 * (record.clip == "a") + 1.5 * (record.clip == "b")] * 2
        return with_score(record, "psnr", values=values)

    flat = run(1, change=lambda record: with_score(record, "psnr", values=[30.0, 30.0]))
    assert verdicts([flat, run(2, change=uneven)], "psnr") == [[None, "inconclusive"]]


def test_a_lower_distance_is_better_and_the_change_is_printed_in_its_own_direction():
    found = [run(1, lpips=0.25), run(2, lpips=0.20)]
    assert verdicts(found, "lpips-alex") == [[None, "better"]]
    (grid,) = grids([line(found, "lpips-alex")])
    assert grid.blocks[0].rows[1][6].text == "-0.0500, better"


@pytest.mark.parametrize("seconds, verdict", [(0.1, "same"), (0.105, "same"), (0.13, "worse"), (0.07, "better")])
def test_speed_on_one_machine_is_judged_by_the_interval_of_the_ratio(seconds, verdict):
    runs = [run(1), run(2, seconds=seconds)]
    if verdict == "same":
        assert verdicts(runs, "fps")[0][1] in ("same", "inconclusive", "better")
    else:
        assert verdicts(runs, "fps") == [[None, verdict]]


def test_what_is_slow_by_chance_in_one_repetition_is_not_called_worse():
    def noisy(record):
        times = record.timing["tensors"].repetitions
        return with_times(record, repetitions=[times[0], replace(times[1], total_s=9.0), times[2]])

    assert verdicts([run(1), run(2, change=noisy)], "fps")[0][1] != "worse"


def test_creeping_losses_are_worse_than_the_first():
    part = line([run(day, psnr=30.0 - 0.03 * day) for day in range(1, 5)], "psnr").parts[0]
    assert [m.since_previous.verdict for m in part[1:]] == ["same"] * 3
    assert [m.since_first.verdict for m in part[1:]] == ["same", "worse", "worse"]
    told = list(worse(lines([run(day, psnr=30.0 - 0.03 * day) for day in range(1, 5)], judge)))
    assert len(told) == 2 and "PSNR-Y: worse at 0000000 than in the first" in told[0]


def relative(day, plain, other, change=lambda record: record):
    """A run of two methods; `change` is made to the records of the other, which is the unit of speed."""
    found = run(day, seconds=plain)
    others = run(day, seconds=other, change=change).records
    return replace(found, records=[*found.records, *(replace(r, method="other") for r in others)])


def test_speed_relative_to_a_method_of_the_same_run_does_not_see_a_slow_day():
    def judged(*runs):
        (found,) = [each for each in lines(runs, judge, "other") if each.metric == "speed"]
        return [(round(m.row.value, 3), m.since_previous and m.since_previous.verdict) for m in found.parts[0]]

    assert judged(relative(1, 0.1, 0.2), relative(2, 0.3, 0.6)) == [(2.0, None), (2.0, "same")]
    assert judged(relative(1, 0.1, 0.2), relative(2, 0.4, 0.6)) == [(2.0, None), (1.5, "worse")]


def relative_verdicts(*runs):
    (found,) = [each for each in lines(runs, judge, "other") if each.metric == "speed"]
    return [[m.since_previous and m.since_previous.verdict for m in part] for part in found.parts]


@pytest.mark.parametrize(
    "change",
    [
        lambda record: replace(record, method_config={"steps": 4}),
        lambda record: replace(record, descriptor=replace(record.descriptor, dtype="bfloat16")),
    ],
)
def test_another_unit_of_speed_breaks_the_line(change):
    """The method's own time is the same, the reference has become twice as fast."""
    assert relative_verdicts(relative(1, 0.1, 0.2), relative(2, 0.1, 0.1, change)) == [[None], [None]]


def test_a_relative_speed_is_not_judged_where_the_reference_was_timed_on_a_busy_machine():
    def busy(record):
        times = record.timing["tensors"].repetitions
        return with_times(record, repetitions=[replace(each, busy=True) for each in times])

    assert relative_verdicts(relative(1, 0.1, 0.4, busy), relative(2, 0.1, 0.2)) == [[None, BUSY]]


def test_a_metric_without_direction_is_shown_and_not_judged():
    def undirected(record):
        return with_score(record, "psnr", better="none")

    found = [run(1, change=undirected), run(2, psnr=20.0, change=undirected)]
    assert verdicts(found, "psnr") == [[None, None]] and list(worse([line(found, "psnr")])) == []


def test_times_of_a_busy_machine_are_not_judged():
    def busy(record):
        times = record.timing["tensors"].repetitions
        return with_times(record, repetitions=[replace(each, busy=True) for each in times])

    assert verdicts([run(1), run(2, seconds=1.0, change=busy)], "fps") == [[None, BUSY]]


def test_another_machine_breaks_the_line_of_speed_and_of_nothing_else():
    runs = [run(1), run(2, device="a faster machine", seconds=0.01), run(3)]
    assert [len(part) for part in line(runs, "fps").parts] == [1, 1, 1]
    assert [len(part) for part in line(runs, "psnr").parts] == [3]
    assert all(m.since_previous is None for part in line(runs, "fps").parts for m in part)
    assert list(machines(lines(runs, judge)).values()) == ["A", "B"]


@pytest.mark.parametrize(
    "change",
    [
        lambda record: with_score(record, "psnr", signature="psnr|rgb"),
        lambda record: replace(record, method_config={"steps": 4}),
        lambda record: replace(record, data_config={"degradation": "bd"}),
        lambda record: replace(record, lr_size=(20, 20)),
        lambda record: replace(record, lr_origin="bi-x4 from GT"),
    ],
)
def test_an_unlike_recipe_clip_or_option_breaks_the_line(change):
    assert verdicts([run(1), run(2, change=change)], "psnr") == [[None], [None]]


def test_other_frames_under_the_same_names_break_the_line_of_scores():
    """Records of older versions have no digests, and break nothing."""

    def of(digest):
        return lambda record: replace(record, gt_sha256=digest)

    runs = [run(day, change=of(digest)) for day, digest in enumerate((None, "x", None, "x", "y"), start=1)]
    assert [len(part) for part in line(runs, "psnr").parts] == [4, 1]
    assert [len(part) for part in line(runs, "fps").parts] == [5]


def test_places_on_a_disk_break_no_line():
    elsewhere = run(2, change=lambda record: replace(record, data_config=record.data_config | {"root": "elsewhere"}))
    assert verdicts([run(1), elsewhere], "psnr") == [[None, "same"]]


def test_missing_clips_break_the_line():
    short = run(2)
    short.records.pop()
    assert verdicts([run(1), short], "psnr") == [[None], [None]]


def test_the_plot_rings_what_is_worse_and_is_the_same_each_time():
    runs = [run(1), run(2, psnr=29.0), run(3, psnr=29.0, device="another")]
    found = lines(runs, judge)
    figure = history_plot(found, runs)
    ringed = [each for axes in figure.axes for each in axes.get_lines() if each.get_label() == "worse"]
    assert [list(each.get_xdata()) for each in ringed] == [[1]]
    assert len(figure.axes) == 3  # PSNR, LPIPS, FPS
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "linear", "log"]
    assert style.rendered(figure) == style.rendered(history_plot(found, runs))
    hidden = [replace(line, method="_mine") for line in found]
    assert "_mine" in [text.get_text() for text in history_plot(hidden, runs).legends[0].get_texts()]
