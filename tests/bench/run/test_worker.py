"""The loop of a worker, with a measurer that measures nothing: what is taken, in which order, and by whom."""

import os
import signal
import threading
from dataclasses import replace
from datetime import datetime

import pytest

from bench.run import job as job_module
from bench.run.job import FinishedUnit, Job, Plan, clean, jobs
from bench.run.leases import Leases, taken
from bench.run.measurer import Outcome
from bench.run.runner import new_worker
from bench.run.watching import Watched
from bench.run.worker import Worker, heartbeat
from bench.store.records import RecordFile, load, worker_file
from frames.errors import EnvironmentInvalid, UserError
from tests.bench.made_up import failed, make, units
from tests.full_disk import largest_file


class Measures:
    """Notes what it is given; `during` is called in the middle."""

    def __init__(self, during=lambda unit: None):
        self.seen, self.given_up, self.during = [], [], during
        self.check_device = lambda unit: None

    def measure(self, unit, may_record):
        self.seen.append(unit.number)
        self.during(unit)
        if not may_record():
            return None
        outcome = Outcome()
        outcome.totals.good = len(unit.methods)
        return outcome

    def give_up(self, unit, reason):
        self.given_up.append(reason)
        outcome = Outcome()
        outcome.totals.failed = len(unit.methods)
        return outcome


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("BENCH_KEY", "of the tests")


def planned(run, found, **more) -> tuple[Job, Plan]:
    plan = Plan(words=[], config_dirs=[], cwd="/", code="", units=found, shared=True, timed=False, **more)
    job = Job.new(run)
    job.write(plan)
    return job, plan


def working(job, plan, measures, name="one", **more):
    leases = Leases(job.leases, replace(new_worker(), name=name), plan.expiry_s)
    leases.open()
    return Worker(job, plan, leases, measures, **more)


def dead(job, name):
    """A worker of this machine whose process is gone."""
    leases = Leases(job.leases, replace(new_worker(), name=name, began=1), 60)
    leases.open()
    return leases


def test_a_unit_is_logged_before_a_worker_ends_whose_gpu_serves_it_no_more(tmp_path):
    """Else the next worker would measure it again, and meet the same fault."""
    job, plan = planned(tmp_path, units(1, 1))
    measures = Measures()

    def check_device(unit):
        raise EnvironmentInvalid("a kernel failed")

    measures.check_device = check_device
    with pytest.raises(EnvironmentInvalid):
        working(job, plan, measures)()
    assert list(job.done()) == measures.seen and len(measures.seen) == 1 and not taken(job.leases)


def test_every_unit_is_done_once_and_nothing_stays_leased(tmp_path):
    job, plan = planned(tmp_path, units(1, 1, 1))
    measures = Measures()
    totals = working(job, plan, measures)()
    assert sorted(measures.seen) == [0, 1, 2] and totals.good == 3
    assert len(Job(job.folder).done()) == 3 and taken(job.leases) == {}
    assert working(job, plan, measures, "two")().good == 0 and len(measures.seen) == 3


def test_a_line_that_the_disk_has_no_room_for_is_an_error_and_the_log_is_as_before(tmp_path):
    job, _ = planned(tmp_path, units(1, 1))
    job.append(FinishedUnit(unit=0, worker="one", seconds=1.0))
    with largest_file(300), pytest.raises(OSError, match=r"one\.jsonl"):
        job.append(FinishedUnit(unit=1, worker="one", seconds=1.0, lines=["x" * 300]))
    job.append(FinishedUnit(unit=1, worker="one", seconds=2.0))
    assert {number: done.seconds for number, done in Job(job.folder).done().items()} == {0: 1.0, 1: 2.0}


def test_many_take_the_longest_first_and_one_takes_them_in_order(tmp_path):
    found = units(1, 3, 2)
    for in_order, seen in ((False, [1, 2, 0]), (True, [0, 1, 2])):
        job, plan = planned(tmp_path, found)
        measures = Measures()
        working(job, plan, measures, in_order=in_order)()
        assert measures.seen == seen


