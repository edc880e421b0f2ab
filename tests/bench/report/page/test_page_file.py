"""The page as a file: complete, small, the same bytes again, honest about what it lacks."""

import json
import re
import shutil

import pytest

from bench.report.page.order import Metric, worst
from tests.bench.made_up import make, with_score


def data_of(file):
    text = file.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def report(bench, *arguments):
    answer = bench("report", *arguments)
    assert answer.code == 0, answer.err
    return answer


def test_it_is_one_file_that_names_no_other(made):
    text = made.page.read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", text) and "url(" not in text and "@import" not in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_same_records_and_frames_give_the_same_bytes(made, bench, tmp_path):
    report(bench, made.run, "--out", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == made.page.read_bytes()


def test_every_clip_method_and_metric_is_in_it(made):
    found = data_of(made.page)
    assert found["methods"] == ["bicubic", "nearest"]
    assert [metric["title"] for metric in found["metrics"]] == ["PSNR-RGB", "SSIM-RGB"]
    pan, still = found["clips"]
    assert pan["shown"] == [0, 1, 2, 3, 4] and still["shown"] == [0]
    assert set(pan["pictures"]) == {"lr", "gt", "sr:bicubic", "sr:nearest"} == set(pan["slice"]["pictures"])
    assert still["slice"] is None and pan["box"] == [0, 0, 96, 64]


def test_pruned_frames_leave_a_page_that_says_so(made, bench, tmp_path):
    answer = report(bench, made.run, "--out", tmp_path / "page.html", "--store", tmp_path / "empty")
    assert "neither in the store (pruned, or another store) nor in the run" in answer.err
    pan = data_of(tmp_path / "page.html")["clips"][0]
    assert set(pan["pictures"]) == {"lr", "gt"} and "pruned" in pan["absent"]["sr:bicubic"]
    assert data_of(tmp_path / "page.html")["scores"][0][0]["0"]


def test_data_that_are_gone_leave_a_page_that_says_so(made, bench, tmp_path):
    run = shutil.copytree(made.run, tmp_path / "run")
    file = run / "records.jsonl"
    file.write_text(file.read_text().replace(str(made.gt), str(tmp_path / "gone")))
    answer = report(bench, run)
    assert "the data are not at hand" in answer.err
    clip = data_of(run / "page.html")["clips"][0]
    assert set(clip["pictures"]) == {"sr:bicubic", "sr:nearest"} and clip["shown"] == [0, 1, 2, 3, 4]


def test_frames_saved_with_the_run_serve_without_a_store(made, bench, tmp_path):
    options = ("data=folder", f"data.gt={made.gt}", "metrics=[psnr]", "timing=once", "store=null", "save=frames")
    assert bench("run", "method=bicubic", *options, f"out={tmp_path / 'run'}").code == 0
    report(bench, tmp_path / "run")
    assert "sr:bicubic" in data_of(tmp_path / "run" / "page.html")["clips"][0]["pictures"]
    saved = next((tmp_path / "run" / "frames").rglob("00000001.png"))
    shutil.copyfile(made.gt / "pan" / "00000000.png", saved)  # no longer what was scored
    answer = report(bench, tmp_path / "run")
    assert "sr:bicubic" in data_of(tmp_path / "run" / "page.html")["clips"][0]["absent"]
    assert "bicubic of pan" in answer.err


def test_frames_that_another_program_made_are_shown(made, bench, tmp_path):
    options = ("data=folder", f"data.gt={made.gt}", "metrics=[psnr]", "store=null", f"out={tmp_path / 'run'}")
    assert bench("run", "method=precomputed", f"method.root={made.gt}", "method.name=theirs", *options).code == 0
    report(bench, tmp_path / "run")
    assert data_of(tmp_path / "run" / "page.html")["clips"][0]["shown"] == [0, 1, 2, 3, 4]


def test_frames_saved_with_the_run_serve_where_those_of_another_program_are_gone(made, bench, tmp_path):
    run, theirs = tmp_path / "run", shutil.copytree(made.gt, tmp_path / "theirs")
    options = ("data=folder", f"data.gt={made.gt}", "metrics=[psnr]", "store=null", "save=frames", f"out={run}")
    assert bench("run", "method=precomputed", f"method.root={theirs}", "method.name=theirs", *options).code == 0
    shutil.rmtree(theirs)
    report(bench, run)
    assert "sr:theirs" in data_of(run / "page.html")["clips"][0]["pictures"]


@pytest.mark.parametrize("damage", ["empty", "another", "meta.json"])
def test_frames_saved_with_the_run_serve_where_those_of_the_store_are_damaged(made, bench, tmp_path, damage):
    run, store = tmp_path / "run", tmp_path / "store"
    options = ("metrics=[psnr]", "timing=once", f"store={store}", "save=frames", f"out={run}")
    assert bench("run", "method=bicubic", "data=folder", f"data.gt={made.gt}", *options).code == 0
    for folder in (store / "predictions").iterdir():
        file = folder / ("meta.json" if damage == "meta.json" else "00000000.png")
        file.write_bytes(next((made.gt / "pan").iterdir()).read_bytes() if damage == "another" else b"")
    report(bench, run)
    assert "sr:bicubic" in data_of(run / "page.html")["clips"][0]["pictures"]
    shutil.rmtree(run / "frames")
    answer = bench("compare-frames", run, "--clip", "pan", "--out", tmp_path / "strip.png")
    assert "unexpected" not in answer.err


def test_a_small_budget_leaves_frames_out_and_says_which(made, bench, tmp_path):
    report(bench, made.run, "--out", tmp_path / "few.html", "--frames", 2, "--crop", "48x32")
    text = (tmp_path / "few.html").read_text(encoding="utf-8")
    pan = data_of(tmp_path / "few.html")["clips"][0]
    assert len(pan["shown"]) == 2 and pan["box"][2:] == [48, 32] and pan["overview"] is not None
    assert "pan 2 of 5" in text and "not a fair sample of a frame" in text
    worst_frame = min(range(5), key=lambda i: min(c[1][i] for c in data_of(made.page)["scores"][0][0].values()))
    assert worst_frame in pan["shown"]
    report(bench, made.run, "--out", tmp_path / "none.html", "--budget", 0)
    assert "No pictures: the budget is 0" in (tmp_path / "none.html").read_text(encoding="utf-8")
    sizes = [(tmp_path / name).stat().st_size for name in ("none.html", "few.html")]
    assert sizes[0] < sizes[1] < made.page.stat().st_size


def test_a_failed_cell_is_listed_and_counted(made, bench, tmp_path):
    run = shutil.copytree(made.run, tmp_path / "run")
    lines = [json.loads(line) for line in (run / "records.jsonl").read_text().splitlines()]
    lines[-1] |= {"status": "failed", "reason": "out of <memory>", "scores": {}, "timing": {}, "descriptor": None}
    (run / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    report(bench, run)
    text = (run / "page.html").read_text(encoding="utf-8")
    assert "out of &lt;memory&gt;" in text and "3 of 4 cells measured, 1 failed" in text and "<b>1/2</b> clips" in text


def test_two_runs_share_a_page_and_keep_their_names(made, bench, tmp_path):
    other = tmp_path / "other"
    options = ("data=folder", f"data.gt={made.gt}", "metrics=[psnr]", "timing=once", f"store={made.store}")
    assert bench("run", "method=bicubic,bilinear", *options, f"out={other}").code == 0
    report(bench, made.run, other, "--out", tmp_path / "both.html")
    found = data_of(tmp_path / "both.html")
    assert found["methods"] == ["bicubic (run)", "nearest", "bicubic (other)", "bilinear"]
    assert found["clips"][0]["pictures"]["sr:bicubic (run)"] == found["clips"][0]["pictures"]["sr:bicubic (other)"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--crop", "big"], "write WIDTHxHEIGHT"),
        (["--budget", "-1"], "--budget must not be negative"),
        (["--budget", "nan"], "--budget must not be negative"),
        (["--frames", "0"], "--frames at least 1"),
    ],
)
def test_wrong_options_are_one_clear_line(made, bench, arguments, words):
    answer = bench("report", made.run, *arguments)
    assert answer.code == 3 and words in answer.err and len(answer.err.splitlines()) == 1


def test_a_folder_that_is_no_run_is_named(bench, tmp_path):
    answer = bench("report", tmp_path)
    assert answer.code == 3 and "no records.jsonl here" in answer.err


def test_the_worst_list_is_worst_first_with_two_of_a_clip_and_method():
    metric = Metric("psnr", "s", "PSNR", "dB", "higher", 2)

    def record(clip, values):
        return with_score(make("m", clip, values, [1.0], data="d"), "psnr", signature="s")

    found = worst([record("a", [20, 10, 12, 11]), record("b", [15])], metric)
    assert [(bad.clip, bad.frame, bad.value) for bad in found] == [("a", 1, 10), ("a", 3, 11), ("b", 0, 15)]


def test_the_verbs_are_in_the_help(bench):
    out = bench("--help").out
    assert "report" in out and "compare-frames" in out


def test_one_command_makes_the_page_its_tables_and_all_plots(made, bench, tmp_path):
    answer = report(bench, made.run, "--all", "--out", tmp_path / "page.html")
    names = {file.name for file in tmp_path.iterdir()}
    assert {"page.html", "table.md", "table.csv", "table.tex"} <= names
    assert {"plot.png", "plot.svg", "plot-frames.png", "plot-stages.svg", "plot-cost-size.png"} <= names
    assert "no steps to draw" in answer.out
