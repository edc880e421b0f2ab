"""`data degrade` from the command line: written, continued, and one line for each mistake."""

import numpy as np
import pytest

from frames.images import write_png


@pytest.fixture
def gt(tmp_path):
    frame = np.arange(64 * 64 * 3, dtype=np.uint32).reshape(64, 64, 3) % 251
    for name in ("a", "b"):
        for index in range(2):
            write_png(tmp_path / "gt" / name / f"{index}.png", frame.astype(np.uint8))
    return tmp_path / "gt"


def test_it_writes_says_how_to_use_them_and_continues(bench, gt, tmp_path):
    words = ["data", "degrade", "folder", f"data.gt={gt}", "--degradation", "compressed", str(tmp_path / "lr")]
    first = bench(*words)
    assert first.code == 0 and "[2/2] b" in first.out and f"data=folder data.root={tmp_path / 'lr'}" in first.out
    assert "compressed-x4-crf28-25fps LR frames of folder" in first.out and "libx264 core" in first.out
    assert "a: there already" in bench(*words).out
    checked = bench("data", "verify", "folder", f"data.root={tmp_path / 'lr'}")
    assert checked.code == 0 and "no problems" in checked.out


@pytest.mark.parametrize(
    "words, use",
    [
        (["folder", "data.gt=GT"], "data=folder 'data.root=OUT' data.gt=GT"),
        (["images4k", "data.root=GT/a", "data.size=null"], "data=folder 'data.root=OUT', without GT"),
    ],
)
def test_it_names_only_uses_that_the_set_allows_in_words_for_a_shell(bench, gt, tmp_path, words, use):
    out = tmp_path / "LR frames"
    words = [word.replace("GT", str(gt)) for word in words]
    written = bench("data", "degrade", *words, "--degradation", "bi", str(out))
    assert written.code == 0 and f"to use them: {use}".replace("OUT", str(out)) in written.out, written.err


def test_a_refused_first_clip_is_named_and_costs_no_recipe(bench, gt, tmp_path):
    words = ["data", "degrade", "folder", f"data.gt={gt}", "--degradation", "bi", str(tmp_path / "lr")]
    assert bench(*words).code == 0
    (gt / "a" / "1.png").write_bytes(b"GIF89a")
    found = bench(*words)
    assert found.code == 3 and "clip a cannot be used: " in found.err and "1.png: " in found.err


def test_what_it_writes_is_found_under_the_clips_own_names(bench, gt, tmp_path):
    (gt / "a").rename(gt / "my clip (1)")
    lr = tmp_path / "lr"
    assert bench("data", "degrade", "folder", f"data.gt={gt}", "--degradation", "bd", str(lr)).code == 0
    shown = bench("data", "folder", f"data.root={lr}", f"data.gt={gt}")
    assert shown.code == 0 and "2 of 2 clips" in shown.out and "my clip (1)" in shown.out, shown.err


@pytest.mark.parametrize(
    "words, message",
    [
        (["folder"], "which set, and into which folder"),
        (["folder", "out", "data.root=LR"], "clip LR has LR frames already"),
        (["folder", "out", "data.gt=GT", "--degradation=blur"], "unknown degradation 'blur'"),
        (["nothing", "out"], "unknown data 'nothing'"),
        (["folder", "out", "data.gt=GT", "data.clips=[]"], "data.clips=[]: it names no clip; name some"),
        (["images4k", "out", "data.root=GT/a", "data.size=null", "data.clips=[]"], "data.clips=[]: it names no clip"),
    ],
)
def test_mistakes_are_one_line(bench, gt, tmp_path, words, message):
    words = [word.replace("LR", str(gt / "a")).replace("GT", str(gt)) for word in words]
    found = bench("data", "degrade", *words)
    assert found.code == 3 and message.replace("clip LR", "clip a") in found.err and found.err.count("\n") == 1
