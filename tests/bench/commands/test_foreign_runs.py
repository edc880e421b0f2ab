"""A run folder from elsewhere is data: no command imports, builds or runs what it names."""

import ast
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.commands import frames, known
from bench.commands.run_config import RunConfig
from bench.config import compose
from bench.groups import members
from bench.store.record import GIVEN
from frames.errors import UserError
from frames.images import write_png
from tests.bench.made_up import make

ROOT = Path(__file__).parents[3]
COMMANDS = {
    "table": ["table", "RUN", "--signatures"],
    "plot": ["plot", "RUN", "--kind", "all"],
    "report": ["report", "RUN", "--all"],
    "compare-frames": ["compare-frames", "RUN", "--clip", "a", "--data", "set"],
    "runs": ["runs", "RUN"],
    "check": ["check", "RUN", "--against", "RUN"],
    "compare": ["compare", "RUN", "RUN"],
    "export": ["export", "RUN", "--out", "out.csv"],
    "paper": ["paper", "--conf", "declared", "--out", "built"],
}

BOMB = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join(9 * [f'*a{i - 1}'])}]\n" for i in range(1, 12))


@pytest.fixture
def payload(tmp_path, monkeypatch) -> Path:
    """The file that appears when somebody imports `payload`, calls something of it, or runs a shell command."""
    written = tmp_path / "PWNED"
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = f"open({str(written)!r}, 'w').close()\n"
    monkeypatch.delitem(sys.modules, "payload", raising=False)
    (tmp_path / "payload.py").write_text(f"{text}def go(*args, **options):\n    {text}    return None\n")
    return written


@pytest.fixture(params=["os.system", "payload.go"])
def hostile(request, tmp_path, payload) -> Path:
    """A run folder that names a program everywhere where a record or a configuration names something."""
    target, words = request.param, f"touch {payload}"
    bomb = {"_target_": target, "command": words}
    if target == "payload.go":
        bomb |= {"name": "bi", "root": str(tmp_path), "scale": 4}
    run = tmp_path / "run"
    run.mkdir()
    record = make("m", "a", [20.0, 21.0], [1.0])
    lines = [
        replace(record, timing={}, timing_reason=GIVEN, method_config=bomb, data_config=bomb | {"degradation": "bi"}),
        replace(record, data="n", prediction="../../x", method_config=bomb, data_config=bomb | {"degradation": bomb}),
        replace(record, data="o", prediction="0" * 64, data_config=bomb | {"degradation": "bi,~method"}),
    ]
    (run / "records.jsonl").write_text("".join(json.dumps(each.to_json()) + "\n" for each in lines))
    content = {"store": str(tmp_path / "store"), "degradation": bomb, "method": bomb, "data": bomb}
    (run / "config.yaml").write_text(json.dumps({"combinations": [{"data": "set", "method": "m", "config": content}]}))
    (run / "environment.json").write_text(json.dumps({"command": f"$({words})", "gpu": words, "packages": [words]}))
    (tmp_path / "declared").mkdir()
    (tmp_path / "declared" / "hostile.yaml").write_text(
        "kind: scores\ntitle: T\nsources: [{folder: run, command: x}]\nrows: [{label: M, method: m}]\n"
        "columns: [{data: set, title: Set, metrics: [psnr]}]\n"
    )
    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_runs_what_a_run_folder_names(bench, hostile, payload, command):
    answer = bench(*(str(hostile) if word == "RUN" else word for word in COMMANDS[command]))
    assert answer.code == 0 or "can be shown" in answer.err, answer.err
    assert not payload.exists() and "Traceback" not in answer.err


def test_a_configuration_with_python_tags_is_not_obeyed(bench, hostile, payload):
    (hostile / "config.yaml").write_text(f'combinations: !!python/object/apply:os.system ["touch {payload}"]\n')
    answer = bench("report", hostile)
    assert answer.code == 0 and not payload.exists()
    assert "config.yaml" in answer.err


