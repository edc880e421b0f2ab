"""Ranks, ties, intervals, choice of columns and rows, several runs, cited and untrained rows; all four formats."""

from dataclasses import replace
from pathlib import Path

import markdown as renderer
import pytest
from rich.console import Console

from bench.report import cited, intervals, latex, tables
from bench.report import text as plain
from bench.report.merge import merged
from bench.report.summary import Row, rows
from frames.errors import UserError
from tests.bench.made_up import failed, refused, untrained, with_score

PUBLISHED = Path(__file__).parents[3] / "results" / "published"


def marks_of(records, metric):
    (table,) = tables.tables(records)
    return table.marks(next(c for c in table.columns if c.metric == metric))


def test_ties_within_the_interval_of_the_difference_share_the_mark(crowd):
    found = [r for r in crowd if r.method != "model[steps=1]"]
    assert marks_of(found, "psnr") == {"model[steps=4]": "best", "plain": "second", "sharp": "second"}


def test_scores_tie_when_the_interval_of_their_difference_leaves_it_open(record):
    scores = {"one": (20.0, 30.0, 40.0), "other": (21.0, 29.5, 40.2), "below": (18.0, 28.0, 38.5)}
    records = [record(m, c, [psnr], [1.0], expected=3) for m, each in scores.items() for c, psnr in zip("abc", each)]
    assert marks_of(records, "psnr") == {"one": "best", "other": "best", "below": "second"}


def test_scores_of_two_clips_are_ranked_as_they_are(record):
    """By Student's interval of two clips everything tied: all cells of a column were bold."""
    scores = {"one": (20.0, 30.0), "other": (21.0, 29.5), "below": (18.0, 28.9)}
    records = [record(m, c, [psnr], [1.0], expected=2) for m, each in scores.items() for c, psnr in zip("ab", each)]
    assert marks_of(records, "psnr") == {"other": "best", "one": "second"}


def test_times_tie_when_their_repetitions_overlap(record):
    records = [record(m, c, [20], [s, s * 1.1, s * 0.9]) for m, s in (("one", 1.0), ("other", 1.02)) for c in "ab"]
    assert set(marks_of(records, "fps").values()) == {"best"}
    records += [record("slow", c, [20], [2.0, 2.1, 2.2]) for c in "ab"]
    assert marks_of(records, "ms_per_frame") == {"one": "best", "other": "best", "slow": "second"}


def test_a_method_that_lacks_clips_gets_no_mark_and_says_how_many_it_has(crowd):
    found = [r for r in crowd if (r.method, r.clip) != ("model[steps=4]", "a")]
    assert marks_of(found, "psnr")["model[steps=1]"] == "best" and "model[steps=4]" not in marks_of(found, "psnr")
    assert "| model[steps=4] | 3/4 |" in plain.markdown(tables.tables(found)[0].grid())


def test_a_clip_that_one_method_could_not_open_keeps_its_frames_and_its_size(record):
    """A file was damaged between two commands: the second method found no frames where the first had two."""
    records = [record("early", c, [20, 21], [1.0]) for c in "ab"] + [record("late", "a", [20, 21], [1.0])]
    (table,) = tables.tables([*records, refused(record("late", "b", [20], [1.0]))], show=["size", "psnr"])
    assert table.caption.startswith("2 clips, 4 frames;")
    assert "| late | 1/2 | 80×40 |" in plain.markdown(table.grid())


def test_methods_with_as_many_but_other_clips_do_not_compete(crowd):
    lacking = {"model[steps=4]": "a", "model[steps=1]": "a", "sharp": "d", "plain": "d"}
    found = sorted((r for r in crowd if lacking[r.method] != r.clip), key=lambda r: r.method)  # the models come first
    found += [replace(r, method="plain again") for r in found if r.method == "plain"]
    for metric, best in (("psnr", "sharp"), ("fps", "plain")):
        marks = marks_of(found, metric)
        assert marks[best] == "best" and set(marks) == {"plain", "plain again", "sharp"}, metric


