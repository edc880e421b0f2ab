"""Videos in and out: what a phone records is kept, and a run that was stopped ends with the same bytes."""

import gc
import json
import os
import random
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from frames.locks import locked
from frames.source import open_source
from frames.video import mux, read_timed, video_info, write_video
from tests import phone
from turbovsr import partial, video
from turbovsr.__main__ import main


class Killed(BaseException):
    """Stands for a kill: nothing in the product catches it."""


@pytest.fixture
def run(weights):
    return lambda *words: main([str(word) for word in (*words, "--weights", weights, "--scale", 2)])


@pytest.fixture
def short(monkeypatch):
    """Parts of one chunk."""
    monkeypatch.setattr(video, "SHORTEST_SEGMENT", 20)


def test_what_a_phone_records_is_kept(run, tmp_path, capsys):
    given, output = phone.record(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    assert run(given, output) == 0
    assert "turbovsr: " not in capsys.readouterr().err  # nothing is lost
    with av.open(str(output)) as container:
        assert phone.TAGS.items() <= container.metadata.items()
        assert len(container.chapters()) == 2
        kinds = [(s.codec_context.name, s.language) for s in container.streams if s.codec_context]
        assert kinds == [("h264", "fra"), ("aac", "eng"), ("mov_text", "fra")]
    info = video_info(output)
    assert (info.height, info.width, info.damage) == (48, 32, "")
    assert [f.time for f in read_timed(output)] == [f.time for f in read_timed(given)]
    assert phone.beeps(output) == phone.beeps(given)
    assert not partial.folder_of(output).exists()


def test_sixty_seconds_stay_in_sync(run, tmp_path):
    given = phone.record(tmp_path / "in.mp4", seconds=60, fps=4, subtitles=False)
    for output in (tmp_path / "out.mp4", tmp_path / "out.mkv"):
        assert run(given, output) == 0
        gaps = [np.subtract(phone.flashes(path), phone.beeps(path)[:60]) for path in (given, output)]
        assert len(gaps[1]) == 60 and np.abs(gaps[1] - gaps[0]).max() < 0.003


def test_sound_and_subtitles_can_be_left_out(run, tmp_path, capsys):
    given = phone.record(tmp_path / "in.mp4", seconds=1)
    assert run(given, tmp_path / "a.mp4", "--no-audio", "--no-subtitles") == 0
    assert run(given, tmp_path / "b.mp4", "--fps", 5) == 0
    assert "in.mp4: left out because --fps changes the times: sound, subtitles, chapters" in capsys.readouterr().err
    assert [video_info(tmp_path / name).format.chapters for name in ("in.mp4", "a.mp4", "b.mp4")] == [2, 2, 0]
    for name in ("a.mp4", "b.mp4"):
        form = video_info(tmp_path / name).format
        assert (form.sound, form.subtitles) == (0, 0)


@pytest.mark.parametrize(
    "stage, name", [("frame", "out.mp4"), ("frame", "out.mkv"), ("part", "out.mp4"), ("mux", "out.mkv")]
)
def test_a_killed_run_continues_to_the_same_bytes(run, short, tmp_path, monkeypatch, name, stage):
    given = phone.record(tmp_path / "in.mp4", seconds=10)
    assert run(given, tmp_path / f"calm_{name}") == 0
    output, chance, kills = tmp_path / name, random.Random(f"{name} {stage}"), 0
    while not output.exists():
        with monkeypatch.context() as patch:
            _kill(patch, stage, chance.randint(1, 60) if stage == "frame" else 1 + kills % 2)
            try:
                assert run(given, output) == 0
            except Killed:
                kills += 1
        if kills >= (3 if stage == "frame" else 2) and not output.exists():
            assert run(given, output) == 0
    assert kills >= 1 and output.read_bytes() == (tmp_path / f"calm_{name}").read_bytes()
    assert not partial.folder_of(output).exists()


def _kill(patch: pytest.MonkeyPatch, stage: str, nth: int) -> None:
    """Stop at the nth call of what the stage does."""
    owner, name = {
        "frame": (video.SegmentWriter, "add"),
        "part": (partial.Partial, "_write"),
        "mux": (av.container.OutputContainer, "mux_one"),
    }[stage]
    if stage == "mux":
        owner, name = video, "mux"
    original, calls = getattr(owner, name), []

    def stopped(*words, **options):
        calls.append(1)
        if len(calls) > nth or stage == "mux":
            raise Killed
        return original(*words, **options)

    patch.setattr(owner, name, stopped)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, the device that is always full")
def test_a_full_disk_is_one_line_and_what_is_done_is_kept(run, short, tmp_path, capsys, monkeypatch):
    given, output = phone.record(tmp_path / "in.mp4", seconds=10), tmp_path / "out.mp4"
    original, abandon, unheard, abandoned = partial.Partial.next_path, video.SegmentWriter.abandon, [], []

    def full(steps):
        path = original(steps)
        if steps.segments:
            path.symlink_to("/dev/full")
        return path

    with monkeypatch.context() as patch:
        patch.setattr(partial.Partial, "next_path", full)
        patch.setattr(sys, "unraisablehook", unheard.append)
        patch.setattr(video.SegmentWriter, "abandon", lambda writer: (abandoned.append(writer), abandon(writer)))
        assert run(given, output) == 3
        gc.collect()
    said = capsys.readouterr().err
    assert said.count("No space left on device; free some space") == 1 and "Traceback" not in said and not unheard
    assert len(abandoned) == 1, "the part's file was left open, and says so when the process ends"
    assert (partial.folder_of(output) / "segment-000000.json").exists()
    for path in partial.folder_of(output).iterdir():
        if path.is_symlink():
            path.unlink()
    assert run(given, output) == 0 and run(given, tmp_path / "calm.mp4") == 0
    assert output.read_bytes() == (tmp_path / "calm.mp4").read_bytes()


def test_parts_that_cannot_be_joined_are_kept_with_a_remedy(run, tmp_path, capsys, monkeypatch):
    given, output = phone.record(tmp_path / "in.mp4", seconds=1), tmp_path / "out.mp4"
    with monkeypatch.context() as patch:
        patch.setattr("frames.video.mux.joined", _refused)
        assert run(given, output) == 3
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("turbovsr: ")]
    assert "out.mp4: the video cannot be written (refused); try --no-audio" in line
    assert line.endswith(f"the encoded parts are kept in {tmp_path}/out.mp4.partial")
    assert run(given, output) == 0 and video_info(output).frames == 10


