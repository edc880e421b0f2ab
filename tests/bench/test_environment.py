"""Whether the code was modified: what a run writes itself is no modification. And the GPU's driver."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bench import environment
from bench.environment import is_modified


@pytest.fixture
def checkout(tmp_path):
    """A commit with code, a golden run and an ignored folder."""
    root = tmp_path / "project"
    for name in ("bench/run.py", "results/golden/sample/records.jsonl"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("as committed")
    (root / ".gitignore").write_text("build/\n")
    for words in ("init -q", "add .", "-c user.name=a -c user.email=a@b commit -q -m first"):
        subprocess.run(["git", "-C", root, *words.split()], check=True)
    return root


def test_a_clean_checkout_and_ignored_files_are_no_modification(checkout):
    (checkout / "build").mkdir()
    (checkout / "build" / "made").touch()
    assert is_modified(checkout) is False


@pytest.mark.parametrize("name", ["bench/run.py", "bench/new.py", "mine.yaml", "results.py", "a ü \n.py"])
def test_changed_and_new_files_are_one(checkout, name):
    (checkout / name).write_text("changed")
    assert is_modified(checkout) is True
    assert is_modified(checkout, [checkout / "out"]) is True


def test_a_golden_run_that_replaces_the_committed_one_is_none(checkout):
    golden = checkout / "results" / "golden" / "sample"
    (golden / "records.jsonl").unlink()
    (golden / "table.md").touch()
    assert is_modified(checkout, [golden]) is False


def test_new_files_of_the_runs_own_folder_are_none(checkout, monkeypatch):
    (checkout / "out" / "deep").mkdir(parents=True)
    (checkout / "out" / "deep" / "records.jsonl").touch()
    monkeypatch.chdir(checkout)
    assert is_modified(checkout) is True
    assert is_modified(checkout, [Path("out")]) is False


def test_tracked_files_below_the_runs_own_folder_still_count(checkout):
    """out=bench hides no change of the code."""
    (checkout / "bench" / "run.py").write_text("changed")
    assert is_modified(checkout, [checkout / "bench"]) is True


def test_a_removed_file_counts(checkout):
    (checkout / "bench" / "run.py").unlink()
    assert is_modified(checkout) is True


def test_without_git_it_is_not_known(tmp_path):
    assert is_modified(tmp_path) is None


def test_the_driver_is_named_once_on_a_machine_with_several_gpus(monkeypatch):
    card = SimpleNamespace(name="NVIDIA H200", total_memory=2**37, major=9, minor=0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91002)
    for told, driver in (("580.159.04\n580.159.04", "580.159.04"), (None, None)):
        monkeypatch.setattr(environment, "_output", lambda *command, told=told: told)
        assert environment._gpu("cuda")["driver"] == driver