def test_intervals_are_over_clips_for_scores_and_over_repetitions_for_times(crowd):
    text = plain.markdown(tables.tables(crowd, show=["psnr", "ms_per_frame"])[0].grid(True))
    low, high = intervals.of_mean([20, 23, 26, 29])
    assert f"24.50 [{low:.2f}, {high:.2f}]" in text and "of times over repetitions" in text
    assert intervals.of_mean([1.0]) is None and intervals.of_mean([1.0, float("inf")]) is None
    assert intervals.of_total([[1.0, 2.0], [1.0, 2.0, 3.0, 4.0]]) is None
    low, high = intervals.of_total([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    assert 2 <= low < 4 < high <= 6


def test_columns_rows_and_order_are_chosen_by_name(crowd):
    (table,) = tables.tables(crowd, show=["size", "psnr", "parameters"], only=["plain", "model[steps=4]"], sort="psnr")
    lines = plain.markdown(table.grid()).splitlines()
    assert lines[2] == "| method | output size | PSNR-Y [dB] ↑ | parameters [M] |"
    assert lines[4].startswith("| model[steps=4] | 80×40 to 80×160 |") and lines[5].startswith("| plain |")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"show": ["psrn"]}, "unknown column 'psrn'; did you mean 'psnr'?"),
        ({"only": ["plan"]}, "unknown row 'plan'; did you mean 'plain'?"),
        ({"sort": "ssim"}, "cannot sort by 'ssim'"),
    ],
)
def test_a_wrong_name_is_one_line_with_a_suggestion(crowd, options, message):
    with pytest.raises(UserError) as caught:
        tables.tables(crowd, **options)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_runs_are_merged_and_shared_methods_named_after_their_run(record):
    one, other = [record("m", "a", [20], [1.0])], [record("m", "a", [21], [1.0]), record("n", "a", [22], [1.0])]
    (table,) = tables.tables(merged({"runs/old": one, "runs/new": other}))
    assert table.methods == ["m (old)", "m (new)", "n"]
    other[0] = replace(other[0], data_config={"degradation": "bd"})
    with pytest.raises(UserError, match="under other options \\(degradation\\)"):
        merged({"old": one, "new": other})


def test_times_of_two_devices_never_share_a_column(record):
    records = [record("m", "a", [20], [1.0]), record("n", "a", [20], [0.1], device="a GPU")]
    (table,) = tables.tables(records)
    heads = [c.header for c in table.columns if c.metric == "fps"]
    assert heads == ["FPS, a machine [1/s] ↑", "FPS, a GPU [1/s] ↑"]


def test_memory_of_a_gpu_stays_that_of_the_method_beside_times_of_a_processor(record):
    """One run on each: the processor's peaks are those of the whole process, the GPU's are what torch allocated."""
    cpu, gpu = record("slow", "a", [30.0], [1.0]), record("fast", "a", [30.0], [0.1], device="a GPU")
    own = replace(gpu.timing["tensors"], peak_memory_kind="device, allocated by torch")
    (table,) = tables.tables([cpu, replace(gpu, timing={"tensors": own})])
    heads = [column.header for column in table.columns if column.metric == "peak_memory_mb"]
    assert heads == ["process memory, a machine [MiB]", "peak memory, a GPU [MiB] ↓"]


def test_the_work_of_a_table_grows_with_its_methods_not_with_their_square(record, monkeypatch):
    """A sweep may have thousands of settings, each a row."""
    calls = {"counted": 0, "equal": 0}

    def counting(name, function):
        def counted(*arguments):
            calls[name] += 1
            return function(*arguments)

        return counted

    (table,) = tables.tables([record(f"m{n}", "a", [20.0 + n], [1.0 + n], expected=1) for n in range(40)])
    monkeypatch.setattr(tables.Table, "counted", counting("counted", tables.Table.counted))
    monkeypatch.setattr(Row, "__eq__", counting("equal", Row.__eq__))
    cells = sum(len(line) for line in table.grid().blocks[0].rows)
    assert calls["counted"] < 4 * cells and calls["equal"] == 0


