"""Each rule of a submission, broken alone on a run that is otherwise good."""

from dataclasses import replace

import pytest

from bench.gate.rules import NEEDED, broken
from bench.store.record import GIVEN
from tests.bench.made_up import ENVIRONMENT, failed, make, with_score, with_times


def run():
    """Two methods on the two clips of a set."""
    return [make(method, clip, [30.0, 31.0], [0.1, 0.1]) for method in ("plain", "sharp") for clip in "ab"]


def lines(records, **changed):
    return broken(records, {"": ENVIRONMENT | changed})


def with_first(**change):
    first, *rest = run()
    return [replace(first, **change), *rest]


def test_a_complete_run_breaks_none():
    assert lines(run()) == []


@pytest.mark.parametrize(
    "records, said",
    [
        ([failed(run()[0], "out of memory"), *run()[1:]], ["failed cells: set/a, plain (out of memory)"]),
        (run()[1:], ["clips are missing: plain has 1 of 2 clips of set"]),
        ([r for r in run() if r.clip == "a"], ["clips are missing: plain has 1 of 2 clips of set, sharp has 1 of 2"]),
        (
            [replace(r, data_config={"clips": ["a", "b"]}) for r in run()],  # two are expected, as two were chosen
            ["clips were chosen: set with data.clips=['a', 'b']; measure without data.clips"],
        ),
        (with_first(data_config={"frames": 3}), ["clips were cut: set with data.frames=3"]),
        (with_first(data_config={"score_every": 4}), ["frames were left out of the scores: set with score_every=4"]),
        ([with_score(run()[0], "psnr", signature="psnr|rgb"), *run()[1:]], ["unlike signatures in one column: psnr"]),
        (  # the set has grown since, or a clip of it is not expected
            [replace(r, expected_clips=2 if r.method == "plain" else 1) for r in run() if r.clip == "a"],
            ["clips are missing: plain has 1 of 2 clips of set, sharp has 1 of 2 clips of set"],
        ),
        (
            [replace(r, expected_clips=1) for r in run()[:3]],
            ["clips are missing: sharp has 1 of 2 clips of set"],
        ),
        (with_first(lr_origin="bi-x4 from GT"), ["unlike signatures in one column: lr origin on set: bi-x4 from GT"]),
        (
            with_first(lr_made_with="libx264"),
            ["unlike signatures in one column: lr made with on set: None and libx264"],
        ),
        (with_first(protocol="rgb"), ["unlike signatures in one column: protocol on set: rgb and vid4"]),
        (
            [replace(r, gt_sha256=("1" if r.method == "plain" else "2") * 64) for r in run()],
            ["unlike frames of one clip: GT of set/a, plain and sharp, GT of set/b, plain and sharp; measure"],
        ),
        (
            [replace(r, method_files={"weights": ("1" if r.clip == "a" else "2") * 64}) for r in run()[:2]],
            ["unlike files of one method: weights of plain on set/a and b; measure its clips again"],
        ),
        (with_first(sr_sha256=None), ["no digest of the scored frames: set/a, plain"]),
        (with_first(sr_sha256="../x"), ["no digest of the scored frames: set/a, plain"]),
        (with_first(timing={}), ["the timed frames are not proved to be the scored ones: set/a, plain: neither"]),
        (with_first(timing_reason=GIVEN), ["the timed frames are not proved to be the scored ones"]),
        ([with_times(run()[0], same_output=False), *run()[1:]], ["the timed frames are not proved"]),
        ([with_times(run()[0], cached=True), *run()[1:]], ["the timed frames are not proved"]),
        (with_first(date="2025-12-31T23:59:59+00:00"), ["older than the environment: set/a, plain (2025-12-31T"]),
        (with_first(timed="2025-12-31T23:59:59+00:00"), ["older than the environment: set/a, plain (2025-12-31T"]),
        (with_first(worker="w1"), ["the environment of worker w1 is not complete: there is none"]),
    ],
)
def test_a_broken_rule_of_the_records_is_one_line(records, said):
    found = lines(records)
    assert len(found) == len(said) and all(line.startswith(start) for line, start in zip(found, said))


@pytest.mark.parametrize(
    "taken, count",
    [("2025-12-31T17:00:00-08:00", 0), ("2026-01-01T09:30:00+10:00", 1), ("2026-01-01T10:00:00+10:00", 0)],
)
def test_a_record_in_another_time_zone_is_as_old_as_it_is(taken, count):
    found = lines(with_first(date=taken))
    assert len(found) == count and all(line.startswith("older than the environment: set/a, plain") for line in found)


def test_a_record_is_compared_with_the_environment_of_its_own_worker():
    records = with_first(worker="w1", date="2026-01-04T00:00:00+00:00")  # that of the others is 2026-01-02
    assert broken(records, {"": ENVIRONMENT, "w1": ENVIRONMENT | {"date": "2026-01-03T00:00:00+00:00"}}) == []


@pytest.mark.parametrize("name", NEEDED)
def test_every_fact_of_the_environment_is_asked_for(name):
    (line,) = lines(run(), **{name: None})
    assert line.startswith(f"the environment is not complete: {name}")


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"dirty": True}, "the code was modified locally: commit 0123456789"),
        ({"packages": {"torch": "2", "numpy": None}}, "the environment is not complete: version of numpy"),
        ({"device": "cuda:0", "gpu": None}, "the environment is not complete: gpu"),
        ({"commit": "the newest"}, "the environment is not complete: commit (it is no commit of git)"),
    ],
)
def test_a_broken_rule_of_the_environment_is_one_line(changed, said):
    (line,) = lines(run(), **changed)
    assert line.startswith(said)


def test_modified_code_of_an_unknown_commit_is_told_in_words():
    lacks, modified = lines(run(), commit=None, dirty=True)
    assert "commit" in lacks and modified.startswith("the code was modified locally: commit not known with changes")


def test_frames_that_another_program_made_need_no_times():
    given = [replace(record, timing={}, timing_reason=GIVEN) for record in run()]
    assert lines(given) == []


def test_many_cases_are_counted():
    (line,) = lines([replace(record, sr_sha256=None) for record in run()])
    assert "(and 1 more)" in line and "\n" not in line
