"""`python -m turbovsr`, called in this process."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from frames.codecs import Encoding
from frames.images import read_image, write_image
from frames.source import open_source
from frames.video import write_video
from frames.video.info import Format
from frames.video.segments import SegmentWriter
from turbovsr import arguments, color_fix, precision
from turbovsr.__main__ import main
from turbovsr.pipeline import TurboVSR


def picture(seed=0, height=8, width=11):
    """A smooth picture: video coding loses little of it."""
    coarse = np.random.default_rng(seed).uniform(60, 200, (3, 3, 3)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).round().clip(0, 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    for index in range(3):
        write_image(tmp_path / "frames" / f"shot{index}.png", picture(index))
    return tmp_path / "frames"


@pytest.fixture
def run(weights):
    return lambda *arguments: main([str(argument) for argument in (*arguments, "--weights", weights)])


def test_folder_to_folder_keeps_names(run, folder, tmp_path):
    assert run(folder, tmp_path / "out", "--scale", 2) == 0
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["shot0.png", "shot1.png", "shot2.png"]
    assert read_image(tmp_path / "out" / "shot0.png").shape == (16, 22, 3)


def test_folder_to_video_and_video_to_folder(run, folder, tmp_path):
    assert run(folder, tmp_path / "clip.mkv", "--scale", 3, "--fps", 10) == 0
    source = open_source(tmp_path / "clip.mkv")
    assert source.fps == 10
    assert [frame.shape for frame in source.frames()] == 3 * [(24, 33, 3)]
    assert run(tmp_path / "clip.mkv", tmp_path / "out") == 0
    assert read_image(tmp_path / "out" / "00000002.png").shape == (96, 132, 3)


def test_image_to_image(run, folder, tmp_path):
    assert run(folder / "shot0.png", tmp_path / "big.png") == 0
    assert read_image(tmp_path / "big.png").shape == (32, 44, 3)


def test_without_a_latent_frames_are_decoded_from_the_lr_frames_alone(run, folder, tmp_path, weights):
    assert run(folder / "shot0.png", tmp_path / "alone.png", "--no-latent") == 0
    lr = torch.from_numpy(read_image(folder / "shot0.png")).permute(2, 0, 1)[None]
    alone, sampled = (TurboVSR.from_pretrained(weights, use_latent=use).upscale(lr)[0] for use in (False, True))
    assert np.array_equal(read_image(tmp_path / "alone.png"), alone.permute(1, 2, 0).numpy())
    assert not torch.equal(alone, sampled)


@pytest.mark.parametrize("height, width", [(48, 64), (47, 63)])
def test_video_colours_survive(tmp_path, height, width):
    frame = picture(0, height, width)
    write_video(tmp_path / "clip.mp4", iter([frame, frame]), Fraction(24))
    for read in open_source(tmp_path / "clip.mp4").frames():
        assert np.abs(read.astype(int) - frame).mean() < 2


def test_results_are_not_overwritten_unasked(run, folder, tmp_path, capsys):
    arguments = folder / "shot0.png", tmp_path / "big.png"
    assert run(*arguments) == 0 and run(*arguments) == 3
    assert "--overwrite" in capsys.readouterr().err
    assert run(*arguments, "--overwrite") == 0


@pytest.mark.parametrize(
    "given, output, options, complaint",
    [
        ("nothing", "out", (), "no such file"),
        ("empty", "out", (), "there is no image in it, and no video"),
        ("text.mp4", "out", (), "not a readable video"),
        ("text.png", "out", (), "not a PNG, JPEG, BMP, WebP or TIFF image"),
        ("frames", "frames", (), "the input itself"),
        ("frames", "out.png", (), "does not fit into an image"),
        ("frames", "out", ("--steps", "3"), "power of two"),
        ("mixed", "out", (), "must be of one size"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_3(run, folder, tmp_path, capsys, given, output, options, complaint):
    (tmp_path / "empty").mkdir()
    for name in ("text.mp4", "text.png"):
        (tmp_path / name).write_text("not pixels")
    write_image(tmp_path / "mixed" / "a.png", picture())
    write_image(tmp_path / "mixed" / "b.png", picture(width=12))
    assert run(tmp_path / given, tmp_path / output, *options) == 3
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("turbovsr: ")]
    assert len(lines) == 1 and complaint in lines[0]


@pytest.mark.parametrize(
    "options",
    [
        ("--scale", "5"),
        ("--tile", "some"),
        ("--fps", "0"),
        ("--fps", "x"),
        ("--fps", "1/0"),
        ("--fps", "0.0000001"),
        ("--fps", "1001"),
        ("--what",),
        ("--seed", "-1"),
        ("--seed", str(2**63)),
    ],
)
def test_wrong_options_are_one_line_and_exit_code_3(run, tmp_path, capsys, options):
    assert run(tmp_path, tmp_path / "out", *options) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("turbovsr: ") and options[0] in line


@pytest.mark.parametrize(
    ("given", "rate"),
    [("23.976023976", "24000/1001"), ("24000/1001", "24000/1001"), ("23.976", "2997/125"), ("1/3", "1/3")],
)
def test_rates_are_fractions_that_encoders_hold(given, rate):
    assert arguments.parse(["IN", "OUT", "--fps", given]).fps == Fraction(rate)


@pytest.mark.parametrize(("device", "code"), [("tpu", 3), ("xla", 3), ("cuda:99", 4)])
def test_a_device_that_is_not_here_is_one_line(run, folder, tmp_path, capsys, device, code):
    assert run(folder, tmp_path / "out", "--device", device) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"turbovsr: --device {device}: ") and "unexpected" not in line


def test_a_preview_shorter_than_a_frame_is_one_frame_of_images_too(run, folder, tmp_path):
    write_video(tmp_path / "clip.mp4", [picture(seed, 16, 24) for seed in range(3)], 24)
    for given in (folder, tmp_path / "clip.mp4"):
        output = tmp_path / f"{given.stem}-preview.mp4"
        assert run(given, output, "--preview", 0.01) == 0
        assert open_source(output).count == 1


def test_a_preview_beyond_the_end_names_the_option_and_leaves_nothing(run, tmp_path, capsys):
    write_video(tmp_path / "clip.mp4", [picture(0, 16, 24)] * 5, 25)
    assert run(tmp_path / "clip.mp4", tmp_path / "out.mp4", "--preview", 1, "--start", 100) == 3
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("turbovsr: ")]
    assert len(lines) == 1 and "clip.mp4: there is no frame from 100 s on; give an earlier --start" in lines[0]
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_container_that_the_name_of_one_output_contradicts_is_refused(run, tmp_path, capsys):
    write_video(tmp_path / "clip.mp4", [picture(0, 16, 24)] * 2, 25)
    assert run(tmp_path / "clip.mp4", tmp_path / "out.mp4", "--container", "mkv") == 3
    assert capsys.readouterr().err.endswith(f"to choose it here, write {tmp_path / 'out.mkv'}\n")
    assert run(tmp_path / "clip.mp4", tmp_path / "out.mkv", "--container", "mkv") == 0


def test_without_torch_the_remedy_is_named():
    program = "import sys; sys.modules['torch'] = None; from turbovsr.__main__ import main; sys.exit(main(['a', 'b']))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 4 and "source .venv/bin/activate" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_damaged_video_is_upscaled_as_far_as_it_goes_and_exits_with_3(run, tmp_path, capsys):
    write_video(tmp_path / "whole.mkv", [picture(seed, 16, 24) for seed in range(10)], 25, lossless=True)
    data = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) * 6 // 10])
    assert run(tmp_path / "cut.mkv", tmp_path / "out", "--scale", 2) == 3
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("turbovsr: ")]
    assert len(lines) == 1 and "cut.mkv: " in lines[0] and "truncated" in lines[0] and f"{tmp_path}/out" in lines[0]
    assert 0 < len(list((tmp_path / "out").iterdir())) < 10
    assert run(tmp_path / "cut.mkv", tmp_path / "out.mkv", "--scale", 2) == 3
    assert open_source(tmp_path / "out.mkv").count == len(list((tmp_path / "out").iterdir()))


@pytest.mark.parametrize("output", ["out", "out.mkv"])
def test_images_before_a_broken_one_are_upscaled(run, folder, tmp_path, capsys, output):
    data = bytearray((folder / "shot2.png").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "shot2.png").write_bytes(data)
    assert run(folder, tmp_path / output, "--scale", 2) == 3
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("turbovsr: ")]
    assert "shot2.png: the checksum of its IDAT chunk is wrong" in line
    assert line.endswith(f"the frames that could be read are in {tmp_path}/{output}")
    assert open_source(tmp_path / output).count == 2


def test_times_of_a_video_are_those_of_the_input(run, tmp_path):
    times = [Fraction(t, 100) for t in (0, 4, 8, 56, 60, 248)]
    writer = SegmentWriter(tmp_path / "given.mkv", Encoding("h264"), (16, 24), Fraction(25), Format())
    for number, time in enumerate(times):
        writer.add(picture(number, 16, 24), round(time / Format().time_base))
    writer.close()
    assert run(tmp_path / "given.mkv", tmp_path / "out.mp4", "--scale", 2) == 0
    assert [frame.time for frame in open_source(tmp_path / "out.mp4").timed()] == pytest.approx(times, abs=2e-3)


def test_what_is_not_carried_over_is_said(run, tmp_path, capsys):
    clear = np.dstack([picture(), np.full((8, 11), 100, np.uint8)])
    cv2.imwrite(str(tmp_path / "clear.png"), clear)
    assert run(tmp_path / "clear.png", tmp_path / "out.png") == 0
    assert f"turbovsr: {tmp_path}/clear.png: transparency is dropped" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.avi", "a.webm", "a.gif"])
def test_formats_that_are_not_written_do_not_become_folders(run, folder, tmp_path, capsys, name):
    assert run(folder, tmp_path / name) == 3
    assert "is not written; give a name in .mp4, .mkv, .mov" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


def test_help_and_usage_errors_import_nothing_heavy():
    program = "import sys; from turbovsr.__main__ import main; code = main(sys.argv[1:])\n"
    program += "print(code, *sorted({'torch', 'cv2', 'av', 'numpy', 'rich'} & set(sys.modules)))"
    for words, code in ((["--help"], 0), (["IN"], 3), (["IN", "OUT", "--scale", "5"], 3)):
        done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
        assert done.stdout.splitlines()[-1] == str(code)


def test_the_choices_offered_are_those_there_are():
    assert arguments.COLOR_FIXES == tuple(color_fix.COLOR_FIXES)
    assert arguments.PRECISIONS == ("auto", *precision.PRECISIONS)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), MemoryError()])
def test_out_of_memory_names_the_remedy(run, folder, tmp_path, capsys, monkeypatch, error):
    def refused(*arguments, **options):
        raise error

    monkeypatch.setattr(TurboVSR, "_upscale_chunk", refused)
    assert run(folder, tmp_path / "sr") == 3
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"turbovsr: {folder}: out of memory; try smaller tiles (--tile 64)")
