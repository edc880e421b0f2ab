"""`envelope` as a user meets it, with trials by formula in the place of processes."""

import json

import pytest

from bench.__main__ import main
from bench.envelope import process
from bench.envelope.request import Answer
from tests.bench.envelope.stand_in import KnownCost

WORDS = ["method=bicubic", "device=cpu", "memory=2GB"]


@pytest.fixture
def envelope(tmp_path, monkeypatch, capfd):
    """`envelope(run, "axes=clip", ...)` -> (exit code, stdout, stderr); in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(run, *words):
        monkeypatch.setattr(process, "Runner", lambda limit_s: run)
        keys = {word.partition("=")[0] for word in words}
        code = main(["envelope", *(word for word in WORDS if word.partition("=")[0] not in keys), *words])
        return code, *capfd.readouterr()

    return call


def test_the_folder_has_trials_figures_a_table_and_a_plot(envelope, tmp_path):
    code, out, err = envelope(KnownCost())
    folder = tmp_path / "results" / "envelopes" / "bicubic-cpu"
    assert code == 0 and "results in results/envelopes/bicubic-cpu" in err
    names = {file.name for file in folder.iterdir()}
    assert names == {"trials.jsonl", "envelope.json", "envelope.md", "envelope.png", "envelope.svg"}
    content = json.loads((folder / "envelope.json").read_text())
    (found,) = content["envelopes"]
    assert content["schema"] == 1 and content["command"].endswith(" ".join(WORDS))
    assert found["axes"][0]["laws"]["memory"]["exponent"] == pytest.approx(1.5)
    assert "out of memory" in out and "^1.50 [1.50, 1.50]" in (folder / "envelope.md").read_text()


def test_the_same_trials_give_the_same_bytes(envelope, tmp_path):
    envelope(KnownCost())
    folder = tmp_path / "results" / "envelopes" / "bicubic-cpu"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    code, _, err = envelope(KnownCost())
    assert code == 0 and err.count("bicubic:") == 1  # loading; no trial
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_ctrl_c_keeps_what_was_measured(envelope, tmp_path):
    code, out, err = envelope(KnownCost(interrupt_after=5), "out=here")
    assert code == 130 and "the same command with out=here continues" in err and "at least" in out
    assert len((tmp_path / "here" / "trials.jsonl").read_text().splitlines()) == 4
    assert (tmp_path / "here" / "envelope.json").is_file()


def test_the_plan_is_printed_and_nothing_is_done(envelope, tmp_path):
    code, out, _ = envelope(KnownCost(), "--dry-run", "axes=clip", "size=640x360")
    assert code == 0 and "bicubic on cpu, scope tensors: at most 2 GB" in out and "1 frame of 640x360" in out
    assert not list(tmp_path.iterdir())


def test_where_nothing_fits_nothing_was_measured(envelope):
    code, out, err = envelope(KnownCost(), "memory=64MiB")
    assert code == 2 and "none" in out and "nothing fits" in err


class WithoutLanczos(KnownCost):
    """Every trial of lanczos has one answer."""

    def __init__(self, **answer):
        super().__init__()
        self.answer = Answer(**answer)

    def __call__(self, request):
        return self.answer if "lanczos" in request.settings.method.values() else super().__call__(request)


def test_a_method_that_does_not_fit_when_it_is_loaded_is_no_error(envelope):
    large = WithoutLanczos(outcome="memory", reason="MemoryError")
    code, _, err = envelope(large, "method=lanczos")
    assert code == 2 and "lanczos: out of memory: MemoryError" in err and "nothing fits into memory=" in err
    code, out, err = envelope(large, "method=lanczos,bicubic", "out=both")
    assert code == 0 and "lanczos: out of memory" in err and "bicubic" in out


def test_a_method_that_cannot_be_loaded_is_an_error_and_the_others_are_kept(envelope):
    choosy = WithoutLanczos(outcome="failed", reason="no weights here")
    code, out, err = envelope(choosy, "method=lanczos,bicubic")
    assert code == 3 and "lanczos: failed: no weights here" in err and "bicubic" in out


@pytest.mark.parametrize(
    "words, said",
    [
        (["data=vid4"], "makes its own frames"),
        (["method=bicubik"], "did you mean 'bicubic'?"),
        (["timing.scopes=[tensors,files]"], "timing.scopes=[tensors,files]: an envelope is of one scope"),
        (["memory=8"], "with its unit"),
        (["out=file"], "it is a file"),
        (["out=broken"], "broken/trials.jsonl, line 1: no trial"),
        (["--fast"], "unknown flag --fast"),
    ],
)
def test_bad_input_is_one_line(envelope, tmp_path, words, said):
    (tmp_path / "file").touch()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "trials.jsonl").write_text("{}\n{}\n")
    code, _, err = envelope(KnownCost(), *words)
    assert code == 3 and said in err and err.count("\n") == 1
