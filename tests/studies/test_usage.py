"""Mistakes on the command line of every study: one line, and exit code 3, as for `bench` and `turbovsr`."""

import runpy
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [file for file in sorted((ROOT / "studies").rglob("*.py")) if "\nif __name__ == " in file.read_text()]
STUDIES = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__") for file in FILES]
NOWHERE = {
    "ablation": [["--weights", "nowhere"], ["--out", "nowhere/found.json"]],
    "attack": [["--state", "nowhere/cases"], ["--keep", "a-file"]],
    "blends": [["method=nowhere", "data=sample"], ["method=bicubic", "data=sample", "--with", "nowhere"]],
    "chunks": [["--only", "tiles", "--weights", "nowhere"]],
    "claims": [["--report", "nowhere"], ["--so-far", "--work", "nowhere"]],
    "colours": [["method=nowhere", "data=sample"], ["method=bicubic", "data=nowhere"]],
    "crashes": [["--state", "nowhere/kills"]],
    "exported": [["--weights", "nowhere"]],
    "extras": [["nowhere"]],
    "gpu": [["check", "--tiny", "--device", "cpu", "--out", "a-file"], ["check", "--tiny", "--device", "nowhere"]],
    "input_quality": [["check", "--gt", "nowhere"], ["check", "--gt", "empty"], ["fit", "nowhere"], ["fit", "empty"]],
    "layers": [["data=nowhere"], ["data=folder", "data.gt=nowhere"], ["data=sample", "--weights", "nowhere"]],
    "metrics": [["--json", "nowhere/found.json"]],
    "overhead": [["--device", "nowhere"]],
    "page": [["nowhere"]],
    "pairs": [["out", "--data", "nowhere"], ["a-file", "--data", "empty"], ["out", "--data", "empty"]],
    "training_data": [
        ["out", "--packages", "nowhere"],
        ["out", "--packages", "empty"],
        ["a-file", "--packages", "empty"],
    ],
    "video_kills": [["--codec", "nowhere"]],
    "workers": [["leases", "--out", "a-file"], ["simulate", "--out", "a-file"], ["efficiency", "--out", "a-file"]],
}
"""Options of studies that name something which is not there."""


@pytest.fixture
def study(monkeypatch, capfd, tmp_path):
    """`study("metrics", "--json", ...)` -> exit code and standard error of `python -m studies.metrics --json ...`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Path("a-file").write_text("no folder\n")
    Path("empty").mkdir()

    def run(module: str, *words: str) -> tuple[int, str]:
        for name in ("argv", "stdout", "stderr"):
            monkeypatch.setattr(sys, name, [module, *words] if name == "argv" else getattr(sys, name))
        with warnings.catch_warnings(), pytest.raises(SystemExit) as end:
            warnings.simplefilter("ignore", RuntimeWarning)  # the module has been imported by another test
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        sys.stderr.flush()
        return end.value.code, capfd.readouterr().err

    return run


@pytest.mark.parametrize("module", STUDIES)
def test_an_unknown_option_is_one_line(study, module):
    code, said = study(module, "--nonsense")
    assert code == 3 and said.count("\n") == 1 and f"see python -m {module}" in said, said


@pytest.mark.parametrize("name, words", [(name, words) for name, lists in NOWHERE.items() for words in lists])
def test_what_is_not_there_is_one_line_before_anything_is_measured(study, name, words):
    code, said = study(f"studies.{name}", *words)
    assert code == 3 and said.count("\n") == 1 and "unexpected" not in said, said
    assert any(word in said for word in ("nowhere", "a-file", "empty")), said
