"""Tables, summary and plot from made-up records: nothing is timed here."""

from dataclasses import replace

import numpy as np
import pytest

from bench.report import intervals, latex, plot, summary, tables
from bench.report import text as plain
from bench.report.plots import style
from bench.report.summary import rows
from bench.store.record import DoctorFinding
from bench.timing.results import Telemetry
from tests.bench.made_up import failed, make, with_score, with_times


def record(method, clip, psnr, seconds, *, status="ok", **options):
    """One record; a failed one has neither scores nor times."""
    found = make(method, clip, psnr, seconds, **options)
    return found if status == "ok" else replace(failed(found), frames=2)


@pytest.fixture
def records():
    return [
        record("fast", "a", [20, 22], [0.1, 0.3, 0.2]),
        record("fast", "b", [30, 30], [0.2]),
        record("good_one", "a", [25, 25], [2.0]),
        record("good_one", "b", [31, 31], [2.0], lpips=0.125),
    ]


def figure_of(records, metric, clip="*", method="fast"):
    return next(r for r in rows(records) if (r.metric, r.clip, r.method) == (metric, clip, method))


def test_scores_are_means_over_frames_then_clips(records):
    assert figure_of(records, "psnr", "a").value == 21
    assert figure_of(records, "psnr").value == 25.5


def test_a_clip_without_a_score_is_no_zero_in_the_mean(records):
    found = figure_of([with_score(records[0], "psnr", values=None, reason="no GT"), *records[1:]], "psnr")
    assert (found.value, found.n, found.expected, found.clips) == (30, 1, 2, {"b"})


def test_speed_is_frames_over_the_sum_of_median_times(records):
    assert figure_of(records, "fps").value == pytest.approx(4 / (0.2 + 0.2))
    assert figure_of(records, "mpx_per_s").value == pytest.approx(4 * 40 * 80 / 0.4 / 1e6)
    assert figure_of(records, "first_call_s", "a").value == 9.0


def test_intervals_of_speeds_follow_from_that_of_the_total_time():
    made = [record("fast", "a", [20, 22], [0.1, 0.3, 0.2]), record("fast", "b", [30, 30], [0.2, 0.25, 0.225])]
    low, high = intervals.of_total([[0.1, 0.3, 0.2], [0.2, 0.25, 0.225]])
    pixels = 4 * 40 * 80 / 1e6
    for metric, each in (
        ("ms_per_frame", (106.25, 250 * low, 250 * high)),
        ("fps", (4 / 0.425, 4 / high, 4 / low)),
        ("mpx_per_s", (pixels / 0.425, pixels / high, pixels / low)),
    ):
        row = figure_of(made, metric)
        assert (row.value, row.low, row.high) == pytest.approx(each), metric


def test_a_peak_of_memory_is_the_largest_and_needs_every_clip(records):
    records[0] = with_times(records[0], peak_memory_mb=300.0)
    assert figure_of(records, "peak_memory_mb").value == 300
    records[1] = with_times(records[1], peak_memory_mb=None)
    assert not [r for r in rows(records[:2]) if (r.clip, r.metric) == ("*", "peak_memory_mb")]


def test_a_failed_clip_is_counted_shown_and_named(records):
    records[3] = record("good_one", "b", [], [], status="failed")
    assert (
        figure_of(records, "psnr", method="good_one").n,
        figure_of(records, "psnr", method="good_one").expected,
    ) == (1, 2)
    text = plain.markdown(tables.tables(records)[0].grid())
    assert "| fast | 2/2 |" in text and "| good_one | 1/2 |" in text and "b, good_one: failed: out of memory" in text


def test_a_method_that_failed_everywhere_keeps_its_row(records):
    records[2:] = [record("good_one", clip, [], [], status="failed") for clip in "ab"]
    assert "| good_one | 0/2 | – |" in plain.markdown(tables.tables(records)[0].grid())


def test_the_best_figure_is_bold_in_the_right_direction(records):
    records[2] = with_score(records[2], "lpips-alex", values=[0.125])
    lines = plain.markdown(tables.tables(records)[0].grid()).splitlines()
    fast, good = (next(line for line in lines if line.startswith(f"| {m}")) for m in ("fast", "good_one"))
    assert "**10.0**" in fast and "**28.00**" in good and "**0.1250**" in good and "**0.2500**" not in fast


def test_unlike_signatures_never_share_a_column(records):
    signature = "psnr|rgb|uint8|crop0|mean-frames,clips|v1"
    records[2:] = [with_score(r, "psnr", signature=signature, short="PSNR-RGB") for r in records[2:]]
    (table,) = tables.tables(records)
    assert [c.header for c in table.columns if c.metric == "psnr"] == ["PSNR-Y [dB] ↑", "PSNR-RGB [dB] ↑"]
    first, second = (c for c in table.columns if c.metric == "psnr")
    assert table.text("good_one", first) == table.text("fast", second) == "–"