def test_the_recipe_of_a_sets_time_has_what_occurs_in_any_clip(record):
    """A budget of time gives a long clip fewer repetitions than a short one."""
    short, long = record("m", "a", [30.0], [1.0, 1.1, 1.2]), record("m", "b", [30.0], [9.0])
    assert long.descriptor is not None
    long = replace(long, descriptor=replace(long.descriptor, dtype="bfloat16"))
    found = {row.clip: row.signature for row in rows([short, long]) if row.metric == "fps"}
    assert found["a"].endswith("float32|warmup1|median-of-3|v1") and found["b"].endswith("median-of-1|v1")
    assert found["*"].endswith("|float32,bfloat16|warmup1|median-of-1,3|v1")


def test_a_method_with_random_weights_shows_no_quality(record):
    records = [record("trained", c, [25], [1.0]) for c in "ab"] + [record("huge", c, [5], [0.1]) for c in "ab"]
    records[2:] = map(untrained, records[2:])
    (table,) = tables.tables(records)
    line = next(line for line in plain.markdown(table.grid()).splitlines() if line.startswith("| huge"))
    assert line.startswith("| huge § |") and "– §" in line and "5.00" not in line
    assert "§ huge: random weights: timed only" in plain.markdown(table.grid())
    assert marks_of(records, "psnr") == {}


def test_cited_rows_are_marked_and_unlike_protocols_doubly(record):
    records = [record("m", "a", [20], [1.0], data="vid4", expected=1)]
    (table,) = tables.tables(records, show=["psnr", "fps"], cite=cited.of_groups(PUBLISHED, ["C", "f"]))
    text = plain.markdown(table.grid())
    assert "| BasicVSR †b | 27.2694 | – |" not in text
    row = next(line for line in text.splitlines() if line.startswith("| BasicVSR++ †") and "27.7882" in line)
    assert "27.7882 |" in row  # BI on Y without a crop: as measured here
    assert any("29.0400 ‡" in line for line in text.splitlines())  # blurred inputs are not
    assert any("RealBasicVSR †" in line and "15.9 ‡" in line for line in text.splitlines())
    assert "MMagic model cards; BI x4, Y" in text and "do not compare" in text
    lines = plain.comma_separated(table.grid()).splitlines()
    assert lines[0].endswith(",source") and lines[1].endswith(",measured") and lines[2].endswith(",cited")


def test_figures_of_scale_4_are_unlike_those_of_another_scale(record):
    quoted = cited.of_groups(PUBLISHED, ["C"])
    for scale, unlike in ((4, False), (2, True)):
        records = [record("m", "a", [20], [1.0], data="Vid4", scale=scale)]
        (table,) = tables.tables(records, show=["psnr"], cite=quoted)
        rows = table.grid().blocks[1].rows
        assert all(row[-1].sup == cited.UNLIKE for row in rows) == unlike, scale


@pytest.mark.parametrize(
    "selection, cut", [("frames2..-3|", {}), ("every10|", {}), ("", {"frames": 5}), ("", {"clips": ["a"]})]
)
def test_figures_of_all_frames_are_unlike_those_of_some(record, selection, cut):
    signature = f"psnr|y-bt601-studio|uint8|crop0|{selection}mean-frames,clips|v1"
    records = [with_score(record("m", "a", [20], [1.0], data="vid4", expected=1), "psnr", signature=signature)]
    records = [replace(each, data_config=each.data_config | cut) for each in records]
    (table,) = tables.tables(records, show=["psnr"], cite=cited.of_groups(PUBLISHED, ["C"]))
    assert "27.7882 ‡" in plain.markdown(table.grid())


