"""The gate on made-up runs: verdicts, their honesty about few clips, exit codes, and what CI servers read."""

import math
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from rich.console import Console

from bench.gate import formats
from bench.gate.comparison import compare
from bench.gate.margins import MARGINS, margin_of, parse
from bench.gate.verdict import change_of, interval_of_mean, verdict_of
from frames.errors import UserError
from tests.bench.gate.made_up import altered, record, run_of, timed
from tests.bench.made_up import failed


def found_of(before, after, metric="psnr", **options):
    (found,) = [f for f in compare(before, after, **options) if (f.method, f.metric) == ("ours", metric)]
    return found


def test_an_equal_run_is_the_same():
    found = compare(run_of(), run_of(), reference="base")
    assert {f.verdict for f in found} == {"same"} and {f.change for f in found} == {0.0}


def test_a_clear_gain_and_a_clear_loss_in_both_directions_of_better():
    down, up = [27.5, 28.6, 29.4, 30.5, 31.6], [28.5, 29.6, 30.4, 31.5, 32.6]
    assert found_of(run_of(), run_of(psnr=down)).verdict == "worse"
    assert found_of(run_of(), run_of(psnr=up)).verdict == "better"
    assert found_of(run_of(), run_of(lpips=0.1), "lpips-alex").verdict == "better"
    assert found_of(run_of(), run_of(lpips=0.3), "lpips-alex").verdict == "worse"


def test_a_loss_within_the_margin_is_the_same():
    assert found_of(run_of(), run_of(psnr=[27.99, 28.98, 29.99, 30.98, 31.99])).verdict == "same"


def test_noise_larger_than_the_margin_is_inconclusive_and_says_what_it_could_have_shown():
    found = found_of(run_of(), run_of(psnr=[28.5, 28.4, 30.6, 30.5, 31.9]))
    assert found.verdict == "inconclusive" and 0.2 < found.smallest_effect < 1


def test_one_clip_carries_no_interval():
    before = [record("a", 30.0)]
    assert found_of(before, [record("a", 29.99)]).verdict == "inconclusive"
    assert found_of(before, before).verdict == "same"
    lost = found_of(before, [record("a", 29.0)])
    assert (lost.verdict, lost.interval) == ("worse", None) and "one clip cannot carry an interval" in lost.note


def test_speed_is_a_ratio_to_the_reference_of_the_same_run():
    slower_machine = altered(run_of(seconds=2.0), timed(0.2), "base")
    assert found_of(run_of(), slower_machine, "speed / base", reference="base").verdict == "same"
    found = found_of(run_of(), run_of(seconds=1.5), "speed / base", reference="base")
    assert found.verdict == "worse" and found.change == pytest.approx(-math.log(1.5))


def test_programs_are_compared_by_their_times_from_file_to_file():
    files = altered(altered(run_of(), timed(1.0, scope="files")), timed(0.1, scope="files"), "base")
    assert found_of(files, files, "speed / base", reference="base").verdict == "same"


def test_a_frame_that_is_infinite_in_both_hides_no_other():
    before, after = [record("a", (math.inf, 30.0))], [record("a", (math.inf, 29.0))]
    found = found_of(before, after)
    assert (found.verdict, found.change) == (
        "worse",
        -0.5,
    ) and "infinite in both, counted as unchanged: 1" in found.note


def test_the_interval_covers_the_mean_and_needs_two_values():
    low, high = interval_of_mean([1.0, 2.0, 3.0, 4.0])
    assert (low, high) == pytest.approx((0.4457, 4.5543), abs=1e-4) and interval_of_mean([1.0]) is None
    assert verdict_of(0.0, (-0.01, 0.02), 0.05) == "same" and verdict_of(0.0, None, 0.05) == "inconclusive"
    assert verdict_of(-0.06, (-0.2, 0.1), 0.05) == "worse" and verdict_of(math.nan, None, 0.05) == "not finite"


@pytest.mark.parametrize(
    "before, after, change",
    [(1.0, 3.0, 2.0), (math.inf, math.inf, 0.0), (-math.inf, -math.inf, 0.0), (math.inf, 1.0, None),
     (1.0, math.inf, None), (math.inf, -math.inf, None), (math.nan, math.nan, None), (1.0, math.nan, None)],
)  # fmt: skip
def test_changes_of_values_that_are_not_finite(before, after, change):
    found = change_of(before, after, higher_is_better=True)
    assert math.isnan(found) if change is None else found == change
    assert change is None or change_of(before, after, higher_is_better=False) == -change


def test_margins_are_a_metrics_own_its_familys_or_half_a_printed_digit():
    (one,) = [record("a")]
    assert margin_of("psnr-y", one.scores["psnr"], MARGINS) == 0.05
    assert margin_of("psnr-y", one.scores["psnr"], parse(["psnr-y=1"], ["psnr-y"])) == 1
    assert margin_of("niqe", replace(one.scores["psnr"], digits=3), MARGINS) == 0.0005
    with pytest.raises(UserError, match="unknown metric; did you mean 'niqe'"):
        parse(["nique=1"], ["niqe"])


def test_exit_codes_and_files_of_check(bench, folder_of, tmp_path, monkeypatch):
    golden, worse = folder_of("golden", run_of()), folder_of("worse", run_of(psnr=20.0))
    assert bench("check", golden, "--against", golden, "--reference", "base").code == 0
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    answer = bench("check", worse, "--against", golden, "--junit", tmp_path / "out.xml")
    assert answer.code == 1 and "::error" in answer.out and "psnr of ours on set: worse" in answer.out
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert suite.get("failures") == "1" and len(suite.findall("testcase")) == int(suite.get("tests"))