def _refused(*_):
    raise av.error.InvalidDataError(1, "refused")


def test_a_kill_by_the_system_and_the_same_command_again(weights, tmp_path):
    given = phone.record(tmp_path / "in.mp4", seconds=20)
    root = Path(__file__).parents[2]

    def command(output: str, killed: bool = False) -> list[str]:
        program = PROGRAM + AND_KILL * killed + "sys.exit(main(sys.argv[1:]))"
        return [sys.executable, "-c", program, str(given), str(tmp_path / output), "--weights", str(weights)]

    done = subprocess.run(command("out.mp4", killed=True), cwd=root, stderr=subprocess.DEVNULL)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "out.mp4.partial" / "segment-000001.json").exists() and not (tmp_path / "out.mp4").exists()
    for output in ("out.mp4", "calm.mp4"):
        subprocess.run(command(output), cwd=root, check=True, stderr=subprocess.DEVNULL)
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "calm.mp4").read_bytes()


PROGRAM = "import sys; from turbovsr import video; video.SHORTEST_SEGMENT = 20; from turbovsr.__main__ import main\n"
AND_KILL = """
import os, signal
from turbovsr.video import SegmentWriter
add, frames = SegmentWriter.add, []

def counting(*words, **options):
    frames.append(1)
    if len(frames) > 70:  # in the third part or later: two are kept
        os.kill(os.getpid(), signal.SIGKILL)
    return add(*words, **options)

SegmentWriter.add = counting
"""


def test_ctrl_c_says_what_is_kept_and_how_to_continue(run, short, tmp_path, capsys, monkeypatch):
    given = phone.record(tmp_path / "in.mp4", seconds=5)
    with monkeypatch.context() as patch:
        patch.setattr(video.Frames, "shown", _interrupted)
        assert run(given, tmp_path / "out.mp4") == 130
    said = capsys.readouterr().err
    assert f"what is done is kept in {tmp_path}/out.mp4.partial; the same command continues" in said
    assert run(given, tmp_path / "out.mp4") == 0


def _interrupted(*_):
    raise KeyboardInterrupt


@pytest.fixture
def stopped(run, short, tmp_path, monkeypatch):
    """A run that was stopped after its second part."""
    given = phone.record(tmp_path / "in.mp4", seconds=8, sound=None, subtitles=False)
    with monkeypatch.context() as patch:
        _kill(patch, "frame", 70)
        with pytest.raises(Killed):
            run(given, tmp_path / "out.mp4")
    return given


def test_parts_of_another_run_are_not_mixed_in(run, stopped, tmp_path, capsys):
    assert run(stopped, tmp_path / "out.mp4", "--quality", 30) == 3
    assert "a run with other encoding was stopped here" in capsys.readouterr().err
    assert run(stopped, tmp_path / "out.mp4", "--quality", 30, "--overwrite") == 0
    assert run(stopped, tmp_path / "calm.mp4", "--quality", 30) == 0
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "calm.mp4").read_bytes()