def test_cited_rows_are_unlike_a_recipe_that_is_a_name_alone(record):
    records = [with_score(record("m", "a", [20], [1.0], data="vid4", expected=1), "psnr", signature="psnr")]
    (table,) = tables.tables(records, show=["psnr"], cite=cited.of_groups(PUBLISHED, ["C"]))
    assert "27.7882 ‡" in plain.markdown(table.grid())


def test_an_unknown_group_is_named():
    with pytest.raises(UserError, match="--cite Z: unknown group; known: A, B, C"):
        cited.of_groups(PUBLISHED, ["Z"])


@pytest.mark.parametrize("name", ["speed.csv", "quality.csv", "protocols.csv"])
@pytest.mark.parametrize("line", ["A,m", "," * 40, '"' + "x" * 200_000 + '"'], ids=["short", "long", "huge"])
def test_a_line_of_published_figures_that_cannot_be_read_is_named(tmp_path, name, line):
    for file in PUBLISHED.glob("*.csv"):
        (tmp_path / file.name).write_text(file.read_text() + f"{line}\n" * (file.name == name))
    with pytest.raises(UserError, match="a line of the published figures cannot be read: ") as caught:
        cited.load(tmp_path)
    assert "\n" not in str(caught.value) and ("x" in line or f"{name}, line " in str(caught.value))


@pytest.mark.parametrize(
    "name, line, message",
    [
        ("speed.csv", "a,m,A100,1280,720,33,1,0,s end to end,,s", "must be numbers above 0"),
        ("speed.csv", "a,m,A100,1280,720,33,1,nan,fps,,s", "must be numbers above 0"),
        ("speed.csv", "a,m,A100,1280,-720,33,1,2,fps,,s", "must be numbers above 0"),
        ("speed.csv", "a,m,A100,1280,720,0,1,2,fps,,s", "0 frames"),
        ("speed.csv", "a,m,A100,1280,720,²,1,2,fps,,s", "invalid literal"),
        ("quality.csv", "A,m,Vid4,psnr,27.x,p,s,", "could not convert"),
        ("quality.csv", "A,m,Vid4,psnr,nan,p,s,", "no number"),
        ("quality.csv", "A,m,Vid4,psnr,27.1,p,s,\nA,m,Vid4,psnr,27.2,p,s,again", "has this figure already"),
    ],
)
def test_a_published_figure_that_is_none_is_named(tmp_path, name, line, message):
    """A speed of 0 was divided by, and of two values of one figure the last counted."""
    for file in PUBLISHED.glob("*.csv"):
        (tmp_path / file.name).write_text(file.read_text() + f"{line}\n" * (file.name == name))
    with pytest.raises(UserError, match=f"{name}, line [0-9]+: .*{message}"):
        cited.load(tmp_path)


def test_published_figures_are_whole():
    quality, speed = cited.load(PUBLISHED)
    assert len(quality) == 442 and len(speed) == 32
    assert all(f.colour and f.source and float(f.value) for f in quality)  # every protocol is described
    seconds = next(s for s in speed if s.method == "MGLD-VSR")
    assert seconds.fps == pytest.approx(33 / 425.23) and seconds.mpx_per_s == pytest.approx(33 * 0.9216 / 425.23)


def test_markdown_renders_as_a_table_with_a_cell_for_every_column(crowd):
    crowd[0] = replace(crowd[0], descriptor=replace(crowd[0].descriptor, notes="a|b"))
    (table,) = tables.tables(crowd, cite=None)
    html = renderer.markdown(plain.markdown(table.grid()), extensions=["tables"])
    width = len(table.header)
    assert html.count("<table>") == 1 and html.count("<th") - html.count("<thead") == width
    assert html.count("<td") == width * len(table.methods)
    assert "<strong>" in html and "<u>" in html and "|" not in html


def test_the_terminal_shows_marks_caption_and_notes(crowd):
    console = Console(width=200, record=True, force_terminal=True, file=open("/dev/null", "w"))
    plain.terminal(tables.tables(crowd)[0].grid(), console)
    text = console.export_text(styles=True)
    assert "\x1b[1m" in text and "\x1b[4m" in text and "model[steps=4]" in text and "12 frames" in text


