"""Leases: one of many wins, the dead are followed, nothing of what is done stays in the folder."""

import errno
import os
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from bench.run.leases import Leases, WorkerIdentity, alive, living, taken, time_of
from bench.run.runner import new_worker
from bench.store.owner import this_process
from tests.full_disk import largest_file


def worker(name="one", host="elsewhere", pid=1, began=1):
    return WorkerIdentity(name=name, host=host, pid=pid, began=began, device="cores 0")


def opened(folder, *names, expiry_s=60.0, **who):
    found = [Leases(folder, worker(name, **who), expiry_s) for name in names]
    for each in found:
        each.open()
    return found


def ended():
    """(host, pid, began) of a process that has ended."""
    host, _, _ = this_process()
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return {"host": host, "pid": process.pid, "began": 5}


def test_one_of_many_wins_and_a_released_unit_is_free(tmp_path):
    one, two = opened(tmp_path, "one", "two")
    lease = one.claim("7")
    assert lease and lease.attempt == 1 and two.claim("7") is None and taken(tmp_path) == {"7": 1}
    assert one.holds(lease)
    one.release(lease)
    assert taken(tmp_path) == {} and two.claim("7")


def test_without_hard_links_files_are_made_exclusively(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    one, two = opened(tmp_path, "one", "two")
    lease = one.claim("7")
    assert lease and two.claim("7") is None and one.holds(lease)
    one.release(lease)
    assert two.claim("7")


def test_an_answer_that_the_network_lost_is_no_defeat(tmp_path, monkeypatch):
    (one,) = opened(tmp_path, "one")
    link = os.link

    def told_twice(source, target):
        link(source, target)
        raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(os, "link", told_twice)
    assert one.claim("7")


def test_a_lease_that_is_released_while_it_is_compared_is_no_error(tmp_path, monkeypatch):
    one, two = opened(tmp_path, "one", "two")
    lease, same = one.claim("7"), os.path.samefile

    def released_first(*files):
        one.release(lease)
        return same(*files)

    monkeypatch.setattr(os.path, "samefile", released_first)
    assert two.claim("7") is None
    assert two.claim("7")


def test_a_silent_worker_of_another_machine_is_dead_after_a_while(tmp_path):
    one, two = opened(tmp_path, "one", "two")
    one.claim("7")
    assert two.reclaim("7", 1) is None
    os.utime(tmp_path / "7.1", (0, 0))
    again = two.reclaim("7", 1)
    assert again and again.attempt == 2 and [each.name for each in two.dead_at(again)] == ["one"]


def test_the_process_of_another_system_of_the_same_name_is_not_looked_for_here(tmp_path):
    one = Leases(tmp_path, replace(new_worker(), name="one", pid=ended()["pid"], system="another"), 60.0)
    one.open()
    one.claim("7")
    (two,) = opened(tmp_path, "two")
    assert two.reclaim("7", 1) is None and alive(one.worker, tmp_path / "7.1", 60.0, time_of(tmp_path))
    os.utime(tmp_path / "7.1", (0, 0))
    assert two.reclaim("7", 1), "its heartbeat tells"


def test_the_one_that_was_taken_for_dead_notices(tmp_path):
    one, two = opened(tmp_path, "one", "two")
    lease = one.claim("7")
    os.utime(tmp_path / "7.1", (0, 0))
    again = two.reclaim("7", 1)
    assert not one.holds(lease) and two.holds(again)
    two.release(again)
    assert taken(tmp_path) == {} and not one.holds(lease)


def test_a_heartbeat_keeps_what_is_held(tmp_path):
    one, two = opened(tmp_path, "one", "two")
    one.claim("7")
    os.utime(tmp_path / "7.1", (0, 0))
    one.beat()
    assert two.reclaim("7", 1) is None


def test_a_process_of_this_machine_that_has_ended_is_dead_at_once(tmp_path):
    (one,) = opened(tmp_path, "one", **ended())
    (two,) = opened(tmp_path, "two")
    one.claim("7")
    assert two.reclaim("7", 1)


def test_a_worker_that_ends_in_good_order_leaves_nothing(tmp_path):
    (one,) = opened(tmp_path, "one")
    one.claim("7")
    one.close()
    assert list(tmp_path.iterdir()) == []


def test_who_is_alive(tmp_path):
    host, pid, began = this_process()
    (here,) = opened(tmp_path, "here", host=host, pid=pid, began=began)
    assert living(tmp_path, 60)
    here.close()
    assert not living(tmp_path, 60)
    opened(tmp_path, "elsewhere")
    file = tmp_path / ".worker-elsewhere"
    assert alive(worker("elsewhere"), file, 60, time_of(tmp_path))
    os.utime(file, (0, time.time() - 100))
    assert not alive(worker("elsewhere"), file, 60, time_of(tmp_path))


def test_times_are_those_of_the_file_server_whatever_this_machine_s_clock_says(tmp_path, monkeypatch):
    opened(tmp_path, "elsewhere")
    names = os.listdir(tmp_path)
    for clock in (5.0, 1e11):
        monkeypatch.setattr("bench.run.leases.time", SimpleNamespace(time=lambda clock=clock: clock))
        assert living(tmp_path, 60)
        os.utime(tmp_path / ".worker-elsewhere", (0, 1e9))
        assert not living(tmp_path, 60)
        os.utime(tmp_path / ".worker-elsewhere")
    assert os.listdir(tmp_path) == names


def test_where_no_file_can_be_made_the_time_is_this_machine_s(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.run.leases.time", SimpleNamespace(time=lambda: 5.0))
    assert time_of(tmp_path / "gone") == 5.0


def test_a_worker_that_the_disk_has_no_room_for_leaves_no_part_of_its_file(tmp_path):
    with largest_file(10), pytest.raises(OSError, match=r"\.worker-one"):
        opened(tmp_path, "one")
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_leases_are_passed_over(tmp_path):
    (one,) = opened(tmp_path, "one")
    for name in ("notes.txt", ".nfs000", "x."):
        (tmp_path / name).write_text("?")
    assert taken(tmp_path) == {}
    (tmp_path / "7.1").write_text("not a worker")
    os.utime(tmp_path / "7.1", (0, 0))
    assert one.reclaim("7", 1) and one.dead_at(one.claim("7", 3)) != []


@pytest.mark.parametrize("count", [4])
def test_processes_that_claim_at_once_never_share_a_unit(tmp_path, count):
    code = (
        "import sys; from pathlib import Path; from bench.run.leases import Leases, WorkerIdentity\n"
        "leases = Leases(Path(sys.argv[1]), WorkerIdentity(name=sys.argv[2], host='h', pid=1, began=1), 60)\n"
        "leases.open()\n"
        "print(*[unit for unit in range(300) if leases.claim(str(unit))])"
    )
    command = [sys.executable, "-c", code, tmp_path / "leases"]
    children = [subprocess.Popen([*command, f"w{n}"], stdout=subprocess.PIPE, text=True) for n in range(count)]
    got = [child.communicate(timeout=600)[0].split() for child in children]
    assert sorted(int(unit) for each in got for unit in each) == list(range(300))


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)], ids=["pipe", "folder", "device"]
)
def test_what_is_no_lease_is_nobody_s_and_nothing_waits(tmp_path, make):
    make(tmp_path / ".worker-x")
    make(tmp_path / "7.1")
    (tmp_path / "8.²").touch()
    (tmp_path / "9.1").write_text("[" * 4000)
    assert taken(tmp_path) == {"7": 1, "9": 1} and not living(tmp_path, 60.0)
    (tmp_path / "file").touch()
    assert taken(tmp_path / "file") == {}