def test_parts_whose_times_begin_with_the_sound_are_not_mixed_in(run, short, tmp_path, capsys, monkeypatch):
    given = phone.record(tmp_path / "in.mp4", seconds=5, subtitles=False, late=Fraction(1, 2))
    with monkeypatch.context() as patch:
        _kill(patch, "frame", 45)
        with pytest.raises(Killed):
            run(given, tmp_path / "out.mp4")
    assert run(given, tmp_path / "out.mp4", "--no-audio") == 3
    assert "a run with other sound or subtitles was stopped here" in capsys.readouterr().err


def test_another_input_of_the_same_name_is_noticed(run, stopped, tmp_path, capsys):
    phone.record(stopped, seconds=9, sound=None, subtitles=False)
    assert run(stopped, tmp_path / "out.mp4") == 3
    assert "a run with other input was stopped here" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "refused"), [("turbovsr/decoder.py", True), ("turbovsr/train/loop.py", False)])
def test_parts_of_an_earlier_version_are_not_mixed_in(run, stopped, tmp_path, capsys, monkeypatch, name, refused):
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda file: read(file) + b"#" * file.as_posix().endswith(name))
    assert run(stopped, tmp_path / "out.mp4") == (3 if refused else 0)
    assert ("a run with other versions was stopped here" in capsys.readouterr().err) is refused


@pytest.mark.parametrize("name", ["segment-000001.mp4", "segment-000000.json", "tail-000001.npy"])
def test_damaged_parts_are_noticed(run, stopped, tmp_path, capsys, name):
    path = tmp_path / "out.mp4.partial" / name
    path.write_bytes(path.read_bytes()[:-20])
    assert run(stopped, tmp_path / "out.mp4") == 3
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("turbovsr: ")]
    assert name.split(".")[0] in line and ("damaged" in line or "JSON" in line)


@pytest.mark.parametrize("name", ["run.json", "segment-000000.json", "segment-000001.mp4", "tail-000001.npy"])
def test_damaged_parts_are_thrown_away_where_that_is_asked_for(run, stopped, tmp_path, name):
    path = tmp_path / "out.mp4.partial" / name
    path.write_bytes(path.read_bytes()[:-20])
    assert run(stopped, tmp_path / "out.mp4", "--overwrite") == 0
    assert video_info(tmp_path / "out.mp4").frames == video_info(stopped).frames
    assert not path.parent.exists()


def test_a_missing_file_of_the_next_part_is_one_line(run, stopped, tmp_path, capsys):
    (tmp_path / "out.mp4.partial" / "tail-000001.npy").unlink()
    assert run(stopped, tmp_path / "out.mp4") == 3
    assert "tail-000001.npy: damaged, so the run cannot continue here; delete" in capsys.readouterr().err
    assert run(stopped, tmp_path / "out.mp4", "--overwrite") == 0


def test_two_processes_do_not_work_on_one_video(run, stopped, tmp_path, capsys):
    with locked(tmp_path / "out.mp4.partial" / "lock"):
        assert run(stopped, tmp_path / "out.mp4") == 3
    assert "another process is at work" in capsys.readouterr().err


def test_what_a_kill_left_of_the_last_step_goes_with_the_folder(run, stopped, tmp_path, monkeypatch):
    (tmp_path / "out.mp4.partial" / ".out.123-456.mp4").write_bytes(b"half a film")
    folders, created = [], mux.created
    monkeypatch.setattr(mux, "created", lambda path, options: folders.append(path.parent) or created(path, options))
    assert run(stopped, tmp_path / "out.mp4") == 0
    assert folders == [tmp_path / "out.mp4.partial"]
    assert sorted(os.listdir(tmp_path)) == ["in.mp4", "out.mp4"]


def test_what_others_put_into_the_folder_stays(run, stopped, tmp_path):
    (tmp_path / "out.mp4.partial" / "notes.txt").write_text("mine")
    assert run(stopped, tmp_path / "out.mp4") == 0
    assert os.listdir(tmp_path / "out.mp4.partial") == ["notes.txt"]


def test_memory_of_a_run_is_that_of_a_segment(run, short, tmp_path, monkeypatch):
    given = phone.record(tmp_path / "in.mp4", seconds=20, sound=None, subtitles=False)
    held = []
    original = partial.Partial.record_segment

    def record_segment(self, segment, tail, ending=None):
        held.append((len(segment.times), len(tail)))
        return original(self, segment, tail, ending)

    monkeypatch.setattr(partial.Partial, "record_segment", record_segment)
    assert run(given, tmp_path / "out.mp4") == 0
    assert max(frames for frames, _ in held) <= 33 and len(held) > 5
    assert [tail for _, tail in held] == [3] * (len(held) - 1) + [0]