@pytest.mark.parametrize(
    "text",
    ["", "[]", "a: [", "\t- x", "combinations: 3", "combinations: [3]", "combinations: [{data: d}]", "[" * 100_000]
    + ["combinations: &c [*c]", "\xff", BOMB, "x: !!bool abc", "x: !!timestamp abc", "? !!set {a}\n: 1"]
    + ["x: " + ":".join(["59"] * 200) + ".5"],
)
def test_a_damaged_configuration_is_one_line_and_the_page_is_written(bench, tmp_path, text):
    (tmp_path / "records.jsonl").write_text(json.dumps(make("m", "a", [20.0], [1.0]).to_json()) + "\n")
    (tmp_path / "config.yaml").write_text(text, encoding="latin-1")
    (tmp_path / "environment.json").write_text(text, encoding="latin-1")
    answer = bench("report", tmp_path)
    assert answer.code == 0 and (tmp_path / "page.html").is_file()
    for name in ("config.yaml", "environment.json"):
        assert sum(name in line for line in answer.err.splitlines()) == 1, answer.err


def test_a_record_names_a_data_set_of_this_installation_with_options_that_it_has(tmp_path, photo):
    write_png(tmp_path / "gt" / "a" / "00000000.png", photo[:64, :96])
    options = {"_target_": "bench.datasets.folder.Folder", "name": "mine", "domain": "vimeo", "root": None, "fps": None}
    options |= {"gt": str(tmp_path / "gt"), "frames": None, "clips": None, "degradation": "bi", "scale": 4}
    record = make("m", "a", [20.0], [1.0], data="mine", data_config=options)
    assert [clip.name for clip in known.open_dataset(record, {}).clips()] == ["a"]
    for change, message in (
        ({"payload": 1}, "no option 'payload'"),
        ({"gt": {"_target_": "os.system"}}, "not a plain value"),
        ({"clips": [["a"]]}, "not a plain value"),
        ({"degradation": "payload"}, "no degradation 'payload'"),
        ({"_target_": "os.system"}, "no data 'mine'"),
    ):
        with pytest.raises(UserError, match=message):
            known.open_dataset(replace(record, data_config=options | change), {})
    with pytest.raises(UserError, match="no option 'payload'"):
        known.open_dataset(record, {"payload": 1})


def test_a_key_of_the_store_is_a_hash_and_no_path(tmp_path):
    for prediction in ("../../x", "/etc", "A" * 64, ""):
        record = make("m", "a", [20.0], [1.0], prediction=prediction)
        (tmp_path / "records.jsonl").write_text(json.dumps(record.to_json()) + "\n")
        material = frames.RunFrames(tmp_path, tmp_path).material("set", "a")
        assert "neither in the store" in material.absent["sr:m"]


def test_a_folder_of_configs_of_ones_own_is_trusted_when_it_is_named(bench, tmp_path, photo):
    write_png(tmp_path / "gt" / "a" / "00000000.png", photo[:64, :96])
    (tmp_path / "conf" / "data").mkdir(parents=True)
    (tmp_path / "conf" / "data" / "mine.yaml").write_text(
        "_target_: tests.bench.commands.mine.Mine\nname: mine\nsummary: mine\ndomain: vimeo\n"
        f"root: null\ngt: {tmp_path / 'gt'}\nframes: null\nclips: null\nfps: null\n"
    )
    options = ("data=mine", "metrics=[psnr]", "timing=once", f"out={tmp_path / 'run'}")
    assert bench("run", *options, "--config-dir", tmp_path / "conf").code == 0
    assert "this installation has no data 'mine'" in bench("report", tmp_path / "run").err
    assert "no data" not in bench("report", tmp_path / "run", "--config-dir", tmp_path / "conf").err
    (tmp_path / "conf" / "data" / "empty.yaml").touch()
    members.cache_clear()
    assert "not at hand" not in bench("report", tmp_path / "run", "--config-dir", tmp_path / "conf").err
    (tmp_path / "conf" / "data" / "mine.yaml").write_text("")
    assert "data/mine.yaml: it is empty; " in bench("report", tmp_path / "run", "--config-dir", tmp_path / "conf").err


