"""The gate on made-up runs: verdicts, their honesty about few clips, exit codes, and what CI servers read."""

import math
from xml.etree import ElementTree

import pytest

from bench.gate.comparison import compare, interval_of_mean, verdict_of
from bench.store.record import Repetition
from bench.store.records import Records
from tests.bench.made_up import failed, make, with_score, with_times

SIGNATURE = "psnr|rgb|uint8|crop0|mean-frames,clips|v1"


def record(clip, psnr=30.0, seconds=1.0, method="ours", signature=SIGNATURE, lpips=0.2, status="ok"):
    found = with_score(make(method, clip, [psnr], [seconds], lpips=lpips), "psnr", signature=signature)
    return found if status == "ok" else failed(found)


def run_of(**change):
    """Five clips of two methods; `change` goes to the records of `ours`, one value a clip where it is a list."""
    found = []
    for index in range(5):
        own = {key: value[index] if isinstance(value, list) else value for key, value in change.items()}
        found += [
            record(f"c{index}", **({"psnr": 28.0 + index} | own)),
            record(f"c{index}", method="base", seconds=0.1),
        ]
    return found


def verdict(before, after, metric="psnr", **options):
    (found,) = [f for f in compare(before, after, **options) if (f.method, f.metric) == ("ours", metric)]
    return found


def test_an_equal_run_is_the_same():
    findings = compare(run_of(), run_of(), reference="base")
    assert {f.verdict for f in findings} == {"same"} and {f.change for f in findings} == {0.0}


def test_a_clear_gain_and_a_clear_loss_in_both_directions_of_better():
    down, up = [27.5, 28.6, 29.4, 30.5, 31.6], [28.5, 29.6, 30.4, 31.5, 32.6]
    assert verdict(run_of(), run_of(psnr=down)).verdict == "worse"
    assert verdict(run_of(), run_of(psnr=up)).verdict == "better"
    assert verdict(run_of(), run_of(lpips=0.1), "lpips-alex").verdict == "better"
    assert verdict(run_of(), run_of(lpips=0.3), "lpips-alex").verdict == "worse"


def test_a_loss_within_the_margin_is_the_same():
    assert verdict(run_of(), run_of(psnr=[27.99, 28.98, 29.99, 30.98, 31.99])).verdict == "same"


def test_noise_larger_than_the_margin_is_undecidable_and_says_what_it_could_have_shown():
    found = verdict(run_of(), run_of(psnr=[28.5, 28.4, 30.6, 30.5, 31.9]))
    assert found.verdict == "undecidable" and 0.2 < found.smallest_effect < 1


def test_one_clip_cannot_carry_a_verdict_unless_nothing_moved():
    before, after = [record("a", 30.0)], [record("a", 29.0)]
    assert verdict(before, after).verdict == "undecidable" and verdict(before, before).verdict == "same"


def test_missing_and_failed_clips_are_missing():
    assert verdict(run_of(), run_of()[:-2]).verdict == "missing"
    assert verdict(run_of(), run_of(status=["ok"] * 4 + ["failed"])).verdict == "missing"


def test_unlike_signatures_are_not_compared():
    found = verdict(run_of(), run_of(signature="psnr|y"))
    assert found.verdict == "undecidable" and "signatures differ" in found.note


def test_speed_is_a_ratio_to_the_reference_of_the_same_run():
    slower_machine = [
        with_times(r, repetitions=[Repetition(total_s=0.2)]) if r.method == "base" else r for r in run_of(seconds=2.0)
    ]
    assert verdict(run_of(), slower_machine, "speed / base", reference="base").verdict == "same"
    found = verdict(run_of(), run_of(seconds=1.5), "speed / base", reference="base")
    assert found.verdict == "worse" and found.change == pytest.approx(-math.log(1.5))


def test_the_interval_covers_the_mean_and_needs_two_values():
    low, high = interval_of_mean([1.0, 2.0, 3.0, 4.0])
    assert 1 <= low < 2.5 < high <= 4 and interval_of_mean([1.0]) is None
    assert verdict_of((-0.01, 0.02), 0.05) == "same" and verdict_of(None, 0.05) == "undecidable"


@pytest.fixture
def folder_of(tmp_path):
    def write(name, records):
        (tmp_path / name).mkdir()
        for each in records:
            Records(tmp_path / name).append(each)
        return tmp_path / name

    return write


def test_exit_codes_and_files_of_check(bench, folder_of, tmp_path, monkeypatch):
    golden, worse = folder_of("golden", run_of()), folder_of("worse", run_of(psnr=20.0))
    assert bench("check", golden, "--against", golden, "--reference", "base").code == 0
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    answer = bench("check", worse, "--against", golden, "--junit", tmp_path / "out.xml")
    assert answer.code == 1 and "::error" in answer.out and "psnr of ours on set: worse" in answer.out
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert suite.get("failures") == "1" and len(suite.findall("testcase")) == int(suite.get("tests"))


def test_a_gate_that_measured_nothing_fails(bench, folder_of):
    golden = folder_of("golden", run_of())
    nothing = folder_of("nothing", [record("other")])
    assert bench("check", nothing, "--against", golden).code == 2


def test_undecidable_passes_unless_strict(bench, folder_of):
    golden, one = folder_of("golden", [record("a")]), folder_of("one", [record("a", 30.01)])
    assert bench("check", one, "--against", golden).code == 0
    assert bench("check", one, "--against", golden, "--strict").code == 1


@pytest.mark.parametrize(
    "flags, expected",
    [
        (["--margin", "pnsr=1"], "did you mean 'psnr'?"),
        (["--margin", "psnr=x"], "no number"),
        (["--reference", "bas"], "did you mean 'base'?"),
    ],
)
def test_a_mistake_in_a_flag_is_one_line(bench, folder_of, flags, expected):
    golden = folder_of("golden", run_of())
    answer = bench("check", golden, "--against", golden, *flags)
    assert answer.code == 3 and expected in answer.err


def test_compare_prints_both_and_the_verdict(bench, folder_of):
    answer = bench("compare", folder_of("a", run_of()), folder_of("b", run_of(psnr=[29.0, 30, 31, 32, 33])))
    assert answer.code == 0 and "better" in answer.out
