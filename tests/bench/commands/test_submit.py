"""`submit` as a user meets it: what it writes, what it refuses, and names that are hostile."""

import json
from dataclasses import replace

import pytest

from bench.__main__ import main
from bench.groups import members
from bench.store.records import FILE, load, worker_file
from bench.store.workers import WorkerFacts, read_workers, write_worker
from frames.strict_yaml import read_mapping
from tests.bench.made_up import ENVIRONMENT, failed, make, run_folder

HOSTILE = "|`<img src=x onerror=alert(1)>`\n# x"


def cells(method="plain"):
    return [make(method, clip, [30.0, 31.0], [0.1, 0.1]) for clip in "ab"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_submission_is_a_run_folder_with_a_summary(place, capsys):
    run = run_folder(place / "mine", cells())
    assert main(["submit", "mine"]) == 0
    target = place / "results" / "submissions" / "mine"
    assert capsys.readouterr() == ("results/submissions/mine\n", "")
    assert {file.name for file in target.iterdir()} == {FILE, "environment.json", "summary.csv", "README.md"}
    assert load(target).records == load(run).records
    text = (target / "README.md").read_text()
    assert "# mine" in text and ENVIRONMENT["commit"] in text and "PSNR-Y" in text and "95 % interval" in text
    assert main(["table", str(target)]) == 0


def test_the_same_run_gives_the_same_bytes(place):
    run_folder(place / "mine", cells())
    assert main(["submit", "mine", "--name", "one"]) == main(["submit", "mine", "--name", "one", "--to", "again"]) == 0
    for file in (place / "again" / "one").iterdir():
        assert file.read_bytes() == (place / "results" / "submissions" / "one" / file.name).read_bytes()


def test_each_broken_rule_is_a_line_and_nothing_is_written(place, capsys):
    run_folder(place / "mine", [failed(cells()[0]), cells("sharp")[0]], ENVIRONMENT | {"dirty": True})
    assert main(["submit", "mine"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1] for line in said] == [
        " failed cells",
        " clips are missing",
        " the code was modified locally",
    ]
    assert not (place / "results").exists()


def test_a_set_that_is_a_part_of_another_by_its_own_configuration_is_complete(place, capsys):
    own = {key: read_mapping(members("data")["spmcs11"])[key] for key in ("_target_", "clips")}
    run_folder(place / "mine", [replace(record, data_config=own) for record in cells()])
    assert main(["submit", "mine"]) == 0
    run_folder(place / "fewer", [replace(r, data_config=own | {"clips": own["clips"][:2]}) for r in cells()])
    assert main(["submit", "fewer"]) == 1
    assert "clips were chosen: set with data.clips=" in capsys.readouterr().err


def test_damaged_lines_and_a_missing_environment_are_broken_rules(place, capsys):
    run = run_folder(place / "mine", cells(), None)
    (run / FILE).write_text("{no json}\n" + (run / FILE).read_text())
    assert main(["submit", "mine"]) == 1
    said = capsys.readouterr().err
    assert "damaged lines" in said and "the environment is not complete: there is none" in said


def test_workers_keep_their_files_and_environments(place):
    run = place / "crew"
    for worker, record in zip(("w1", "w2"), cells()):
        (run / "records").mkdir(parents=True, exist_ok=True)
        line = json.dumps(replace(record, worker=worker).to_json())
        worker_file(run, worker).write_text(line + "\n")
        write_worker(run, WorkerFacts(name=worker, host=worker, device="cpu", began="", environment=ENVIRONMENT))
    write_worker(run, WorkerFacts(name="idle", host="h", device="cpu", began=""))
    assert main(["submit", "crew"]) == 0
    target = place / "results" / "submissions" / "crew"
    assert load(target).records == load(run).records and set(read_workers(target)) == {"w1", "w2"}


def test_a_workers_name_is_no_path(place, capsys):
    """A record may say that its worker is `../../x`."""
    run_folder(place / "mine", [replace(record, worker="../../../x") for record in cells()])
    (place / "mine" / "workers").mkdir()
    facts = {"name": "../../../x", "host": "h", "device": "d", "began": "", "environment": ENVIRONMENT}
    (place / "mine" / "workers" / "x.json").write_text(json.dumps(facts))
    assert main(["submit", "mine"]) == 1
    assert "the environment of worker ../../../x is not complete: there is none" in capsys.readouterr().err
    assert not list(place.rglob("x.jsonl"))


def test_hostile_names_are_text_in_the_summary(place):
    environment = ENVIRONMENT | {"command": HOSTILE}
    run_folder(place / "mine", [replace(record, method=HOSTILE) for record in cells()], environment)
    assert main(["submit", "mine"]) == 0
    text = (place / "results" / "submissions" / "mine" / "README.md").read_text()
    table = text[text.index("###") :]
    assert "<img" not in table and "\n# x" not in text
    assert [line for line in text.splitlines() if "<img" in line][0].startswith("    command: ")


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "é", "x" * 65, "a\nb"])
def test_a_name_is_no_path(place, capsys, name):
    run_folder(place / "mine", cells())
    assert main(["submit", "mine", f"--name={name}"]) == 3
    assert "choose another name" in capsys.readouterr().err


def test_an_older_submission_is_never_replaced(place, capsys):
    run_folder(place / "mine", cells())
    assert main(["submit", "mine"]) == 0
    assert main(["submit", "mine"]) == 3
    assert "choose another --name" in capsys.readouterr().err


def test_a_path_of_this_machine_is_told(place, capsys):
    run_folder(place / "mine", [replace(record, data_config={"root": "/home/me/Vid4"}) for record in cells()])
    assert main(["submit", "mine"]) == 0
    assert "data.root=/home/me/Vid4" in capsys.readouterr().err


def test_what_is_no_run_is_one_line(place, capsys):
    (place / "empty").mkdir()
    run_folder(place / "none", [])
    (place / "none" / FILE).touch()
    assert main(["submit", "empty"]) == 3 and main(["submit", "none"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