def test_clips_under_unlike_recipes_share_no_mean(records):
    records[1] = with_score(records[1], "psnr", signature="psnr|rgb|uint8|crop0|mean-frames,clips|v1")
    means = [(r.value, r.n, r.expected, r.clips) for r in rows(records[:2]) if (r.clip, r.metric) == ("*", "psnr")]
    assert means == [(21, 1, 2, {"a"}), (30, 1, 2, {"b"})]


def test_mixed_columns_are_only_made_on_request_and_marked(records):
    signature = "psnr|rgb|uint8|crop0|mean-frames,clips|v1"
    records[2:] = [with_score(r, "psnr", signature=signature) for r in records[2:]]
    (table,) = tables.tables(records, mix=True)
    (column,) = (c for c in table.columns if c.metric == "psnr")
    assert column.title == "PSNR (mixed recipes)" and table.text("good_one", column) == "28.00"


def test_a_mixed_figure_is_of_all_clips_whatever_their_recipe(records):
    records[1] = with_score(records[1], "psnr", signature="psnr|rgb|uint8|crop0|mean-frames,clips|v1")
    (table,) = tables.tables(records, mix=True)
    (column,) = (c for c in table.columns if c.metric == "psnr")
    assert table.text("fast", column) == "25.50" and table.cells["fast", column].clips == {"a", "b"}
    assert table.cells["fast", column].interval == intervals.of_mean([21, 30])
    assert [(s.clip, s.signature) for s in table.cell("fast", column).sources] == [
        (each.clip, each.scores["psnr"].signature) for each in records[:2]
    ]


def test_methods_on_unlike_frames_of_a_clip_are_not_ranked_together(records):
    one, other = "1" * 64, "2" * 64
    given = [replace(r, gt_sha256=one, lr_sha256=one) for r in records]
    (table,) = tables.tables(given)
    (column,) = (c for c in table.columns if c.metric == "psnr")
    assert table.best(column) == {"good_one"} and not table.notes
    given[3] = replace(given[3], gt_sha256=other)
    (table,) = tables.tables(given)
    marks = [mark for method, mark in table.marks(column).items() if mark and method == "good_one"]
    assert not marks and table.text("good_one", column) == "28.00"
    (note,) = table.notes
    assert note.startswith("b: the GT frames changed between methods (1111111111: fast; 2222222222: good_one)")
    made = [replace(r, lr_origin="bi-x4 from GT", gt_sha256=one, lr_sha256=h) for r, h in zip(records, "1212")]
    assert not tables.tables(made)[0].notes  # LR frames made elsewhere may be rounded otherwise


def test_a_method_whose_weights_changed_between_clips_is_named(records):
    one, other = {"weights": "1" * 64}, {"weights": "2" * 64}
    assert not tables.tables([replace(r, method_files=one) for r in records])[0].notes
    changed = [replace(r, method_files=other if r.clip == "b" and r.method == "fast" else one) for r in records]
    (note,) = tables.tables(changed)[0].notes
    assert note.startswith("fast: the content of weights changed between clips (1111111111: a; 2222222222: b)")


def test_what_the_doctor_found_is_under_the_table(records):
    records[0] = replace(records[0], doctor=[DoctorFinding(kind="channels", text="red and blue are swapped")])
    assert "a, fast: the doctor says: red and blue are swapped" in plain.markdown(tables.tables(records)[0].grid())


def test_energy_and_doubts_come_from_the_repetitions(records):
    telemetry = Telemetry(energy_j=30.0, throttled=["SwPowerCap"])
    for index, r in enumerate(records[:2]):
        repetitions = [replace(each, telemetry=telemetry) for each in r.timing["tensors"].repetitions]
        records[index] = with_times(r, same_output=False, cached=True, redone=2, repetitions=repetitions)
    assert figure_of(records, "energy_j_per_frame").value == pytest.approx(60 / 4)
    assert not [r for r in rows(records) if r.metric == "energy_j_per_frame" and r.method == "good_one"]
    first, *others = records[0].timing["tensors"].repetitions
    partly = [with_times(records[0], repetitions=[replace(first, telemetry=None), *others]), *records[1:]]
    assert not [r for r in rows(partly) if (r.clip, r.metric) == ("*", "energy_j_per_frame")]
    text = plain.markdown(tables.tables(records)[0].grid())
    assert "| fast |" in text and "energy per frame [J]" in text
    for doubt in ("not deterministic", "something is cached", "2 repetitions redone", "throttled all the same"):
        assert f"a, fast: {doubt}" in text or doubt in text
    assert "2 repetitions redone because the GPU throttled or the machine was busy" in text


