"""`explain`: one prediction under every preset, and which of them gives a quoted number."""

import cv2
import numpy as np
import pytest

from bench.metrics.protocol import parse
from bench.metrics.registry import build
from bench.metrics.traps import truncated
from frames.images import read_image, write_png


@pytest.fixture
def predicted(clips, tmp_path):
    """Blurred copies of the clips."""
    root = tmp_path / "pred"
    for file in clips.rglob("*.png"):
        write_png(root / file.parent.name / file.name, cv2.GaussianBlur(read_image(file), (0, 0), 2))
    return root


def score(metric, options, pred, gt, name, frames=(0, 1, 2)):
    metric = build(metric, parse(options))
    return np.mean([metric.score(*(read_image(root / name / f"{i:08d}.png") for root in (pred, gt))) for i in frames])


def test_a_quoted_number_names_its_preset_and_no_other(bench, clips, predicted):
    value = score("psnr", {"color": "y"}, predicted, clips, "pan")
    answer = bench("explain", "--pred", predicted / "pan", "--gt", clips / "pan", "--quoted", f"{value:.3f}")
    assert answer.code == 0, answer.err
    told = answer.out.split("is reproduced by")[1]
    assert "udm10, vid4: psnr" in told and "psnr|y-bt601-studio|uint8|crop0|mean-frames,clips|v1" in told
    assert "rgb" not in told and "basicsr" not in told


def test_ssim_and_a_set_of_clips_are_explained_too(bench, clips, predicted):
    value = np.mean([score("ssim", {"crop": 4}, predicted, clips, name) for name in ("pan", "tilt")])
    answer = bench("explain", "--pred", predicted, "--gt", clips, "--quoted", f"{value:.4f}", "--metric", "ssim")
    assert answer.code == 0 and "basicsr: ssim" in answer.out and "(mean)" in answer.out
    assert "pan" in answer.out and "tilt" in answer.out and "spread of protocols (mean)" in answer.out


def test_a_clip_may_be_called_like_a_column_of_the_set(bench, clips, predicted):
    for root in (clips, predicted):
        (root / "pan").rename(root / "mean")
    answer = bench("explain", "--pred", predicted, "--gt", clips, "--metric", "psnr")
    head = next(line for line in answer.out.splitlines() if "protocol" in line)
    assert answer.code == 0 and "2 of 2 clips" in answer.out
    assert [word in head for word in ("mean (clip)", "tilt", " mean ", "all frames")] == [True] * 4
    value = score("psnr", {"color": "y"}, predicted, clips, "mean")
    answer = bench("explain", "--pred", predicted, "--gt", clips, "--metric", "psnr", "--quoted", f"{value:.3f}")
    assert "(mean (clip))" in answer.out.split("is reproduced by")[1]


def test_a_number_of_no_preset_gets_the_nearest(bench, clips, predicted):
    answer = bench("explain", "--pred", predicted, "--gt", clips, "--quoted", "99.99")
    assert answer.code == 0 and "99.99 (±0.005) is reproduced by no preset; the nearest: " in answer.out


def test_presets_that_need_more_frames_are_told(bench, clips, predicted):
    answer = bench("explain", "--pred", predicted / "pan", "--gt", clips / "pan", "--metric", "psnr")
    assert "too few frames for" in answer.out and "–" in answer.out


def test_a_preset_of_ones_own_takes_part(bench, clips, predicted, tmp_path):
    (tmp_path / "conf" / "protocol").mkdir(parents=True)
    (tmp_path / "conf" / "protocol" / "mine.yaml").write_text("# Mine.\nname: mine\ncrop: 5\nframes: [0]\n")
    value = score("psnr", {"crop": 5}, predicted, clips, "pan", frames=(0,))
    answer = bench(
        "explain",
        "--pred",
        predicted / "pan",
        "--gt",
        clips / "pan",
        "--quoted",
        f"{value:.4f}",
        "--config-dir",
        tmp_path / "conf",
    )
    assert "mine: psnr" in answer.out.split("is reproduced by")[1]


def test_gt_that_is_no_multiple_of_the_scale_is_cut_as_a_run_cuts_it(bench, clips, predicted, tmp_path):
    for file in predicted.rglob("*.png"):
        write_png(file, np.ascontiguousarray(read_image(file)[:60]))
    answer = bench("explain", "--pred", predicted, "--gt", clips, "--scale", "6", "--metric", "psnr")
    assert answer.code == 0, answer.err


def test_metrics_that_depend_on_the_scale_get_it(bench, clips, predicted):
    names = ("--pred", predicted / "pan", "--gt", clips / "pan", "--metric", "checkerboard")
    for words, periods in ((("--scale", 2), "period2,4"), ((), "period4,8")):
        answer = bench("explain", *names, *words)
        assert answer.code == 0 and f"checkerboard|{periods}|whole" in answer.out, answer.err


def test_metrics_are_listed_once_and_spaces_do_not_matter(bench, clips, predicted):
    value = score("psnr", {"color": "y"}, predicted, clips, "pan")
    names = ("--pred", predicted / "pan", "--gt", clips / "pan", "--metric", "psnr, ssim,psnr,")
    answer = bench("explain", *names, "--quoted", f" {value:.3f} ")
    assert answer.code == 0, answer.err
    assert answer.out.count("PSNR [dB]") == answer.out.count("SSIM,") == 1 and "rgb, reds4" not in answer.out
    assert f"{value:.3f} (±0.0005) is reproduced by\n  udm10, vid4: psnr" in answer.out


