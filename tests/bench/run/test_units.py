"""How the work of a run is cut into units, and in which order they are taken."""

from dataclasses import replace
from types import SimpleNamespace

from bench.metrics.protocol import RGB, Protocol
from bench.metrics.registry import build
from bench.run import estimate
from bench.run.units import longest_first, split_for, units_of
from tests.bench.made_up import units


def test_known_costs_count_before_sizes_and_methods_in_memory_before_both():
    cheap, dear, unknown = units(10, 1, 2)
    cheap, dear = replace(cheap, cost_s=1.0), replace(dear, cost_s=9.0)
    assert [unit.number for unit in longest_first([cheap, dear, unknown])] == [1, 2, 0]
    other = replace(dear, methods=["other"])
    assert [unit.number for unit in longest_first([cheap, other], ["m"])] == [0, 1]


def cut(frames, workers, metrics=("psnr",), methods="abcd", protocol=RGB):
    """Units of scoring of clips of so many frames of 100 pixels, where so many workers will come."""
    clips = [SimpleNamespace(name=f"clip{n}", frames=n, lr_size=(10, 10), has_gt=True) for n in frames]
    config = SimpleNamespace(device="cpu", threads=None, timing=SimpleNamespace(interleave=True))
    own = {"metrics": {name: build(name) for name in metrics}, "protocol": protocol, "clips": clips, "config": config}
    plans = [SimpleNamespace(data="set", method=name, is_timed=False, **own) for name in methods]
    return [unit for unit in units_of(plans, split_for(plans, workers, scoring=True)) if unit.scores]


def test_scoring_is_cut_by_frames_where_a_clip_is_more_than_a_part_of_a_worker_s_share():
    small, *parts, last = cut((2, 90), 4)  # 36,800 pixels, counted once a method: 920 in a unit
    assert (small.step, small.methods, small.after, small.joins) == ("score", ["a", "b", "c", "d"], [0, 1, 2, 3], False)
    assert {unit.step for unit in parts} == {"frames"} and {tuple(unit.methods) for unit in parts} == {tuple("abcd")}
    seen = [index for unit in parts for index in range(unit.first, unit.first + unit.frames)]
    assert seen == list(range(90)) and len(parts) == 40 and sum(unit.pixels for unit in parts) == 9000
    assert all(unit.after == [5, 6, 7, 8] for unit in parts)
    assert last.joins and last.after == [5, 6, 7, 8, *(unit.number for unit in parts)]
    assert [unit.step for unit in cut((2, 90), 0)] == ["score"] * 2, "nobody knows how many will come"


def test_metrics_that_see_frames_in_their_order_are_cut_by_methods():
    parts = cut((90,), 1, ("psnr", "tof"))[:-1]
    assert [unit.frames for unit in parts if unit.step == "frames"] == [9] * 10
    assert [(unit.methods, unit.first, unit.frames) for unit in parts if unit.step == "order"] == [
        ([name], 0, 90) for name in "abcd"
    ]
    assert {unit.step for unit in cut((90,), 1, ("tof",))} == {"order", "score"}


def test_a_frame_is_cut_by_methods_where_it_is_nearly_a_worker_s_share():
    assert [unit.methods for unit in cut((1,), 1)[:-1]] == [["a", "b"], ["c", "d"]]
    assert [unit.methods for unit in cut((2,), 1)[:-1]] == [list("abcd")] * 2
    assert [unit.step for unit in cut((1, 1, 1), 1)] == ["score"] * 3, "one part would be all of it"


def test_parts_have_frames_that_are_scored():
    parts = cut((90,), 1, protocol=Protocol(drop_first=2, drop_last=2, every=20))[:-1]
    assert [(unit.first, unit.frames) for unit in parts] == [(2, 1), (22, 1), (42, 1), (62, 1), (82, 1)]
    assert [unit.step for unit in cut((3,), 1, protocol=Protocol(drop_first=3))] == ["score"], "it fails at once"


def test_whole_clips_are_taken_where_each_worker_has_many():
    def plans(clips):
        clips = [SimpleNamespace(name=f"clip{n}", frames=1, lr_size=(1, 1)) for n in range(clips)]
        config = SimpleNamespace(device="cpu", threads=None, timing=SimpleNamespace(interleave=True))
        return [
            SimpleNamespace(data="set", method=name, config=config, is_timed=False, clips=clips, dataset=None)
            for name in "ab"
        ]

    for clips, workers, methods in ((8, 1, ["a", "b"]), (8, 2, ["a"]), (8, 0, ["a"])):
        assert units_of(plans(clips), split_for(plans(clips), workers, scoring=False))[0].methods == methods


def test_a_plan_reads_a_known_cost_once_for_all_units_of_its_kind(monkeypatch):
    read = []
    monkeypatch.setattr(estimate, "cost_key", lambda group, step: group)
    store = SimpleNamespace(costs=lambda key: read.append(key) or {"cpu": 2.0})
    found = estimate.estimated(units(1, 1, 1), SimpleNamespace(group=lambda unit: "alike"), store)
    assert [unit.cost_s for unit in found] == [2.0 * unit.pixels for unit in found] and read == ["alike"]
