"""LR frames against the degradation that the configuration names, and the command that looks at a set's."""

import numpy as np
import pytest
from skimage import data

from bench.doctor.lr import examine_lr
from frames.degradations.once import Once
from frames.images import write_png

GT = np.stack([data.astronaut()[at : at + 480, :480] for at in (0, 4)])


@pytest.fixture
def real(tmp_path, monkeypatch):
    """The working folder: lr and gt with two clips, of which one is clean and one compressed."""
    monkeypatch.chdir(tmp_path)
    for clip, degrade in {"clean": Once(), "coded": Once(crf=34)}.items():
        lr = degrade(GT, np.random.default_rng(0))
        for index in range(2):
            write_png(tmp_path / "lr" / clip / f"{index:04d}.png", lr[index])
            write_png(tmp_path / "gt" / clip / f"{index:04d}.png", GT[index])
    return tmp_path


@pytest.mark.parametrize("given, remedy", [(True, "write degradation=given"), (False, "GT looks like that")])
def test_bicubic_frames_that_look_compressed_are_a_finding_with_a_remedy(given, remedy):
    finding = examine_lr("compressed", "bi", given)
    assert finding.kind == "input" and "LR frames look compressed, but degradation=bi" in finding.text
    assert remedy in finding.text and "\n" not in finding.text


@pytest.mark.parametrize(
    "kind, degradation", [("clean", "bi"), ("blurred", "bd"), ("noisy", "given"), ("mixed", "realbasicvsr")]
)
def test_what_the_degradation_says_is_no_finding(kind, degradation):
    assert examine_lr(kind, degradation, given=True) is None


def test_the_command_names_the_clip_the_measures_and_the_remedy(bench, real):
    answer = bench("doctor", "folder", "data.root=lr", "data.gt=gt")
    assert answer.code == 1, answer.err
    lines = answer.out.splitlines()
    assert lines[0].startswith("clean: LR frames (given): clean (noise of ") and "block grid" in lines[0]
    assert lines[1].startswith("coded: LR frames (given): compressed (") and len(lines) == 3
    assert "input: LR frames look compressed" in lines[2] and "method=turbovsr_real" in lines[2]


def test_declared_frames_are_healthy(bench, real):
    answer = bench("doctor", "folder", "data.root=lr", "data.gt=gt", "degradation=given")
    assert answer.code == 0 and "coded: LR frames (given): compressed (" in answer.out and "input:" not in answer.out


def test_names_that_would_move_the_cursor_are_shown_escaped(bench, real):
    for name in ("lr", "gt"):
        (real / name / "clean").rename(real / name / "c\x1b[2J")
    file = next((real / "lr" / "coded").iterdir())
    file.write_bytes(b"")
    (real / "lr" / "coded").rename(real / "lr" / "d\x1b[2J")
    answer = bench("doctor", "folder", "data.root=lr", "degradation=given")
    assert answer.out.startswith("c\\x1b[2J: LR frames (given)") and answer.err.startswith("d\\x1b[2J: ")
    assert "\x1b" not in answer.out + answer.err


def test_gt_alone_is_judged_by_the_frames_that_are_made_of_it(bench, real):
    assert bench("doctor", "folder", "data.gt=gt", "data.clips=[clean]").code == 0


def test_flags_may_stand_between_the_words(bench, real, tmp_path):
    (tmp_path / "mine").mkdir()
    flag = ("--config-dir", str(tmp_path / "mine"))
    words = ("folder", "data.gt=gt", "data.clips=[clean]")
    for place in range(4):
        answer = bench("doctor", *words[:place], *flag, *words[place:])
        assert answer.code == 0 and "clean" in answer.out, answer.err


@pytest.mark.parametrize(
    "words, says",
    [
        ((), "give --pred and --gt, or a data set"),
        (("folder", "--gt", "gt"), "not both"),
        (("foldr",), "did you mean 'folder'"),
        (("sample", "vid4"), "takes one"),
        (("folder", "data.root=nowhere"), "nowhere: not there"),
    ],
)
def test_a_mistake_is_one_line(bench, real, words, says):
    answer = bench("doctor", *words)
    assert answer.code == 3 and says in answer.err and "Traceback" not in answer.err