@pytest.mark.parametrize("width", [30, 40, 60, 80])
def test_a_narrow_terminal_gets_every_figure_whole_in_further_tables(crowd, capsys, width):
    (table,) = tables.tables(crowd)
    plain.terminal(table.grid(), Console(width=width))
    told = capsys.readouterr().out
    shown = [line for line in told.splitlines() if line[:1] in "┏┃┡│└"]
    assert "…" not in told and max(map(len, shown)) <= width
    cells = {cell.strip() for line in shown for cell in line.split("│")}
    assert {table.text(method, column) for method in table.methods for column in table.columns} <= cells
    assert told.count("continued") == sum(line.startswith("┏") for line in shown) - 1


def test_long_words_of_a_cell_are_wrapped_on_a_narrow_terminal(crowd, capsys):
    told = [replace(each, method="a_name_of_an_experiment" * 3) for each in crowd if each.method == "plain"]
    (table,) = tables.tables(told, show=["psnr", "weights"])
    plain.terminal(table.grid(), Console(width=60))
    out = capsys.readouterr().out
    assert "…" not in out and max(len(line) for line in out.splitlines() if line[:1] in "┏│") <= 60


def test_a_note_is_one_line_however_narrow_the_table(crowd, capsys):
    """So that the name of a file in it can be copied."""
    reason = "/a/folder/with a long name/" + "that/goes/on/" * 10 + "00000002.png: the file is truncated; replace it"
    table = tables.tables([failed(each, reason) for each in crowd])[0]
    plain.terminal(table.grid(), Console(width=60))
    lines = capsys.readouterr().out.splitlines()
    assert any(line.endswith(reason) for line in lines), lines
    assert not any(", ;" in line for line in lines)


def test_figures_of_metrics_that_a_method_was_trained_on_are_marked_and_the_caption_says_so(crowd):
    assert "trained on" not in plain.markdown(tables.tables(crowd)[0].grid())
    told = [
        replace(r, descriptor=replace(r.descriptor, trained_on=["lpips-alex"])) if r.method == "sharp" else r
        for r in crowd
    ]
    (table,) = tables.tables(told)
    lines = plain.markdown(table.grid()).splitlines()
    (sharp,) = [line for line in lines if line.startswith("| sharp ")]
    assert sharp.count("¶") == 1 and sum("¶" in line for line in lines if line.startswith("| ")) == 1
    assert "¶ the weights were trained on this metric" in plain.markdown(table.grid())
    assert r"\P{}" in latex.latex(table.grid())
    assert "¶" not in plain.comma_separated(table.grid()).splitlines()[1]


def test_infinite_and_absent_scores_stand_in_the_notes(record):
    records = [record("one", clip, [float("inf"), 30.0], [1.0]) for clip in "ab"]
    lost = replace(records[1].scores["lpips-alex"], values=None, indices=None, reason="frame 0: too small")
    records[1] = replace(records[1], scores=records[1].scores | {"lpips-alex": lost})
    text = plain.markdown(tables.tables(records)[0].grid())
    assert "a, one: psnr: 1 of 2 frames are equal to GT, so its mean is infinite; 33.01 dB pooled" in text
    assert "b, one: lpips-alex is absent: frame 0: too small" in text


def test_a_reason_that_holds_for_many_clips_and_methods_stands_once(record):
    records = [record(method, clip, [30.0], [1.0]) for clip in "abc" for method in ("one", "two", "three")]
    for index, each in enumerate(records):
        if each.clip != "c" and (each.clip, each.method) != ("b", "three"):
            lost = replace(each.scores["lpips-alex"], values=None, indices=None, reason="too small")
            records[index] = replace(each, scores=each.scores | {"lpips-alex": lost})
    (table,) = tables.tables(records)
    assert table.notes == [
        "a, b, one, two: lpips-alex is absent: too small",
        "a, three: lpips-alex is absent: too small",
    ]