def test_reports_have_no_way_to_import_by_name():
    readers = [ROOT / "bench" / "commands" / f"{name}.py" for name in ("table", "plot", "check", "compare", "export")]
    readers += [ROOT / "bench" / "commands" / f"{name}.py" for name in ("runs", "gather", "frames", "report", "paper")]
    readers += [ROOT / "bench" / "commands" / f"{name}.py" for name in ("reading", "run_config", "compare_frames")]
    for room in ("report", "gate", "store"):
        readers += sorted((ROOT / "bench" / room).rglob("*.py"))
    forbidden = {"importlib.import_module", "hydra", "hydra.utils", "pickle", "runpy", "subprocess", "bench.config"}
    forbidden |= {"bench.run.plan", "bench.targets", "bench.targets.build", "omegaconf", "importlib"}
    for file in readers:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not forbidden & {each.name for each in node.names}, file
            if isinstance(node, ast.ImportFrom):
                names = {f"{node.module}.{each.name}" for each in node.names}
                assert not forbidden & ({node.module} | names) - {"importlib"}, file
            if isinstance(node, ast.Name):
                assert node.id not in ("eval", "exec", "__import__"), file


def test_an_empty_bench_store_is_as_good_as_none(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_STORE", "")
    assert RunConfig(tmp_path / "absent.yaml").store == Path("results/store")
    assert compose([]).store == "results/store" and compose(["store=null"]).store is None


def test_a_configuration_tells_the_store_and_the_degradations(tmp_path):
    (tmp_path / "config.yaml").write_text("combinations: [{data: d, config: {store: s, degradation: {name: bi}}}]")
    config = RunConfig(tmp_path / "config.yaml")
    assert config.store == Path("s")
    record = make("m", "a", [20.0], [1.0], data="d", data_config={"degradation": "bi"})
    assert config.degradation(record) == {"name": "bi"} and config.degradation(replace(record, data="e")) == {}


def test_a_worker_s_name_is_no_path_when_runs_are_merged(bench, tmp_path):
    """Names in a foreign folder become names of files again."""
    for name in ("one", "two"):
        run = tmp_path / name
        (run / "workers").mkdir(parents=True)
        record = make("m", name, [20.0], [1.0])
        (run / "records.jsonl").write_text(json.dumps(record.to_json()) + "\n")
        facts = {"name": "../../escaped", "host": "h", "device": "d", "began": "now"}
        (run / "workers" / "w.json").write_text(json.dumps(facts))
        os.mkfifo(run / "workers" / "pipe.json")
        (run / "workers" / "zero.json").symlink_to("/dev/zero")
    answer = bench("merge", tmp_path / "one", tmp_path / "two", "--out", tmp_path / "in" / "both")
    assert answer.code == 0 and not list(tmp_path.rglob("*escaped*"))


def test_an_environment_that_cannot_be_read_leaves_no_half_of_a_merged_run(bench, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        record = make("m", name, [20.0], [1.0])
        (tmp_path / name / "records.jsonl").write_text(json.dumps(record.to_json()) + "\n")
    (tmp_path / "one" / "environment.json").write_bytes(b"\xff\xff")
    answer = bench("merge", tmp_path / "one", tmp_path / "two", "--out", tmp_path / "both")
    assert answer.code == 3 and "environment.json" in answer.err and not (tmp_path / "both").exists()


def test_options_that_a_run_added_to_its_degradation_are_used_again(tmp_path, photo):
    write_png(tmp_path / "gt" / "a" / "00000000.png", photo[:64, :96])
    options = {"_target_": "bench.datasets.folder.Folder", "name": "folder", "domain": "vimeo", "degradation": "bd"}
    options |= {"root": None, "gt": str(tmp_path / "gt"), "frames": None, "clips": None, "fps": None, "scale": 4}
    record = make("m", "a", [20.0], [1.0], data="folder", data_config=options)
    (clip,) = known.open_dataset(record, {"name": "bd", "scale": 4, "sigma": 3.0}).clips()
    assert clip.lr_origin == "bd-x4-sigma3.0-size13 from GT"
    with pytest.raises(UserError, match="no option 'payload'"):
        known.open_dataset(record, {"payload": 1})
