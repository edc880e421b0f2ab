"""Made-up runs for the gate: two methods on five clips, and the changes that a case makes to them."""

from __future__ import annotations

from dataclasses import replace

from bench.store.record import Record
from bench.timing.results import Repetition, Timing
from tests.bench.made_up import make, with_score


def record(clip, psnr=30.0, seconds=1.0, method="ours", lpips=0.2, **change) -> Record:
    """A cell with PSNR (one value, or a tuple with one a frame), LPIPS of its first frame and a time."""
    values = list(psnr) if isinstance(psnr, tuple) else [psnr]
    return make(method, clip, values, [seconds], lpips=lpips, expected=5, **change)


def run_of(**change) -> list[Record]:
    """Five clips of two methods; `change` goes to the records of `ours`, one value a clip where it is a list."""
    found = []
    for index in range(5):
        own = {key: value[index] if isinstance(value, list) else value for key, value in change.items()}
        found += [
            record(f"c{index}", **({"psnr": 28.0 + index} | own)),
            record(f"c{index}", method="base", seconds=0.1),
        ]
    return found


def altered(records, change, method="ours", only=None) -> list[Record]:
    """The records with `change(record)` applied to a method's, or to the one with this index among them."""
    mine = [each for each in records if each.method == method]
    chosen = mine if only is None else [mine[only]]
    return [change(each) if each in chosen else each for each in records]


def with_psnr(**change):
    """A change of the PSNR's record."""
    return lambda each: with_score(each, "psnr", **change)


def without(metric):
    """A change that takes a metric away."""
    return lambda each: replace(each, scores={name: one for name, one in each.scores.items() if name != metric})


def timed(*seconds, scope="tensors", **more):
    """A change of the times; without seconds there are none."""
    times = Timing(scope=scope, clock="perf_counter", warmup=0, first_call_s=1.0,
                   repetitions=[Repetition(total_s=each) for each in seconds])  # fmt: skip
    return lambda each: replace(each, timing={scope: times} if seconds else {}, **more)


def also_timed(*seconds):
    """A change that adds times from file to file."""
    return lambda each: replace(each, timing=each.timing | timed(*seconds, scope="files")(each).timing)