def test_control_characters_in_names_reach_no_terminal_and_no_ci_server(bench, folder_of, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    name = "a\n::error::b\x1b[31m,c:d%\x00[bold]"
    golden = folder_of("golden", run_of(data=name))
    run = folder_of("run", run_of(data=name, psnr=20.0))
    answer = bench("check", run, "--against", golden, "--junit", tmp_path / "out.xml")
    assert answer.code == 1 and "\x1b" not in answer.out and "\x00" not in answer.out
    lines = [line for line in answer.out.splitlines() if line.startswith("::")][2:]
    assert len(lines) == 1 and lines[0].startswith(
        "::error title=bench check a\\n%3A%3Aerror%3A%3Ab\\x1b[31m%2Cc%3Ad%25"
    )
    case = ElementTree.parse(tmp_path / "out.xml").getroot().find("testcase[failure]")
    assert case.get("classname").startswith("a\\n::error::b\\x1b[31m,c:d%\\x00[bold].")
    assert "[bold]" in answer.out


def test_names_in_the_table_are_no_commands_of_github(bench, folder_of, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    run = folder_of("run", run_of(data="##[set-output name=x]y"))
    lines = bench("check", run, "--against", run).out.splitlines()
    (first,) = [index for index, line in enumerate(lines) if line.startswith("::stop-commands::")]
    last = lines.index(f"::{lines[first].rpartition('::')[2]}::")
    named = [index for index, line in enumerate(lines) if "##[" in line]
    assert named and first < min(named) and max(named) < last


def test_a_gate_that_measured_nothing_fails(bench, folder_of):
    golden = folder_of("golden", run_of())
    nothing = folder_of("nothing", [record("other")])
    assert bench("check", nothing, "--against", golden).code == 2


def test_inconclusive_passes_unless_strict(bench, folder_of, tmp_path):
    golden, one = folder_of("golden", [record("a")]), folder_of("one", [record("a", 30.01)])
    assert bench("check", one, "--against", golden, "--junit", tmp_path / "out.xml").code == 0
    assert ElementTree.parse(tmp_path / "out.xml").getroot().get("skipped") == "1"
    assert bench("check", one, "--against", golden, "--strict").code == 1


def test_what_fails_under_strict_is_a_failure_for_ci_servers_too(bench, folder_of, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    golden, one = folder_of("golden", [record("a")]), folder_of("one", [record("a", 30.01)])
    answer = bench("check", one, "--against", golden, "--junit", tmp_path / "out.xml")
    assert answer.code == 0 and "::warning" in answer.out and "::error" not in answer.out
    answer = bench("check", one, "--against", golden, "--junit", tmp_path / "out.xml", "--strict")
    assert answer.code == 1 and "::error" in answer.out and "::warning" not in answer.out
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (suite.get("failures"), suite.get("skipped"), suite.get("errors")) == ("1", "0", "0")
    assert len(suite.findall("testcase/failure")) == 1


def test_a_refused_check_leaves_no_green_file_of_an_earlier_one(bench, folder_of, tmp_path):
    golden, unlike = folder_of("golden", run_of()), folder_of("unlike", run_of(scale=2))
    words = ("--against", golden, "--junit", tmp_path / "out.xml")
    assert bench("check", golden, *words).code == 0
    refused = ((unlike, "scale is 4"), (tmp_path / "none", "none"), (folder_of("empty", [record("other")]), "nothing"))
    for run, says in refused:
        answer = bench("check", run, *words)
        suite = ElementTree.parse(tmp_path / "out.xml").getroot()
        (error,) = suite.findall("testcase/error")
        assert says in error.get("message") and suite.get("errors") == "1"
        assert answer.code == (2 if says == "nothing" else 3)
        assert answer.code == 2 or error.get("message") in answer.err
        assert len(suite.findall("testcase")) == int(suite.get("tests"))


def test_compare_prints_both_and_the_verdict(bench, folder_of):
    answer = bench("compare", folder_of("a", run_of()), folder_of("b", run_of(psnr=[29.0, 30, 31, 32, 33])))
    assert answer.code == 0 and "better" in answer.out


def test_compare_refuses_unlike_runs_and_takes_infinite_values(bench, folder_of):
    one, other = folder_of("a", run_of(psnr=math.inf)), folder_of("b", run_of(scale=2))
    answer = bench("compare", one, other)
    assert answer.code == 3 and f"scale is 4 in {one}, 2 in {other}" in answer.err
    answer = bench("compare", one, folder_of("c", run_of(psnr=[math.inf] * 4 + [-math.inf])))
    assert answer.code == 0 and "not finite" in answer.out and "same" in bench("compare", one, one).out


def test_compare_refuses_what_check_refuses(bench, folder_of):
    run, lost = folder_of("run", run_of()), folder_of("lost", altered(run_of(), failed))
    answer = bench("compare", run, run, "--reference", "bas")
    assert answer.code == 3 and f"--reference bas: not in {run}; did you mean 'base'?" in answer.err
    answer = bench("compare", lost, run)
    assert answer.code == 3 and f"{lost}: ours failed on every clip of set (out of memory)" in answer.err


def test_a_sentence_has_the_note():
    assert "clips have no psnr" in formats.sentence(found_of(run_of(), run_of()[:-2]))


def test_a_narrow_terminal_gets_a_sentence_a_comparison_and_no_cut_figure(capsys):
    found = compare(run_of(), run_of(), reference="base")
    formats.terminal(found, "one -> other", Console(width=70))
    narrow = capsys.readouterr().out
    assert narrow.splitlines() == ["one -> other", *map(formats.sentence, found)]
    formats.terminal(found, "one -> other", Console(width=140))
    wide = capsys.readouterr().out
    assert "┃" in wide and "…" not in wide + narrow