def test_unlike_frames_point_to_the_doctor(bench, clips, predicted):
    next(predicted.rglob("*2.png")).unlink()
    answer = bench("explain", "--pred", predicted, "--gt", clips, "--metric", "psnr")
    assert answer.code == 3 and "2 predicted frames, 3 true ones" in answer.err and "bench doctor" in answer.err
    assert "1 of 2 clips" in answer.out


def test_nothing_in_common_is_exit_code_2(bench, clips, predicted):
    for name in ("pan", "tilt"):
        (predicted / name).rename(predicted / f"other_{name}")
    answer = bench("explain", "--pred", predicted, "--gt", clips)
    assert answer.code == 2 and "pan: no prediction" in answer.err


@pytest.mark.parametrize(
    "arguments, words",
    [(("--quoted", "much"), "not a number as printed"), (("--metric", "pnsr"), "did you mean 'psnr'")],
)
def test_wrong_arguments_are_one_line(bench, clips, predicted, arguments, words):
    answer = bench("explain", "--pred", predicted, "--gt", clips, *arguments)
    assert answer.code == 3 and words in answer.err and "Traceback" not in answer.err


def test_a_path_that_is_not_there_is_named(bench, clips, tmp_path):
    answer = bench("explain", "--pred", tmp_path / "nowhere", "--gt", clips)
    assert answer.code == 3 and "nowhere" in answer.err and "--pred" in answer.err


def test_frames_are_paired_by_their_names(bench, clips, predicted):
    (predicted / "pan" / "00000001.png").rename(predicted / "pan" / "00000003.png")
    answer = bench("explain", "--pred", predicted / "pan", "--gt", clips / "pan", "--metric", "psnr")
    assert answer.code == 3 and "predicted and true frames do not belong together" in answer.err


def test_names_that_would_move_the_cursor_are_shown_escaped(bench, clips, predicted):
    for root in (clips, predicted):
        (root / "pan").rename(root / "p\x1b[2J")
    (predicted / "tilt").rename(predicted / "t\x1b[2J")
    value = score("psnr", {"color": "y"}, predicted, clips, "p\x1b[2J")
    for quoted in ("99.99", f"{value:.3f}"):
        answer = bench("explain", "--pred", predicted, "--gt", clips, "--metric", "psnr", "--quoted", quoted)
        assert "(p\\x1b[2J)" in answer.out and "not scored: t\\x1b[2J: no ground truth" in answer.err
        assert "\x1b" not in answer.out + answer.err


def test_another_scale_gets_a_hint(bench, clips, predicted):
    for file in predicted.rglob("*.png"):
        write_png(file, np.ascontiguousarray(read_image(file)[:63, :93]))
    answer = bench("explain", "--pred", predicted, "--gt", clips, "--metric", "psnr")
    assert answer.code == 3 and "--scale" not in answer.err  # 63x93 of 64x96 fits no scale
    for file in predicted.rglob("*.png"):
        write_png(file, np.ascontiguousarray(read_image(file)[:60, :90]))
    answer = bench("explain", "--pred", predicted, "--gt", clips, "--metric", "psnr")
    assert answer.code == 3 and "they fit with --scale 10" in answer.err


def test_a_metric_that_refuses_costs_no_other(bench, clips, predicted):
    for root in (clips, predicted):
        for file in root.rglob("*.png"):
            write_png(file, np.ascontiguousarray(read_image(file)[:8]))
    answer = bench("explain", "--pred", predicted, "--gt", clips)
    assert answer.code == 0 and "pan: ssim: frame 0: frame of 96x8 is too small" in answer.err
    assert "PSNR [dB], 2 of 2 clips" in answer.out


def test_metrics_of_whole_clips_are_refused(bench, clips, predicted):
    answer = bench("explain", "--pred", predicted, "--gt", clips, "--metric", "tof")
    assert answer.code == 3 and "metric tof scores whole clips" in answer.err


def test_traps_tell_which_script_would_give_a_quoted_number(bench, clips, predicted):
    pairs = [
        (read_image(predicted / "pan" / f"{i:08d}.png"), read_image(clips / "pan" / f"{i:08d}.png")) for i in range(3)
    ]
    metric = build("psnr", parse({"definition": "pyiqa"}))
    value = np.mean([metric.score(*pair) for pair in truncated(pairs)])
    paths = ("--pred", predicted / "pan", "--gt", clips / "pan", "--metric", "psnr")
    answer = bench("explain", *paths, "--traps", "--quoted", f"{value:.4f}")
    assert answer.code == 0, answer.err
    assert "with a trap it is reproduced by" in answer.out
    assert "truncated: psnr" in answer.out.split("with a trap")[1] and "under dove" in answer.out
    plain = bench("explain", *paths, "--traps", "rgb")
    assert (
        plain.code == 0 and "8k+1 frames" in plain.out and "under rgb" in plain.out and "with a trap" not in plain.out
    )
    assert "unknown protocol" in bench("explain", *paths, "--traps", "duve").err