def test_without_a_gpu_repetitions_are_redone_because_the_machine_was_busy(records):
    records[0] = with_times(records[0], redone=2)
    text = plain.markdown(tables.tables(records)[0].grid())
    assert "a, fast: 2 repetitions redone because the machine was busy" in text and "GPU" not in text


def test_a_doubt_of_several_clips_and_methods_is_one_note(records):
    busy = [with_times(r, redone=2) for r in records if r.timing]
    clips = {r.method: [each.clip for each in busy if each.method == r.method] for r in busy}
    assert clips["fast"] == ["a", "b"]
    alone = [r for r in busy if r.method == "fast"]
    both = [*alone, *(replace(r, method="twin") for r in alone)]
    for found, names in ((alone, "fast"), (both, "fast, twin")):
        notes = [note for note in tables.tables(found)[0].notes if "2 repetitions redone" in note]
        assert notes == [f"a, b, {names}: 2 repetitions redone because the machine was busy"]


def test_latex_is_escaped_and_uses_booktabs(records):
    text = latex.latex(tables.tables(records)[0].grid())
    assert r"good\_one" in text and r"\textbf{28.00}" in text and r"$\uparrow$" in text and r"\bottomrule" in text


def test_csv_has_one_line_a_method(records):
    lines = plain.comma_separated(tables.tables(records)[0].grid()).splitlines()
    assert lines[0].startswith("data,method,FPS") and [line.split(",")[:2] for line in lines[1:]] == [
        ["set", "fast"],
        ["set", "good_one"],
    ]


def test_the_plot_has_a_panel_a_metric_named_axes_and_every_method(records, tmp_path):
    figure = plot.draw("speed-quality", records + [record("fast", "c", [20], [0.1], data="other", expected=1)])
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 4
    for axes in panels:
        assert axes.get_xscale() == "log" and "[ms]" in axes.get_xlabel() and "better" in axes.get_ylabel()
        assert "better" in {text.get_text() for text in axes.texts}
    assert "PSNR-Y [dB]" in panels[0].get_ylabel()
    assert {"fast", "good_one"} <= {text.get_text() for text in panels[0].texts}
    assert panels[1].yaxis_inverted() and not panels[0].yaxis_inverted()


def test_labels_of_near_points_do_not_overlap():
    crowd = [record(f"method_{i}", "a", [25 + 0.01 * i], [0.2 + 0.002 * i], expected=1) for i in range(4)]
    figure = plot.draw("speed-quality", crowd)
    renderer = figure.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in figure.axes[0].texts]
    overlaps = sum(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert overlaps == 0


def test_the_same_records_give_the_same_bytes(records, tmp_path):
    files = [style.write(plot.draw("speed-quality", records), tmp_path / name) for name in ("one", "two")]
    for first, second in zip(*files):
        assert first.read_bytes() == second.read_bytes()


def test_nothing_to_plot_gives_no_figure(records):
    records = [replace(r, timing={}) for r in records]
    assert plot.draw("speed-quality", records) is None
    assert np.isfinite(figure_of(records, "psnr").value)


def test_a_summary_that_cannot_be_finished_leaves_the_one_before(records, tmp_path, monkeypatch):
    file = tmp_path / "summary.csv"
    summary.write_csv(records, file)
    before = file.read_bytes()
    monkeypatch.setattr(summary, "rows", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError):
        summary.write_csv(records, file)
    assert file.read_bytes() == before and [f.name for f in tmp_path.iterdir()] == ["summary.csv"]


def test_a_table_takes_no_interval_of_single_clips_and_sums_times_once(records, monkeypatch):
    many = [replace(r, clip=f"{r.clip}{n}") for r in records for n in range(8)]
    many += [replace(r, method=f"{r.method}-again") for r in many]
    asked = []
    totals = intervals._totals.__wrapped__
    count = intervals.lru_cache(512)(lambda *given: asked.append(len(given[0])) or totals(*given))
    monkeypatch.setattr(intervals, "_totals", count)
    monkeypatch.setattr(intervals, "_carries", bool)
    (table,) = tables.tables(many)
    plain.markdown(table.grid(with_intervals=True))
    assert set(asked) == {16} and len(asked) <= 2 * len(table.methods)


def test_a_table_reads_its_records_once_however_many_cells_it_has(records, monkeypatch):
    many = [replace(r, method=f"{r.method}[steps={n}]") for r in records for n in range(6)]
    calls = []
    trained_on = tables.trained_on
    monkeypatch.setattr(tables, "trained_on", lambda found: calls.append(1) or trained_on(found))
    (table,) = tables.tables(many)
    plain.markdown(table.grid())
    assert calls == [1]
