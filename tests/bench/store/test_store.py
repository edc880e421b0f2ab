"""The content-addressed store: complete entries or none, reuse by key, damage noticed and healed, pruning by rule."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest

from bench.store import prediction as predictions
from bench.store.entries import Damaged, read_entry
from bench.store.keys import frames_digest
from bench.store.owner import owner, temporary_name
from bench.store.pruning import prune
from bench.store.record import Descriptor, DoctorFinding
from bench.store.store import MARKER, Store, StoredFindings, StoredScores, StoredTimes
from bench.timing.results import Repetition, Timing
from frames.errors import UserError

KEY, OTHER, NEW = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (6, 8, 3), dtype=np.uint8) for _ in range(3)]


@pytest.fixture
def said():
    return []


@pytest.fixture
def store(tmp_path, said):
    return Store(tmp_path / "store", said.append)


def times(sha="digest", seconds=1.5):
    timing = Timing(scope="tensors", clock="c", warmup=1, first_call_s=2.0, repetitions=[Repetition(total_s=seconds)])
    descriptor = Descriptor(dtype="float32", weights="none")
    return StoredTimes(descriptor=descriptor, sr_sha256=sha, timing={"tensors": timing}, timed="now")


def kept(store, frames, key=KEY):
    store.keep_prediction(key, frames, frames_digest(frames))
    return store.root / "predictions" / key


def test_frames_come_back_bit_by_bit(store, frames):
    kept(store, frames)
    found = store.prediction(KEY)
    assert (found.sr_sha256, found.frames) == (frames_digest(frames), 3)
    assert all(np.array_equal(a, b) for a, b in zip(found, frames, strict=True))
    assert store.prediction(OTHER) is None


def test_a_crash_while_writing_leaves_no_entry_and_no_rest(store, frames):
    def breaking():
        yield frames[0]
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        store.keep_prediction(KEY, breaking(), "digest")
    assert store.prediction(KEY) is None and not list((store.root / "predictions").iterdir())


def test_keeping_again_replaces(store, frames):
    kept(store, frames)
    kept(store, frames[:1])
    assert (store.prediction(KEY).sr_sha256, store.prediction(KEY).frames) == (frames_digest(frames[:1]), 1)
    assert [path.name for path in (store.root / "predictions").iterdir()] == [KEY]


def test_times_scores_and_findings_by_key(store):
    finding = DoctorFinding(kind="shift", text="moved", evidence="1 dB")
    store.keep_times(KEY, times())
    store.keep_scores(KEY, StoredScores([1.5, float("inf"), float("-inf")]))
    store.keep_scores(OTHER, StoredScores(None, "too dark"))
    store.keep_findings(NEW, StoredFindings([finding]))
    assert store.times(KEY) == times() and store.times(OTHER) is None
    assert store.scores(KEY, 3) == StoredScores([1.5, float("inf"), float("-inf")])
    assert store.scores(OTHER, 3) == StoredScores(None, "too dark")
    assert store.findings(NEW).findings == [finding]


def changed_digit(file):
    file.write_text(file.read_text().replace("1.5", "1.6"))


def unknown_field(file):
    file.write_text(json.dumps(json.loads(file.read_text()) | {"more": 1}))


def renamed(file):
    shutil.copy(file, file.with_name(f"{OTHER}.json"))
    shutil.move(file.with_name(f"{OTHER}.json"), file)
    entry = json.loads(file.read_text())
    other = file.with_name(f"{NEW}.json")
    other.write_text(json.dumps(entry))
    os.replace(other, file.with_name(f"{KEY}.json"))
    file.write_text(json.dumps(entry | {"sha256": "0" * 64}))


DAMAGE = {
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:-5]),
    "empty": lambda file: file.write_bytes(b""),
    "a digit changed": changed_digit,
    "a byte that is not UTF-8": lambda file: file.write_bytes(file.read_bytes().replace(b"1.5", b"1.\xff")),
    "a list": lambda file: file.write_text("[1]"),
    "an unknown field": unknown_field,
    "another checksum": renamed,
    "deep nesting": lambda file: file.write_text("[" * 100_000),
    "a number": lambda file: file.write_text("7"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("kind", ["times", "scores"])
def test_a_damaged_entry_is_set_aside_said_in_one_line_and_made_anew(store, said, kind, damage):
    def keep():
        store.keep_times(KEY, times()) if kind == "times" else store.keep_scores(KEY, StoredScores([1.5]))

    def read():
        return store.times(KEY) if kind == "times" else store.scores(KEY, 1)

    keep()
    file = store.root / kind / f"{KEY}.json"
    DAMAGE[damage](file)
    assert read() is None and not file.exists()
    assert len(said) == 1 and str(file) in said[0] and "set aside and computed again" in said[0]
    assert read() is None and len(said) == 1
    keep()
    assert read() is not None and len(list((store.root / "damaged").iterdir())) == 1


def test_an_entry_under_another_name_is_noticed(store, said):
    store.keep_scores(KEY, StoredScores([1.5]))
    shutil.copy(store.root / "scores" / f"{KEY}.json", store.root / "scores" / f"{OTHER}.json")
    assert store.scores(OTHER, 1) is None and "checksum" in said[0]


def test_scores_of_another_number_of_frames_are_damage(store, said):
    store.keep_scores(KEY, StoredScores([1.5]))
    assert store.scores(KEY, 3) is None and "1 values where 3 are needed" in said[0]
    store.keep_scores(KEY, StoredScores(None))
    assert store.scores(KEY, 3) is None


def test_figures_that_no_record_takes_are_damage(store, said):
    store.keep_times(KEY, times(seconds=0.0))
    assert store.times(KEY) is None and "timing.tensors: there must be repetitions" in said[0]
    store.keep_times(KEY, replace(times(), macs=-1))
    assert store.times(KEY) is None and "macs must be at least 1" in said[1]
    for value in (1e200, float("nan")):
        store.keep_scores(KEY, StoredScores([1.5, value]))
        assert store.scores(KEY, 2) is None and "a value that is no score" in said.pop()


def test_entries_of_versions_without_checksums_are_made_anew_without_a_word(store, said):
    store.keep_scores(KEY, StoredScores([1.5]))
    (store.root / "scores" / f"{KEY}.json").write_text('{"frames": [1.5]}')
    assert store.scores(KEY, 1) is None and not said


def swapped(folder):
    one, other = folder / "00000000.png", folder / "00000001.png"
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def flipped(folder):
    file = folder / "00000001.png"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


FRAME_DAMAGE = {
    "swapped": swapped,
    "a flipped byte": flipped,
    "a missing file": lambda folder: (folder / "00000002.png").unlink(),
    "an empty file": lambda folder: (folder / "00000002.png").write_bytes(b""),
}


@pytest.mark.parametrize("damage", FRAME_DAMAGE)
def test_damaged_frames_are_noticed_when_they_are_read(store, frames, damage):
    folder = kept(store, frames)
    FRAME_DAMAGE[damage](folder)
    with pytest.raises(Damaged):
        store.prediction(KEY).check()


@pytest.mark.parametrize("damage", [lambda f: f.unlink(), lambda f: f.write_bytes(b""), lambda f: f.write_text("{")])
def test_frames_without_a_readable_description_are_set_aside(store, said, frames, damage):
    folder = kept(store, frames)
    damage(folder / "meta.json")
    assert store.prediction(KEY) is None and not folder.exists() and len(said) == 1
    kept(store, frames)
    assert store.prediction(KEY) is not None


def test_a_store_that_cannot_be_written_costs_the_reuse_alone_and_says_so_once(store, said, frames, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(predictions, "write_png", full)
    for key in (KEY, OTHER):
        store.keep_prediction(key, frames, frames_digest(frames))
    assert len(said) == 1 and "not kept for later runs" in said[0] and "No space left on device" in said[0]
    assert store.prediction(KEY) is None and not list((store.root / "predictions").iterdir())


def test_two_runs_that_keep_the_same_at_one_moment_both_succeed(store, said, frames, monkeypatch):
    rename = os.rename

    def later(source, target):
        monkeypatch.setattr(os, "rename", rename)
        kept(store, frames)  # the other run, after this one has seen that nothing is there
        rename(source, target)

    monkeypatch.setattr(os, "rename", later)
    kept(store, frames)
    assert not said and store.prediction(KEY) is not None
    assert [path.name for path in (store.root / "predictions").iterdir()] == [KEY]


def test_a_store_below_a_file_costs_the_reuse_alone(tmp_path, said, frames):
    (tmp_path / "file").write_text("x")
    store = Store(tmp_path / "file" / "store", said.append)
    with store.in_use():
        kept(store, frames)
        assert store.prediction(KEY) is None and store.scores(KEY, 1) is None
    assert any("not kept for later runs" in line for line in said)


def test_a_store_of_another_user_is_readable(store, frames, said, monkeypatch):
    kept(store, frames)
    store.keep_scores(KEY, StoredScores([1.5]))

    def refused(*arguments, **options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refused)
    assert store.prediction(KEY) is not None and store.scores(KEY, 1) is not None and not said


def test_a_store_of_nothing_keeps_nothing(frames):
    store = Store(None)
    with store.in_use():
        store.keep_prediction(KEY, frames, "d")
        store.keep_scores(KEY, StoredScores([1.0]))
        assert store.prediction(KEY) is None and store.scores(KEY, 1) is None


# Pruning


def aged(*paths, days=40):
    then = time.time() - days * 86400
    for path in paths:
        os.utime(path, (then, then))


def test_prune_removes_what_is_old(store, frames):
    old = kept(store, frames)
    kept(store, frames, NEW)
    store.keep_scores(KEY, StoredScores([1.0]))
    aged(old, store.root / "scores" / f"{KEY}.json")
    planned = prune(store.root, 30, dry_run=True)
    assert planned.entries == 2 and store.prediction(NEW) and store.root.joinpath("scores", f"{KEY}.json").exists()
    assert prune(store.root, 30) == planned
    assert [path.name for path in (store.root / "predictions").iterdir()] == [NEW]


def test_prune_touches_only_names_of_the_store_s_own_form(store, frames, tmp_path):
    kept(store, frames)
    own = [
        store.root / "scores" / "my_thesis.xlsx",
        store.root / "predictions" / "important" / "notes.txt",
        store.root / "predictions" / f"{KEY[:-1]}",
        store.root / "thesis.tex",
        store.root / "times" / ".tmp-mine",
    ]
    for file in own:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine")
        aged(file, file.parent)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("mine")
    (store.root / "predictions" / OTHER).symlink_to(tmp_path / "elsewhere")
    assert prune(store.root, 0).entries == 2  # the entry and the link
    assert all(file.exists() for file in own) and (tmp_path / "elsewhere" / "file").exists()


def test_prune_refuses_a_folder_that_is_no_store(tmp_path):
    (tmp_path / "predictions" / KEY).mkdir(parents=True)
    with pytest.raises(UserError, match="no store"):
        prune(tmp_path, 0)
    assert (tmp_path / "predictions" / KEY).exists() and prune(tmp_path / "absent", 0).entries == 0


@pytest.mark.parametrize("days", [float("nan"), -5.0, float("inf"), float("-inf")])
def test_prune_refuses_days_that_are_none(store, frames, days):
    kept(store, frames)
    with pytest.raises(UserError, match="at least 0"):
        prune(store.root, days)
    assert store.prediction(KEY)


def test_prune_keeps_what_a_living_process_writes_and_removes_what_a_dead_one_left(store, frames):
    kept(store, frames)
    code = "from bench.store.owner import temporary_name; print(temporary_name())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    living = temporary_name()
    for name in (dead, living):
        (store.root / "predictions" / name).mkdir()
    aged(store.root / "predictions" / living)
    assert (owner(dead), owner(living), owner(".tmp-other.host-1-1-" + "0" * 32)) == ("gone", "alive", "unknown")
    assert prune(store.root, 30).entries == 1
    assert (store.root / "predictions" / living).exists() and not (store.root / "predictions" / dead).exists()


def test_another_machines_temporary_entry_is_kept_for_an_hour_and_for_the_days(store, frames):
    kept(store, frames)
    entry = store.root / "predictions" / (".tmp-other.host-1-1-" + "0" * 32)
    entry.mkdir()
    prune(store.root, 0)
    assert entry.exists()
    os.utime(entry, (time.time() - 7200,) * 2)
    prune(store.root, 30)
    assert entry.exists()
    assert prune(store.root, 0).entries == 1 and not entry.exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a process's start is told by the clock")
def test_a_process_lives_on_when_the_clock_is_set(monkeypatch):
    name = temporary_name()
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: 1.0)
    assert owner(name) == "alive"


def test_prune_keeps_what_was_used_lately_while_a_run_works_with_the_store(store, frames):
    lately, long_ago = kept(store, frames), kept(store, frames, OTHER)
    aged(long_ago, days=1)
    with store.in_use():
        done = prune(store.root, 0)
        assert done.in_use and done.entries == 1 and lately.exists()
    assert prune(store.root, 0).entries == 1 and not lately.exists()
    assert (store.root / MARKER).exists()


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)], ids=["pipe", "folder", "device"]
)
def test_an_entry_that_is_no_file_is_damaged_and_nothing_waits_for_it(tmp_path, make):
    make(tmp_path / "entry.json")
    with pytest.raises(Damaged):
        read_entry(tmp_path / "entry.json", StoredScores)


def test_parts_of_one_prediction_are_read_together_until_they_are_dropped(store, said):
    assert store.parts(KEY) == {}
    assert store.keep_part(KEY, OTHER, {"psnr": {"one": 1.5, "two": float("inf")}})
    assert store.keep_part(KEY, NEW, {"psnr": {"three": 2.5}, "ssim": {"one": 0.5}})
    kept = {"psnr": {"one": 1.5, "two": float("inf"), "three": 2.5}, "ssim": {"one": 0.5}}
    assert Store(store.root).parts(KEY) == kept and store.parts(OTHER) == {}
    (store.root / "parts" / KEY / f"{NEW}.json").write_text("{")
    assert store.parts(KEY) == {"psnr": {"one": 1.5, "two": float("inf")}}
    assert len(said) == 1 and "set aside and computed again" in said[0]
    assert len(list((store.root / "damaged").iterdir())) == 1
    old = time.time() - 10 * 86400
    for path in (*(store.root / "damaged").iterdir(), store.root / "parts" / KEY):
        os.utime(path, (old, old))
    assert prune(store.root, days=5, dry_run=True).entries == 2
    store.drop_parts(KEY)
    assert store.parts(KEY) == {} and not (store.root / "parts" / KEY).exists()
    assert not Store(None).keep_part(KEY, OTHER, {}) and Store(None).parts(KEY) == {}