def test_what_is_scored_waits_for_its_upscaling_and_counts_with_it(tmp_path):
    found = [replace(each, step="upscale") for each in units(1, 2, 9)]
    scored = replace(units(1)[0], number=3, step="score", after=[0], cost_s=100.0)
    found = [replace(unit, cost_s=float(unit.pixels)) for unit in found]
    job, plan = planned(tmp_path, [*found, scored])
    measures = Measures()
    working(job, plan, measures, steps=("upscale",))()
    assert measures.seen == [0, 2, 1] and set(job.done()) == {0, 1, 2}
    working(job, plan, measures, "two", steps=("score",))()
    assert measures.seen[3:] == [3]


def test_two_workers_share_what_there_is(tmp_path):
    job, plan = planned(tmp_path, units(*[1] * 20))
    both = [Measures(), Measures()]
    threads = [threading.Thread(target=working(Job(job.folder), plan, m, f"w{n}")) for n, m in enumerate(both)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    assert sorted(both[0].seen + both[1].seen) == list(range(20))


def test_the_unit_of_a_dead_worker_is_done_by_another(tmp_path):
    job, plan = planned(tmp_path, units(1, 1))
    dead(job, "dead").claim("1")
    measures = Measures()
    working(job, plan, measures)()
    assert sorted(measures.seen) == [0, 1] and not measures.given_up and taken(job.leases) == {}


def test_what_a_dead_worker_had_recorded_is_not_done_again(tmp_path):
    job, plan = planned(tmp_path, units(1, methods=("a", "b")))
    dead(job, "dead").claim("0")
    RecordFile(worker_file(tmp_path, "dead")).append(make("a", "clip0", [1.0], [1.0]))
    seen = []
    totals = working(job, plan, Measures(lambda unit: seen.append(unit.methods)))()
    assert seen == [["b"]] and totals.good == 2
    job, plan = planned(tmp_path, units(1, methods=("a",)))
    dead(job, "dead").claim("0")
    RecordFile(worker_file(tmp_path, "dead")).append(failed(make("a", "clip0", [1.0], [1.0])))
    totals = working(job, plan, Measures(lambda unit: pytest.fail("measured again")))()
    assert (totals.good, totals.failed) == (0, 1)


def test_a_unit_that_killed_two_workers_is_failed_with_that_reason(tmp_path):
    job, plan = planned(tmp_path, units(1))
    assert dead(job, "first").claim("0") and dead(job, "second").claim("0", 2)
    measures = Measures()
    totals = working(job, plan, measures)()
    assert totals.failed == 1 and not measures.seen
    assert measures.given_up[0].startswith("2 workers died at this clip: ") and "process" in measures.given_up[0]


def test_a_worker_that_was_taken_for_dead_records_nothing(tmp_path):
    job, plan = planned(tmp_path, units(1))

    def silent(unit):
        if len(one.seen) == 1:
            os.utime(job.leases / "0.1", (0, 0))
            working(Job(job.folder), plan, two, "two")()

    one, two = Measures(silent), Measures()
    totals = working(job, plan, one)()
    assert totals.good == 0 and two.seen == [0] and [each.worker for each in job.done().values()] == ["two"]


def test_a_stop_ends_the_loop_and_gives_back_what_is_held(tmp_path):
    job, plan = planned(tmp_path, units(1, 1))
    one = working(job, plan, Measures(lambda unit: job.stop()))
    with pytest.raises(KeyboardInterrupt):
        one()
    one.leases.close()
    assert len(job.done()) == 1 and taken(job.leases) == {} and not job.is_alive()
    job.resume()
    assert working(job, plan, Measures(), "two")().good == 1


def test_a_stop_interrupts_a_unit(tmp_path, default_signals):
    job, plan = planned(tmp_path, units(1))
    leases = Leases(job.leases, new_worker(), 60)
    with pytest.raises(KeyboardInterrupt), heartbeat(job, leases, every_s=0.05):
        job.stop()
        threading.Event().wait(600)
    assert not job.is_alive()


def test_a_stop_waits_until_a_recorded_unit_is_logged(tmp_path, default_signals):
    job, plan = planned(tmp_path, units(1, 1))

    class Recording(Measures):
        def measure(self, unit, may_record):
            outcome = super().measure(unit, may_record)  # what follows is recorded
            signal.raise_signal(signal.SIGINT)
            return outcome

    one = working(job, plan, Recording())
    with pytest.raises(KeyboardInterrupt):
        one()
    one.leases.close()
    assert len(job.done()) == 1 and taken(job.leases) == {}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_closed_run_ends_its_workers(tmp_path):
    job, plan = planned(tmp_path, units(1, 1))
    measures = Measures(lambda unit: job.remove())
    assert working(job, plan, measures)().good == 0 and len(measures.seen) == 1
    assert jobs(tmp_path) == []


def test_a_torn_line_of_a_log_costs_that_line(tmp_path):
    job, _ = planned(tmp_path, units(1, 1))
    job.append(FinishedUnit(unit=0, worker="one", seconds=1.0))
    with open(job.folder / "done" / "one.jsonl", "ab") as log:
        log.write(b'{"unit": 1, "wor')
    assert set(job.done()) == {0}
    with open(job.folder / "done" / "one.jsonl", "ab") as log:
        log.write(b'\n{"unit": 1, "worker": "one", "seconds": 2.0}\n')
    assert set(job.done()) == {0, 1}


def test_what_nobody_works_at_is_removed_unless_it_waits_for_workers(tmp_path):
    waiting, _ = planned(tmp_path, units(1))
    clean(tmp_path, ["other"])
    assert [job.folder for job in jobs(tmp_path)] == [waiting.folder]
    alone = Job.new(tmp_path)
    alone.write(Plan(words=[], config_dirs=[], cwd="/", code="", units=units(1), shared=False, timed=False))
    leases = Leases(alone.leases, new_worker(), 60)
    leases.open()
    clean(tmp_path, ["other"])
    assert len(jobs(tmp_path)) == 2, "one is at work"
    leases.close()
    clean(tmp_path, [])
    assert jobs(tmp_path) == []


def test_records_of_all_workers_are_one_run_in_the_order_of_the_plan(tmp_path):
    for name, clip, unit in (("b", "clip1", 1), ("a", "clip0", 0)):
        RecordFile(worker_file(tmp_path, name)).append(make("m", clip, [1.0], [1.0], worker=name, unit=unit))
    newer = make("m", "clip1", [2.0], [1.0], worker="a", unit=1, date="2026-01-02T00:00:01")
    RecordFile(worker_file(tmp_path, "a")).append(newer)
    found = load(tmp_path).records
    assert [record.clip for record in found] == ["clip0", "clip1"] and found[1].scores["psnr"].values == [2.0]


def test_no_plan_is_sealed_with_an_empty_key(tmp_path, monkeypatch):
    monkeypatch.delenv("BENCH_KEY")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    file = tmp_path / "home" / "bench" / "key"
    file.parent.mkdir(parents=True)
    file.touch()
    with pytest.raises(UserError, match="key: the key is empty; delete this file"):
        planned(tmp_path, units(1))
    file.unlink()
    job, plan = planned(tmp_path, units(1))
    assert job.plan(trusted=True) == plan and file.read_text()


def test_a_stop_is_not_written_through_a_link(tmp_path):
    job, _ = planned(tmp_path / "run", units(1))
    (job.folder / "stop").symlink_to(tmp_path / "mine")
    with pytest.raises(UserError, match="nothing is written through it"):
        job.stop()
    assert not (tmp_path / "mine").exists()


def test_a_plan_is_read_as_data_and_run_only_with_its_seal(tmp_path, monkeypatch):
    job, plan = planned(tmp_path, units(1))
    assert job.plan(trusted=True) == plan
    file = job.folder / "plan.json"
    file.write_text(file.read_text().replace('"words": []', '"words": ["method.command=touch /tmp/x"]'))
    assert job.plan().words == ["method.command=touch /tmp/x"]
    with pytest.raises(UserError, match="not made by you"):
        job.plan(trusted=True)
    monkeypatch.setenv("BENCH_KEY", "another")
    other, _ = planned(tmp_path, units(1))
    monkeypatch.setenv("BENCH_KEY", "of the tests")
    with pytest.raises(UserError, match="not made by you"):
        other.plan(trusted=True)
    file.write_text('{"seal": [], "units": 5}')
    with pytest.raises(UserError, match="not the plan of a run"):
        job.plan()


def test_a_clip_is_finished_once_whatever_its_units(tmp_path):
    """Of two methods upscaled apart, and scored together: two clips, of which one has its scores."""
    apart = [replace(unit, methods=[name]) for unit in units(1, 1) for name in "mn"]
    upscaling = [replace(unit, number=number, step="upscale") for number, unit in enumerate(apart)]
    scoring = [replace(unit, number=4 + unit.number, step="score") for unit in units(1, 1, methods="mn")]
    job, _ = planned(tmp_path, [*upscaling, *scoring])
    now = datetime.now().astimezone().isoformat()
    for number in range(4):
        job.append(FinishedUnit(unit=number, worker="x", seconds=60.0, ended=now))
    assert Watched(tmp_path)().clips_per_minute is None, "none is finished"
    job.append(FinishedUnit(unit=4, worker="x", seconds=60.0, ended=now))
    assert Watched(tmp_path)().clips_per_minute == pytest.approx(1.0, abs=0.1)
    job, _ = planned(tmp_path / "whole", [replace(unit, number=n, step="all") for n, unit in enumerate(apart)])
    for number in range(2):
        job.append(FinishedUnit(unit=number, worker="x", seconds=60.0, ended=now))
    assert Watched(tmp_path / "whole")().clips_per_minute == pytest.approx(1.0, abs=0.1)


def test_a_watch_reads_the_plan_once_and_of_the_logs_what_is_new(tmp_path, monkeypatch):
    """All of it every second would keep a core busy while others are timed on it."""
    job, _ = planned(tmp_path, units(1, 1, 1))
    watched, read = Watched(tmp_path), []
    plan, appended = Job.plan, job_module._appended
    monkeypatch.setattr(Job, "plan", lambda self: read.append("plan") or plan(self))
    monkeypatch.setattr(job_module, "_appended", lambda file, offset: read.append(offset) or appended(file, offset))
    for number in range(3):
        job.append(FinishedUnit(unit=number, worker="x", seconds=1.0))
        assert watched().done == number + 1
    assert read[:2] == ["plan", 0] and len(read) == 4 and 0 < read[2] < read[3]


def test_a_foreign_folder_s_logs_and_links_are_not_followed(tmp_path):
    """A log that never ends, units of no plan, and a `work` that leads out of the run."""
    job, _ = planned(tmp_path / "run", units(1))
    os.mkfifo(job.folder / "done" / "pipe.jsonl")
    (job.folder / "done" / "folder.jsonl").mkdir()
    job.append(FinishedUnit(unit=77, worker="x", seconds=float("nan"), ended=datetime.now().astimezone().isoformat()))
    state = Watched(tmp_path / "run")()
    assert state.total == 1 and state.clips_per_minute is None and state.left_s is None
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "work").symlink_to(tmp_path / "run" / "work")
    clean(tmp_path / "other", [])
    (tmp_path / "run" / "work" / "mine").mkdir()
    (tmp_path / "run" / "work" / "mine" / "plan.json").write_text("my holiday")
    clean(tmp_path / "run", [])
    assert jobs(tmp_path / "other") == [] and (tmp_path / "run" / "work" / "mine" / "plan.json").exists()
