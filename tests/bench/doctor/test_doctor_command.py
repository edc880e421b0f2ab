"""The command: what it prints, that both scores are shown, and its exit codes."""

import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from bench.commands import doctor
from frames.images import read_image, write_png


@pytest.fixture
def on_disk(bikes, tmp_path):
    """(folder of a blurred prediction, folder of GT), two clips of nine frames each."""
    for clip, top in (("upper", 0), ("lower", 100)):
        for index, frame in enumerate(bikes[:9]):
            part = np.ascontiguousarray(frame[top : top + 160, 100:400])
            write_png(tmp_path / "gt" / clip / f"{index:04d}.png", part)
            write_png(tmp_path / "pred" / clip / f"{index:04d}.png", cv2.GaussianBlur(part, (0, 0), 1.5))
    return tmp_path / "pred", tmp_path / "gt"


def change(folder, function):
    for file in folder.rglob("*.png"):
        write_png(file, np.ascontiguousarray(function(read_image(file))))


def test_a_healthy_prediction_is_exit_code_0(bench, on_disk):
    answer = bench("doctor", "--pred", on_disk[0], "--gt", on_disk[1])
    assert answer.code == 0, answer.out + answer.err
    assert answer.out == "lower: nothing found\nupper: nothing found\n"


def test_a_fault_is_named_with_its_evidence_and_exit_code_1(bench, on_disk):
    pred, gt = on_disk
    change(pred / "upper", lambda frame: frame[..., ::-1])
    before = {file: file.read_bytes() for file in pred.rglob("*.png")}
    answer = bench("doctor", "--pred", pred, "--gt", gt)
    assert answer.code == 1 and "channels are BGR" in answer.out and "lower: nothing found" in answer.out
    assert "dB with it compensated" in answer.out
    assert before == {file: file.read_bytes() for file in pred.rglob("*.png")}


def test_both_scores_are_shown_on_request(bench, on_disk):
    pred, gt = on_disk
    change(pred, lambda frame: np.roll(frame, 1, 1))
    answer = bench("doctor", "--pred", pred / "upper", "--gt", gt / "upper", "--compensated", "--protocol", "vid4")
    line = next(line for line in answer.out.splitlines() if "PSNR as it is" in line)
    raw, compensated = map(float, re.findall(r"([\d.]+) dB", line))
    assert compensated > raw + 1 and "psnr|y-bt601-studio" in line


def test_gt_that_is_no_multiple_of_the_scale_is_cut_as_a_run_cuts_it(bench, on_disk):
    pred, gt = on_disk
    change(gt, lambda frame: frame[:159, :299])
    change(pred, lambda frame: frame[:156, :296])
    answer = bench("doctor", "--pred", pred, "--gt", gt, "--compensated")
    assert answer.code == 0 and "not comparable" not in answer.out, answer.out + answer.err
    assert "cropped at the bottom and right" in bench("doctor", "--pred", pred, "--gt", gt, "--scale", "2").out


def test_a_protocol_of_ones_own_scores(bench, on_disk, tmp_path):
    file = tmp_path / "mine" / "protocol" / "inner.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("name: inner\ncrop: 20\n")
    sides = ("--pred", on_disk[0], "--gt", on_disk[1])
    answer = bench("doctor", *sides, "--compensated", "--protocol", "inner", "--config-dir", tmp_path / "mine")
    assert answer.code == 0 and "psnr|rgb|uint8|crop20" in answer.out, answer.err


@pytest.mark.parametrize("cut", ["size", "count", "backwards"])
def test_frames_that_cannot_be_compared_as_they_are_get_a_compensated_score(bench, on_disk, cut):
    pred, gt = on_disk
    files = sorted((pred / "upper").glob("*.png"))
    if cut == "size":
        change(pred / "upper", lambda frame: frame[:128, :288])
    elif cut == "count":
        files[-1].unlink()
    else:
        frames = [file.read_bytes() for file in files]
        for file, data in zip(files, reversed(frames)):
            file.write_bytes(data)
    answer = bench("doctor", "--pred", pred / "upper", "--gt", gt / "upper", "--compensated")
    assert answer.code == 1 and "SSIM as it is" in answer.out, answer.err
    assert ("as it is not comparable" in answer.out) == (cut != "backwards")


def test_a_broken_frame_is_one_line_and_exit_code_3(bench, on_disk):
    pred, gt = on_disk
    file = pred / "upper" / "0004.png"
    file.write_bytes(file.read_bytes()[:-300])
    answer = bench("doctor", "--pred", pred, "--gt", gt)
    assert answer.code == 3 and "0004.png" in answer.err and "lower: nothing found" in answer.out


def test_names_that_would_move_the_cursor_are_shown_escaped(bench, on_disk):
    pred, gt = on_disk
    for root in on_disk:
        (root / "upper").rename(root / "up\x1b[2J")
    (pred / "lower").rename(pred / "low\x1b[2J")
    file = pred / "up\x1b[2J" / "0004.png"
    whole = file.read_bytes()
    answer = bench("doctor", "--pred", pred, "--gt", gt)
    assert answer.out == "up\\x1b[2J: nothing found\n" and "not examined: low\\x1b[2J: no ground truth" in answer.err
    file.write_bytes(whole[:-300])
    assert "up\\x1b[2J: " in (broken := bench("doctor", "--pred", pred, "--gt", gt)).err
    assert "\x1b" not in answer.out + answer.err + broken.out + broken.err


def test_nothing_to_examine_is_exit_code_2(bench, on_disk):
    pred, gt = on_disk
    for name in ("upper", "lower"):
        (pred / name).rename(pred / f"my_{name}")
    assert bench("doctor", "--pred", pred, "--gt", gt).code == 2


def test_frames_of_a_long_clip_are_paired_without_a_search_through_all_for_each(monkeypatch):
    sets = []
    monkeypatch.setattr(doctor, "set", lambda given: sets.append(1) or set(given), raising=False)
    pair = SimpleNamespace(pred_frames=lambda: iter(range(40)), gt_frames=lambda: iter(range(100, 140)))
    assert list(doctor._together(pair, {n: n for n in range(40)})) == list(zip(range(40), range(100, 140)))
    assert list(doctor._together(pair, {0: 1, 1: 0})) == [(0, 101), (1, 100)]
    assert len(sets) == 2
