"""Runs joined on made-up records: which record counts, and what is known of where it was measured."""

import json
from dataclasses import replace

import pytest

from bench.report.merge import merged
from bench.report.tables import tables
from bench.run.merging import merge
from bench.store.records import RecordFile, load
from bench.store.workers import WorkerFacts, write_worker
from frames.errors import UserError
from tests.bench.made_up import ENVIRONMENT, failed, make, run_folder


def cell(psnr, date, **more):
    return make("plain", "a", [psnr], [0.1], date=date, **more)


@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_that_did_not_fail_counts_whatever_the_order(tmp_path, turned):
    newest = "2026-01-02T00:30:00+00:00"  # later than the others, whose clocks show more
    runs = [
        run_folder(tmp_path / "one", [cell(30.0, "2026-01-02T02:00:00+02:00")]),
        run_folder(tmp_path / "two", [cell(31.0, newest)]),
        run_folder(tmp_path / "three", [failed(cell(0.0, "2026-01-03T00:00:00+00:00"))]),
    ]
    assert merge(runs[::-1] if turned else runs, tmp_path / "out") == 1
    (record,) = load(tmp_path / "out").records
    assert record.ok and record.date == newest


def test_the_environment_says_only_what_all_runs_agree_on(tmp_path):
    known = {"commit": "a" * 40, "dirty": False, "date": "2026-01-01T05:00:00+00:00"}
    other = {"commit": "b" * 40, "dirty": True, "date": "2026-01-01T05:00:00+02:00", "python": "3.13.0"}
    one = run_folder(tmp_path / "one", [cell(30.0, "2026-01-02T00:00:00")], ENVIRONMENT | known)
    two = run_folder(tmp_path / "two", [make("plain", "b", [30.0], [0.1])], ENVIRONMENT | other)
    merge([one, two], tmp_path / "out")
    found = json.loads((tmp_path / "out" / "environment.json").read_text())
    assert found["cpu"] == ENVIRONMENT["cpu"] and found["command"] == "python -m bench merge"
    assert found["commit"] is None and found["python"] is None and found["dirty"] is True
    assert found["date"] == other["date"], "no record is older than the environment"


def test_a_worker_s_machine_and_canary_are_known_after_a_merge(tmp_path):
    for name, seconds in (("w1", 0.1), ("w2", 0.2)):
        facts = WorkerFacts(name=name, host=f"host of {name}", device="cpu", began="now", canary=[seconds])
        (tmp_path / name / "records").mkdir(parents=True)
        RecordFile(tmp_path / name / "records" / f"{name}.jsonl").append(
            make("plain", name, [30.0], [0.1], worker=name, unit=0)
        )
        write_worker(tmp_path / name, facts)
    merge([tmp_path / "w1", tmp_path / "w2"], tmp_path / "out")
    found = {record.worker: (record.host, record.canary) for record in load(tmp_path / "out").records}
    assert found == {"w1": ("host of w1", (0.1,)), "w2": ("host of w2", (0.2,))}


def test_a_merge_that_is_interrupted_leaves_nothing(tmp_path, monkeypatch):
    runs = [run_folder(tmp_path / name, [make("plain", name, [30.0], [0.1])]) for name in ("one", "two")]

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.run.merging.yaml.safe_dump", stopped)
    with pytest.raises(KeyboardInterrupt):
        merge(runs, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_a_method_may_have_other_options_on_another_data_set_but_not_on_the_same(tmp_path):
    one = run_folder(tmp_path / "one", [make("plain", "a", [30.0], [0.1], data="reds", steps=1)])
    two = run_folder(tmp_path / "two", [make("plain", "a", [30.0], [0.1], data="vid4", steps=2)])
    assert merge([one, two], tmp_path / "out") == 2
    three = run_folder(tmp_path / "three", [make("plain", "b", [30.0], [0.1], data="reds", steps=2)])
    with pytest.raises(UserError, match="the method plain has other options .steps.: steps is 1 in the first, 2"):
        merge([one, three], tmp_path / "none")


@pytest.mark.parametrize("kind", ["lr", "gt"])
def test_one_clip_with_other_frames_is_refused(tmp_path, kind):
    def run(name, clip, digest):
        record = make(name, clip, [30.0], [0.1], **{f"{kind}_sha256": digest})
        return run_folder(tmp_path / name, [record])

    one, same, unknown = run("one", "a", "1" * 64), run("same", "a", "1" * 64), run("unknown", "a", None)
    assert merge([one, same, unknown, run("clip", "b", "2" * 64)], tmp_path / "out") == 4
    with pytest.raises(UserError, match=f"the clip a of set has other {kind.upper()} frames .digests 1+ and 3+"):
        merge([one, run("changed", "a", "3" * 64)], tmp_path / "none")


def test_one_method_with_other_weights_is_refused(tmp_path):
    def run(name, clip, files):
        return run_folder(tmp_path / name, [make("plain", clip, [30.0], [0.1], method_files=files)])

    one, same, unknown = (
        run(c, c, f) for c, f in (("a", {"weights": "1" * 64}), ("b", {"weights": "1" * 64}), ("c", {}))
    )
    assert merge([one, same, unknown], tmp_path / "out") == 3
    other = run("other", "d", {"weights": "2" * 64})
    with pytest.raises(
        UserError, match="plain on set: the content of weights is not the same in .*a .sha256 1+., .*oth"
    ):
        merge([one, other], tmp_path / "none")


def chosen(method, clip, clips, expected):
    return make(method, clip, [30.0], [0.1], expected=expected, data_config={"degradation": "bi", "clips": clips})


def test_runs_of_unlike_clips_are_one_set_that_can_be_read_as_a_run(tmp_path):
    one = run_folder(tmp_path / "one", [chosen("plain", "a", ["a"], 1)])
    two = run_folder(tmp_path / "two", [chosen("plain", clip, ["b", "c"], 2) for clip in "bc"])
    merge([one, two], tmp_path / "out")
    found = load(tmp_path / "out").records
    assert {(r.expected_clips, tuple(r.data_config["clips"])) for r in found} == {(3, ("a", "b", "c"))}
    assert merged({"out": found}) and tables(found)[0].caption.startswith("3 clips, ")
    whole = run_folder(tmp_path / "whole", [chosen("sharp", "d", None, 7)])
    merge([one, whole], tmp_path / "more")
    found = load(tmp_path / "more").records
    assert {(r.expected_clips, r.data_config["clips"]) for r in found} == {(7, None)}


def test_one_cell_scored_by_unlike_metrics_is_refused_as_scores_would_be_lost(tmp_path):
    both, clip = make("plain", "a", [30.0], [0.1]), make("plain", "b", [30.0], [0.1])
    less = replace(both, scores={"psnr": both.scores["psnr"]}, date="2026-01-03T00:00:00")
    other = replace(clip, scores={"psnr": clip.scores["psnr"]})
    one, two = run_folder(tmp_path / "one", [both]), run_folder(tmp_path / "two", [less])
    with pytest.raises(UserError, match="the cell set/a plain has other options .metrics.: metrics is .*lpips-alex"):
        merge([one, two], tmp_path / "none")
    assert merge([one, run_folder(tmp_path / "clip", [other])], tmp_path / "out") == 2
