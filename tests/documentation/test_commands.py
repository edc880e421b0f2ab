"""Every command in README and docs is run, in a folder where everything that it names exists in small."""

import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from documented import ROOT, Command, Written, documents, steps
from runners import run, small
from sandbox import build

from bench import assets, schema
from bench.commands import COMMANDS
from bench.store.records import load


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """The sandbox, built once; BENCH_STORE is shared, so that nothing is computed twice."""
    root = tmp_path_factory.mktemp("documents") / "sandbox"
    root.mkdir()
    before = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_STORE", str(root.parent / "store"))
        patch.chdir(root)
        build(root)
    assert Path.cwd() == before
    return root


@pytest.fixture
def sandbox(model, tmp_path, monkeypatch) -> Path:
    """A copy for one document, as working directory, data folder and place of one's own modules."""
    root = shutil.copytree(model, tmp_path / "sandbox", symlinks=True, ignore=shutil.ignore_patterns("data"))
    (root / "data").symlink_to(model / "data")
    monkeypatch.chdir(root)
    monkeypatch.setenv("BENCH_DATA", str(root / "data"))
    monkeypatch.setenv("BENCH_STORE", str(model.parent / "store"))
    monkeypatch.setenv("BENCH_KEY", "of the tests")
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # locks on cores: tests beside this one have workers, too
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.setattr(assets, "_download", lambda *_: pytest.fail("a documented command would use the network"))
    threads, modules = torch.get_num_threads(), set(sys.modules)
    yield root
    torch.set_num_threads(threads)
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", None) and Path(sys.modules[name].__file__).is_relative_to(root):
            del sys.modules[name]


def play(text: str, name: str, capfd) -> list[str]:
    """Do what a document says, from its first line to its last; returns what failed."""
    failed = []
    for step in steps(text, name):
        if isinstance(step, Written):
            Path(step.name).parent.mkdir(parents=True, exist_ok=True)
            Path(step.name).write_text(step.content)
            continue
        capfd.readouterr()
        try:
            run(step, lambda: "".join(capfd.readouterr()))
        except AssertionError as error:
            failed.append(str(error))
    return failed


def with_commands() -> list[Path]:
    return [file for file in documents() if any(isinstance(s, Command) for s in steps(file.read_text(), file.name))]


@pytest.mark.parametrize("document", with_commands(), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_command_of_a_document_runs(document, sandbox, capfd):
    failed = play(document.read_text(encoding="utf-8"), document.relative_to(ROOT).as_posix(), capfd)
    assert not failed, "\n\n".join(failed)


def test_what_documents_gate_in_ci_measures_every_method_of_the_golden_run():
    """A golden method that a run lacks is missing, and the gate fails. `test_commands` takes any verdict there."""
    golden = {record.method for record in load(ROOT / "results" / "golden" / "sample").records}
    for name in ("README.md", "docs/gate.md", "Makefile"):
        text = (ROOT / name).read_text(encoding="utf-8")
        gated = re.findall(r"method=(\S+) data=sample metrics=\[psnr,ssim,lpips-alex\]", text)
        assert gated and all(set(methods.split(",")) == golden for methods in gated), name


@pytest.mark.parametrize(
    "line, says",
    [
        (
            "python -m bench table MY_RUN",
            "MY_RUN: unknown placeholder; name a path that tests/documentation/sandbox.py has",
        ),
        ("python -m bench run data=vid4 data.root=path/to/nowhere", "exit code 3"),
        ("python -m bench table RUN --colour", "exit code 3"),
        ("python -m bench runn", "did you mean 'run'"),
        ("python -m somewhere.else", "no rule for python -m somewhere.else"),
        ("curl example.org", "no rule for 'curl'"),
        ("make nothing-of-the-kind", "make --dry-run failed"),
        ("pip install .[none]", "unknown extras"),
        ("python -m studies.metrics --no-such-flag", "has no flag --no-such-flag"),
        ("python -m turbovsr.nowhere", "no rule for python -m turbovsr.nowhere"),
        ("python -m studies.nowhere", "there is no module studies.nowhere"),
    ],
)
def test_a_command_that_cannot_be_run_fails_with_what_to_do(line, says, sandbox, capfd):
    failed = play(f"Text.\n\n```sh\n{line}\n```\n", "some.md", capfd)
    assert len(failed) == 1 and failed[0].startswith(f"some.md:3: {line}") and says in failed[0], failed


def test_commands_are_found_in_blocks_and_in_text_and_files_by_their_title():
    text = """Type `python -m bench list`, or `make demo`; `make` alone and `data=vid4` are no commands.

```sh
$ python -m bench run \\
    method=bicubic  # a comment
torchrun -m x
```

```text
python -m bench list
```

```
output of something
python -m bench data
```

```yaml title="mine/x.yaml"
a: 1
```
"""
    found = list(steps(text, "a.md"))
    assert [step.text for step in found if isinstance(step, Command)] == [
        "python -m bench list",
        "make demo",
        "python -m bench run method=bicubic",
        "torchrun -m x",
        "python -m bench data",
    ]
    assert found[-1] == Written("a.md:18", "mine/x.yaml", "a: 1\n")


def test_a_run_is_made_small_but_keeps_what_the_document_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ["run", "data=sample", "data.frames=5", "out=o"]
    assert small(given) == [*given, "timing=once", "metrics=[psnr]", "data.clips=[city]"]
    given = ["run", "data=vid4,sample", "metrics=[ssim]"]
    assert small(given) == [*given, "timing=once", "data.frames=1", "out=results/runs/0"]


def test_every_command_and_every_option_of_the_root_is_documented():
    text = "\n".join(file.read_text(encoding="utf-8") for file in documents())
    missing = [command for command in COMMANDS if f"bench {command}" not in text]
    missing += [key for key in schema.Root.__dataclass_fields__ if f"{key}=" not in text]
    assert not missing
