"""The command lines of table and plot."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.commands import export
from bench.report import sheet
from tests.bench.made_up import with_score

GOLDEN = Path(__file__).parents[3] / "results" / "golden" / "sample"


@pytest.fixture
def run(tmp_path, crowd) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "records.jsonl").write_text("".join(json.dumps(r.to_json()) + "\n" for r in crowd))
    return folder


@pytest.mark.parametrize("option", [("--cite", "basicvsr"), ("--agreement",)])
def test_where_published_figures_are_missing_the_option_that_finds_them_is_named(bench, run, tmp_path, option):
    answer = bench("table", run, *option, "--published", tmp_path / "none")
    assert answer.code == 3 and "give results/published of a checkout as --published FOLDER" in answer.err


def test_table_takes_runs_columns_rows_and_order(bench, run):
    answer = bench(
        "table", run, "--format", "csv", "--columns", "psnr,fps", "--rows", "plain,model[steps=4]", "--sort", "fps"
    )
    assert answer.code == 0 and [line.split(",")[1] for line in answer.out.splitlines()[1:3]] == [
        "plain",
        "model[steps=4]",
    ]
    answer = bench("table", run, GOLDEN, "--intervals")
    assert "set ×4" in answer.out and "sample ×4" in answer.out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("table", "--columns", "psnnr"), "bench: unknown column 'psnnr'; did you mean 'psnr'?"),
        (("table", "--rows", "plane"), "bench: unknown row 'plane'; did you mean 'plain'?"),
        (("plot", "--kind", "stage"), "bench: --kind stage: unknown; did you mean 'stages'?"),
        (("plot", "--format", "jpg"), "bench: --format jpg: unknown; did you mean 'png'?"),
        (("plot", "--metrics", "ssim"), "bench: --metrics ssim: not in these runs"),
    ],
)
def test_a_wrong_name_is_one_line(bench, run, arguments, message):
    command, *options = arguments
    answer = bench(command, run, *options)
    assert answer.code == 3 and answer.err.startswith(message) and answer.err.count("\n") == 1


def test_plot_draws_every_kind(bench, run):
    answer = bench("plot", run, "--kind", "all", "--theme", "dark", "--format", "svg", "--width", "column", "--bare")
    assert answer.code == 0, answer.err
    names = {Path(line).name for line in answer.out.splitlines()}
    kinds = ("", "-frames", "-stages", "-cost-size", "-memory-size", "-steps")
    assert names == {f"plot{kind}-dark.svg" for kind in kinds}


@pytest.mark.parametrize(
    "options, names",
    [
        (["--out", "speed.pdf"], {"speed.pdf"}),
        (["--out", "speed.pdf", "--format", "png,svg"], {"speed.png", "speed.svg"}),
        (["--out", "speed.v2"], {"speed.v2.png", "speed.v2.svg"}),
    ],
)
def test_a_plot_has_the_name_that_it_is_given(bench, tmp_path, options, names):
    answer = bench("plot", GOLDEN, "--metrics", "psnr", options[0], tmp_path / options[1], *options[2:])
    assert answer.code == 0, answer.err
    assert {file.name for file in tmp_path.iterdir()} == names


def test_plot_without_several_steps_says_what_is_missing(bench):
    answer = bench("plot", GOLDEN, "--kind", "steps")
    assert answer.code == 2 and "method.steps=1,2,4" in answer.err


def test_table_says_one_line_about_damaged_lines_and_goes_on(bench, run):
    with open(run / "records.jsonl", "a") as file:
        file.write('{"schema": 2, "data"\nnot json\n')
    answer = bench("table", run, "--format", "csv")
    assert answer.code == 0 and "plain" in answer.out
    assert answer.err.count("\n") == 1 and "line 17" in answer.err and "1 more line" in answer.err


def test_runs_goes_on_after_folders_that_it_cannot_read(bench, run, tmp_path):
    for name, text in (("other", '{"schema": 99}\n'), ("damaged", "{\n"), ("wrong", '{"schema": 2, "data": 3}\n')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "records.jsonl").write_text(text)
    answer = bench("runs", tmp_path)
    assert answer.code == 0 and "model[steps=4]" in answer.out and str(tmp_path / "wrong") not in answer.out
    for name in ("other", "damaged", "wrong"):
        assert str(tmp_path / name / "records.jsonl") in answer.err
    assert "Traceback" not in answer.err


def test_the_settings_of_a_method_are_rows_of_their_own(bench, run, record, tmp_path):
    lines = [record("m", clip, [20], [1.0], steps=steps) for clip, steps in (("a", 16), ("b", 1))]
    (run / "records.jsonl").write_text("".join(json.dumps(r.to_json()) + "\n" for r in lines))
    assert "m[steps=16]" in bench("table", run).out
    assert bench("export", run, "--out", tmp_path / "all.csv").code == 0
    assert {line.split(",")[3] for line in (tmp_path / "all.csv").read_text().splitlines()[1:]} == {
        "m[steps=16]",
        "m[steps=1]",
    }


def test_scores_whose_frames_are_not_named_are_exported_in_order(bench, run, record, tmp_path):
    made = with_score(record("m", "a", [20.0, 22.0], [1.0]), "psnr", indices=None)
    (run / "records.jsonl").write_text(json.dumps(made.to_json()) + "\n")
    assert bench("export", run, "--out", tmp_path / "all.csv").code == 0
    lines = [line.split(",") for line in (tmp_path / "all.csv").read_text().splitlines()]
    assert [(line[6], line[7]) for line in lines if line[5] == "psnr"] == [("0", "20.0"), ("1", "22.0")]


def test_a_stage_called_total_is_not_exported_as_the_whole_time(bench, run, record, tmp_path):
    made = record("m", "a", [20.0], [1.0])
    times = made.timing["tensors"]
    times = replace(times, repetitions=[replace(times.repetitions[0], stages_s={"total": 0.25, "other": 0.75})])
    (run / "records.jsonl").write_text(json.dumps(replace(made, timing={"tensors": times}).to_json()) + "\n")
    assert bench("export", run, "--out", tmp_path / "all.csv").code == 0
    lines = [line.split(",") for line in (tmp_path / "all.csv").read_text().splitlines()]
    seconds = {line[5]: line[7] for line in lines if line[4] == "seconds"}
    assert seconds == {"tensors/total": "1.0", "tensors/total (stage)": "0.25", "tensors/other": "0.75"}


def test_an_export_to_csv_writes_rows_as_they_come(bench, run, tmp_path, monkeypatch):
    events: list[str] = []
    lines, row = export._lines, sheet.Writer.row
    monkeypatch.setattr(export, "_lines", lambda *given: events.append("record") or lines(*given))
    monkeypatch.setattr(sheet.Writer, "row", lambda self, values: events.append("row") or row(self, values))
    assert bench("export", run, "--out", tmp_path / "all.csv").code == 0
    assert events[0] == "record" and "row" in events[: events.index("record", 1)]


def test_report_refuses_a_folder_as_its_file_before_it_reads_a_frame(bench, run, tmp_path, monkeypatch):
    monkeypatch.setattr("bench.report.page.render", lambda *_: pytest.fail("rendered"))
    answer = bench("report", run, "--out", tmp_path)
    assert answer.code == 3 and f"--out {tmp_path}: there is a folder of this name" in answer.err
