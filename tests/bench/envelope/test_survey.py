"""Trials of a method of known cost and memory: the border, the laws, and what a second call repeats."""

import pytest

from bench.config import expand
from bench.envelope import survey as surveys
from bench.envelope.options import SearchOptions
from bench.envelope.search import Rules
from bench.envelope.survey import Survey
from bench.report.envelope import law
from bench.store.trials import MEMORY, SLOW, TrialFile
from frames.errors import UserError
from tests.bench.envelope.stand_in import LOADED_MB, MB_OF_MPX, POWER, SECONDS_OF_MPX, KnownCost
from tests.full_disk import largest_file

LIMIT = 2 << 30
WORDS = ["method=bicubic", "device=cpu"]


def largest_mpx(limit=LIMIT):
    return ((limit / 2**20 - LOADED_MB) / MB_OF_MPX) ** (1 / POWER)


@pytest.fixture
def explore(tmp_path):
    """`explore(run, **options)` -> the survey after its end; every call has the same folder."""

    def call(run, **options):
        file = TrialFile(tmp_path / "out")
        file.mend()
        survey = Survey(SearchOptions(**({"memory": LIMIT} | options)), file, run, lambda line: None)
        survey(expand(WORDS))
        return survey

    return call


def test_the_largest_frame_and_the_longest_clip_are_those_of_the_formula(explore):
    envelope = explore(KnownCost()).envelopes["bicubic"]
    frame, clip = envelope.axes
    assert frame.largest.pixels / 1e6 <= largest_mpx() < frame.beyond.pixels / 1e6 <= 1.15 * frame.largest.pixels / 1e6
    assert clip.largest.frames * 0.0576 <= largest_mpx() < clip.beyond.frames * 0.0576
    assert frame.outcome == clip.outcome == MEMORY and frame.is_complete and clip.is_complete


def test_the_laws_are_those_of_the_formula(explore):
    envelope = explore(KnownCost()).envelopes["bicubic"]
    for axis, of_one in zip(envelope.axes, (1.0, 0.0576)):
        time, memory = law(envelope, axis, "seconds"), law(envelope, axis, "memory")
        assert (time.exponent, time.factor) == pytest.approx((1.0, SECONDS_OF_MPX * of_one))
        assert (memory.exponent, memory.factor) == pytest.approx((POWER, MB_OF_MPX * of_one**POWER))
        assert time.interval == pytest.approx((1.0, 1.0)) and time.points >= 4


def test_a_second_call_makes_no_trial_again_and_finds_the_same(explore):
    first = explore(KnownCost())
    again = KnownCost()
    assert explore(again).envelopes == first.envelopes
    assert [request.point for request in again.requests] == [None]


def test_a_trial_that_the_disk_has_no_room_for_is_an_error_and_leaves_no_part_of_it(explore, tmp_path):
    explore(KnownCost())
    file = TrialFile(tmp_path / "out")
    before, trials = file.file.read_bytes(), file.read()
    with largest_file(len(before) + 10), pytest.raises(OSError, match=r"trials\.jsonl"):
        file.append(trials[0])
    assert file.file.read_bytes() == before


def test_a_trial_is_not_written_through_a_link(explore, tmp_path):
    explore(KnownCost())
    file = TrialFile(tmp_path / "out")
    trial = file.read()[0]
    (tmp_path / "other.txt").write_text("of the user's")
    file.file.unlink()
    file.file.symlink_to(tmp_path / "other.txt")
    for write in (file.mend, lambda: file.append(trial)):
        with pytest.raises(UserError, match=r"trials\.jsonl: a link to .*, and nothing is written through it"):
            write()
    assert (tmp_path / "other.txt").read_text() == "of the user's"


def test_an_interrupted_call_continues_where_it_was(explore, tmp_path):
    whole = KnownCost()
    expected = explore(whole).envelopes
    TrialFile(tmp_path / "out").file.unlink()
    with pytest.raises(KeyboardInterrupt):
        explore(KnownCost(interrupt_after=6))
    with open(tmp_path / "out" / "trials.jsonl", "ab") as torn:
        torn.write(b'{"key": "cut sh')
    rest = KnownCost()
    found = explore(rest).envelopes
    assert found["bicubic"].axes == expected["bicubic"].axes
    assert len(rest.requests) == len(whole.requests) - 5


def test_another_limit_of_memory_is_another_envelope(explore):
    explore(KnownCost())
    other = KnownCost()
    found = explore(other, memory=1 << 30).envelopes["bicubic"]
    assert found.axes[0].largest.pixels / 1e6 <= largest_mpx(1 << 30) and len(other.requests) > 5


def test_trials_of_another_version_of_a_program_are_made_again(explore):
    explore(KnownCost(identity={"version": "1"}))
    same, other = KnownCost(identity={"version": "1"}), KnownCost(identity={"version": "2"})
    explore(same)
    explore(other)
    assert len(same.requests) == 1 and len(other.requests) > 5


def test_each_scale_of_a_sweep_is_a_row(explore, monkeypatch):
    monkeypatch.setattr("tests.bench.envelope.test_survey.WORDS", [*WORDS, "scale=2,4"])
    found = explore(KnownCost(), axes=("clip",)).envelopes
    assert {name: each.scale for name, each in found.items()} == {"bicubic[scale=2]": 2, "bicubic[scale=4]": 4}


def test_more_time_for_a_trial_tries_again_what_was_stopped(explore):
    first = explore(KnownCost(trial_s=0.1), trial_s=0.1).envelopes["bicubic"].axes[0]
    assert first.outcome == SLOW and first.largest.pixels * SECONDS_OF_MPX / 1e6 <= 0.1
    assert explore(KnownCost(trial_s=100), trial_s=100).envelopes["bicubic"].axes[0].outcome == MEMORY


def test_no_trial_begins_once_the_budget_is_spent(explore, monkeypatch):
    now = iter(range(10**6))
    monkeypatch.setattr(surveys.time, "monotonic", lambda: next(now))
    run = KnownCost()
    survey = explore(run, budget_s=4)
    assert survey.is_spent and 1 < len(run.requests) < 6
    assert not survey.envelopes["bicubic"].axes[0].is_complete


def test_one_axis_alone_and_the_rules_of_the_method(explore):
    run = KnownCost(rules=Rules(side=64, side_step=32, frames=9, frames_step=8, frames_plus=1))
    (axis,) = explore(run, axes=("frame",)).envelopes["bicubic"].axes
    assert axis.name == "frame"
    for request in run.requests[1:]:
        assert request.point.frames == 9 and request.point.width % 32 == request.point.height % 32 == 0
