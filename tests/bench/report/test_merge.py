"""One row, one setting: labels of several runs and of several settings in one run."""

from dataclasses import replace

import pytest

from bench.report import tables
from bench.report.merge import by_settings, merged, run_names
from frames.errors import UserError


@pytest.fixture
def mixed(record):
    """steps=1 on six clips, then steps=16 into the same folder, interrupted after two clips."""
    found = [record("m", clip, [20], [1.0], expected=6, steps=1) for clip in "abcdef"]
    return [record("m", clip, [25], [2.0], expected=6, steps=16) for clip in "ab"] + found[2:]


def test_two_settings_of_a_method_are_two_rows(mixed):
    (table,) = tables.tables(by_settings(mixed))
    assert table.methods == ["m[steps=16]", "m[steps=1]"]
    assert [table.counted(method) for method in table.methods] == [(2, 6), (4, 6)]


def test_only_options_that_differ_are_in_the_label(mixed):
    mixed = [replace(r, method="m[seed=3]", method_config=r.method_config | {"seed": 3, "scale": 4}) for r in mixed]
    assert {r.method for r in by_settings(mixed)} == {"m[seed=3,steps=1]", "m[seed=3,steps=16]"}
    one = [r for r in mixed if r.method_config["steps"] == 1]
    assert by_settings(one) == one


def test_an_option_that_only_one_setting_has_tells_them_apart(mixed):
    mixed = [r if r.method_config["steps"] == 1 else replace(r, method_config={}) for r in mixed]
    assert {r.method for r in by_settings(mixed)} == {"m[steps=1]", "m[steps=None]"}


def test_runs_and_settings_are_both_told_apart(mixed, record):
    other = [record("m", "a", [20], [1.0], expected=6, steps=1)]
    found = merged({"x/old": mixed, "x/new": other})
    assert {r.method for r in found} == {"m[steps=1]", "m[steps=16]", "m"}
    found = merged({"x/old": mixed[2:], "x/new": other})
    assert {r.method for r in found} == {"m (old)", "m (new)"} and {r.run for r in found} == {"x/old", "x/new"}


def test_unlike_clips_under_one_name_are_refused_within_a_run_too(record):
    one, other = record("m", "a", [20], [1.0]), record("m", "b", [20], [1.0], data_config={"degradation": "bd"})
    with pytest.raises(UserError, match=r"records of run used set under other options \(degradation\)"):
        merged({"run": [one, other]})


def test_copies_of_a_set_in_two_places_are_the_same_clips_if_their_frames_are(record):
    """Results of two machines never shared a table, and the line said that their clips were not the same."""

    def of(method, root, clip="a", gt: str | None = "1", lr="2"):
        changed = {"gt_sha256": gt, "lr_sha256": lr, "lr_origin": "given"}
        return replace(record(method, clip, [20], [1.0], data_config={"root": root, "frames": 2}), **changed)

    here = [of("m", "here"), of("m", "here", "b", "3")]
    found = merged({"x": here, "y": [of("n", "there"), of("n", "there", "c", "4")]})
    assert {r.method for r in found} == {"m", "n"}
    elsewhere = of("n", "there", "c", "4")
    for others in ([of("n", "there", gt="0")], [of("n", "there", lr="0")], [of("n", "there", gt=None)], [elsewhere]):
        with pytest.raises(UserError, match=r"y and x used set under other options \(root\)"):
            merged({"x": here, "y": others})
    with pytest.raises(UserError, match=r"\(frames, root\)"):
        merged({"x": here, "y": [replace(elsewhere, data_config={"root": "there", "frames": 3})]})


def test_labels_that_would_meet_are_refused(record):
    runs = {
        "a/x": [record("m", "c", [20], [1.0])],
        "b/y": [record("m", "c", [20], [1.0]), record("m (x)", "c", [20], [1.0])],
    }
    with pytest.raises(UserError, match=r"would both be 'm \(x\)'"):
        merged(runs)


def test_runs_are_named_by_their_last_part_where_that_tells_them_apart():
    assert run_names(["a/x", "b/y"]) == {"a/x": "x", "b/y": "y"}
    assert run_names(["a/x", "b/x"]) == {"a/x": "a/x", "b/x": "b/x"} and run_names(["."]) == {".": "."}


def test_runs_under_unlike_protocols_are_mixed_on_request_only(record):
    one, other = (
        [record("m", "a", [20.0], [], protocol=name, data_config={"degradation": "bi", "protocol": name})]
        for name in ("vid4", "reds4")
    )
    with pytest.raises(UserError, match="other options \\(protocol\\)"):
        merged({"one": one, "other": other})
    assert [r.method for r in merged({"one": one, "other": other}, mix=True)] == ["m (one)", "m (other)"]
    other = [replace(r, data_config=r.data_config | {"degradation": "bd"}) for r in other]
    with pytest.raises(UserError, match="other options \\(degradation\\)"):
        merged({"one": one, "other": other}, mix=True)
