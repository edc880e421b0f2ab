"""The command lines of table and plot."""

import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[3] / "results" / "golden" / "sample"


@pytest.fixture
def run(tmp_path, crowd) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "records.jsonl").write_text("".join(json.dumps(r.to_json()) + "\n" for r in crowd))
    return folder


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
    verb, *options = arguments
    answer = bench(verb, run, *options)
    assert answer.code == 3 and answer.err.startswith(message) and answer.err.count("\n") == 1


def test_plot_draws_every_kind(bench, run):
    answer = bench("plot", run, "--kind", "all", "--theme", "dark", "--format", "svg", "--width", "column", "--bare")
    assert answer.code == 0, answer.err
    names = {Path(line).name for line in answer.out.splitlines()}
    kinds = ("", "-frames", "-stages", "-cost-size", "-memory-size", "-steps")
    assert names == {f"plot{kind}-dark.svg" for kind in kinds}


def test_plot_without_several_steps_says_what_is_missing(bench):
    answer = bench("plot", GOLDEN, "--kind", "steps")
    assert answer.code == 2 and "method.steps=1,2,4" in answer.err