def test_a_damaged_end_is_said_and_the_rest_is_kept_with_its_sound(run, short, tmp_path, capsys):
    whole = phone.record(tmp_path / "whole.mkv", seconds=6, subtitles=False, turned=False)
    data = whole.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) * 7 // 10])
    assert run(tmp_path / "cut.mkv", tmp_path / "out.mp4") == 3
    said = capsys.readouterr().err
    assert "cut.mkv: the file is truncated" in said and f"could be read are in {tmp_path}/out.mp4" in said
    assert 0 < open_source(tmp_path / "out.mp4").count < 60
    assert len(phone.beeps(tmp_path / "out.mp4")) >= 3


def test_ten_bits_stay_ten_bits_unless_told(run, tmp_path, capsys):
    y, x = np.mgrid[:32, :48]
    with av.open(str(tmp_path / "in.mkv"), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p10le"
        stream.codec_context.color_primaries, stream.codec_context.color_trc = 9, 16
        stream.codec_context.colorspace, stream.codec_context.color_range = 9, 1
        for time in range(3):
            deep = (20000 + 100 * x + 10 * time + 0 * y).astype(np.uint16)[..., None].repeat(3, 2)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(deep, format="rgb48le").reformat(format="yuv420p10le")))
        out.mux(stream.encode(None))
    assert run(tmp_path / "in.mkv", tmp_path / "out.mp4") == 0
    assert "bits a sample become" not in capsys.readouterr().err
    info = video_info(tmp_path / "out.mp4").format
    assert (info.bits, info.primaries, info.transfer) == (10, 9, 16)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"
    assert run(tmp_path / "in.mkv", tmp_path / "h264.mp4", "--codec", "h264") == 0
    assert "10 bits a sample become 8" in capsys.readouterr().err


def test_images_of_sixteen_bits_keep_theirs(run, tmp_path, capsys):
    ramp = (20000 + 7 * np.arange(16 * 24).reshape(16, 24)).astype(np.uint16)[..., None].repeat(3, 2)
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "0.png"), ramp)
    cv2.imwrite(str(tmp_path / "in" / "1.png"), (ramp >> 8).astype(np.uint8))
    assert run(tmp_path / "in", tmp_path / "out.mkv", "--codec", "ffv1") == 0
    assert "bits a sample become" not in capsys.readouterr().err
    frames = [frame.pixels for frame in read_timed(tmp_path / "out.mkv", deep=True)]
    assert len(frames) == 2 and np.count_nonzero(frames[0] % 257) > frames[0].size / 2


def test_wrong_combinations_are_one_line(run, tmp_path, capsys):
    write_video(tmp_path / "in.mp4", [np.zeros((16, 16, 3), np.uint8)] * 2, 25)
    for output, options, complaint in (
        ("out.mp4", ("--codec", "ffv1"), "FFV1 is not written into .mp4"),
        ("out.mp4", ("--codec", "hevc"), "32x32 is less than HEVC is written for"),
        ("out", ("--preview", "2"), "a preview is a video"),
    ):
        assert run(tmp_path / "in.mp4", tmp_path / output, *options) == 3
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("turbovsr: ")]
        assert complaint in line
    assert main(["a", "b", "--start", "3"]) == 3 and main(["a", "b", "--preview", "0"]) == 3


@pytest.mark.parametrize("text", ["1e400", "1e999999999", "9" * 40, "1/0", "1:2:3:4", "soon"])
@pytest.mark.parametrize("option", ["--start", "--preview", "--fps"])
def test_what_is_no_number_is_one_line(capsys, option, text):
    assert main(["a", "b", option, text]) == 3
    assert f"argument {option}: '{text}' is not a" in capsys.readouterr().err


def test_images_become_a_video_that_continues_too(run, short, tmp_path, monkeypatch):
    from frames.images import write_image

    for index in range(70):
        write_image(tmp_path / "in" / f"{index:04d}.png", np.full((16, 16, 3), 3 * index, np.uint8))
    assert run(tmp_path / "in", tmp_path / "calm.mp4", "--fps", 10) == 0
    with monkeypatch.context() as patch:
        _kill(patch, "frame", 45)
        with pytest.raises(Killed):
            run(tmp_path / "in", tmp_path / "out.mp4", "--fps", 10)
    assert json.loads((tmp_path / "out.mp4.partial" / "segment-000000.json").read_text())["times"][:3] == [0, 1, 2]
    assert run(tmp_path / "in", tmp_path / "out.mp4", "--fps", 10) == 0
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "calm.mp4").read_bytes()
    assert [f.time for f in read_timed(tmp_path / "out.mp4")][:3] == [0, Fraction(1, 10), Fraction(2, 10)]
