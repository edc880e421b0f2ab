"""Buckets, the clips that fill them, and the folder of their latents."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from frames.errors import UserError
from frames.video import write_video
from tests.command_line import answer
from turbovsr.train.cache import Cache
from turbovsr.train.ltx import clips as clips_of_files
from turbovsr.train.ltx.clips import find_clips, largest
from turbovsr.train.ltx.latents import MANIFEST, Bucket, LatentFolder, is_written, write_latents
from turbovsr.train.prepare import main as prepare


def test_buckets_are_padded_to_latent_cells():
    assert Bucket.parse("1080x1920x49").latent_shape == (7, 34, 60)
    assert str(Bucket.parse("64X96x1")) == "64x96x1"


@pytest.mark.parametrize("text", ["1080x1920", "64x64x8", "0x64x9", "66x64x9", "wide"])
def test_other_sizes_are_refused_in_one_line(text):
    with pytest.raises(UserError, match=f"bucket '{text}': HEIGHTxWIDTHxFRAMES"):
        Bucket.parse(text)


def test_a_file_goes_to_the_largest_bucket_that_it_fills():
    buckets = [Bucket.parse(text) for text in ("32x32x9", "64x64x9", "64x64x17", "64x64x1")]
    assert str(largest(buckets, 70, 80, 10, is_video=True)) == "64x64x9"
    assert str(largest(buckets, 70, 80, 1, is_video=False)) == "64x64x1"
    assert largest(buckets, 16, 80, 20, is_video=True) is None


def test_clips_of_files_are_drawn_alike_each_time(data):
    clips = find_clips([data], [Bucket(64, 64, 9), Bucket(32, 64, 1)], every=3, halve_videos=False)
    assert [(clip.path.name, str(clip.bucket), clip.index) for clip in clips] == [
        ("a.npy", "32x64x1", 0),
        *(("b.npy", "64x64x9", index) for index in range(3)),
    ]
    assert len({clip.name for clip in clips}) == 4
    first, again, other = (clip.frames(clip.rng(0), clip.window(0)) for clip in (clips[1], clips[1], clips[2]))
    assert first.shape == (9, 64, 64, 3) and np.array_equal(first, again) and not np.array_equal(first, other)


def test_clips_of_a_video_are_cut_from_windows_of_their_own(tmp_path):
    write_video(tmp_path / "film.mp4", [np.full((64, 64, 3), index // 2, np.uint8) for index in range(480)], 24)
    clips = find_clips([tmp_path], [Bucket(64, 64, 9)], every=48, halve_videos=False)
    windows = [clip.window(0) for clip in clips]
    assert len(clips) == 10 and len(set(windows)) == 10 and windows != sorted(windows)
    starts = [clip.frames(clip.rng(0), window)[0].mean() * 2 for clip, window in zip(clips, windows)]
    assert all(48 * window - 8 <= start < 48 * window + 48 for start, window in zip(starts, windows) if window < 10)


def test_no_file_that_fills_a_bucket_is_one_clear_error(data):
    with pytest.raises(FileNotFoundError, match="no file fills one of the buckets 512x512x9: name smaller ones"):
        find_clips([data], [Bucket(512, 512, 9)], every=90, halve_videos=False)


def test_a_video_that_is_too_small_at_half_its_size_is_said_to_be(tmp_path):
    pixels = np.zeros((9, 64, 64, 3), np.uint8)
    write_video(tmp_path / "clip.mp4", list(pixels), 24)
    with pytest.raises(FileNotFoundError, match="smaller ones; videos are used at half their size, --full-videos"):
        find_clips([tmp_path], [Bucket(64, 64, 9)], every=90, halve_videos=True)
    assert len(find_clips([tmp_path], [Bucket(64, 64, 9)], every=90, halve_videos=False)) == 1


def test_other_latents_than_the_recipe_says_are_written_anew(latents):
    (file, *_) = sorted((latents / "64x64x9").iterdir())
    assert is_written(file, "random") and not is_written(file, "other")
    assert not is_written(latents / "none.safetensors", "random")


def test_what_a_killed_preparation_left_is_not_trained_on(latents, tmp_path):
    folder = shutil.copytree(latents, tmp_path / "latents")
    (file, *_) = (folder / "64x64x9").iterdir()
    (file.parent / ".0.123-456.safetensors").write_bytes(file.read_bytes()[:1000])
    found = LatentFolder([folder], json.loads((folder / MANIFEST).read_text()))
    assert sorted(path.name for path in found.files["64x64x9"]) == ["0.safetensors", "1.safetensors"]


@pytest.mark.parametrize("shape, words", [((8, 2, 1, 2), "latents of another size than those in"), (None, "damaged")])
def test_a_file_that_cannot_be_trained_on_is_named_with_the_remedy(shape, words, latents, tmp_path):
    folder = shutil.copytree(latents, tmp_path / "latents")
    for file in sorted((folder / "64x64x9").iterdir())[shape is not None :]:
        if shape is None:
            file.write_bytes(file.read_bytes()[:1000])
        else:
            write_latents(file, torch.zeros(shape), [torch.zeros(shape)], "other")
    source = LatentFolder([folder], json.loads((folder / MANIFEST).read_text()))
    with pytest.raises(ValueError, match=rf"\d.safetensors: {words}.*; remove it and repeat"):
        for seed in range(9):  # both files
            source.sample(np.random.default_rng(seed), "64x64x9", stills=False)


def test_latents_of_halved_videos_do_not_stay_where_full_ones_are_asked_for(tmp_path, capfd):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 128, 128, 3), dtype=np.uint8).repeat(9, axis=0)
    write_video(tmp_path / "clip.mp4", list(pixels), 24)
    words = ["--latents", tmp_path / "latents", "--data", tmp_path / "clip.mp4", "--bucket", "64x64x9"]
    words += ["--size", "2b-tiny", "--degradation", "bicubic", "--degradations", "1", "--device", "cpu"]
    files = []
    for more, said in (([], "1 clips encoded"), ([], "1 were there"), (["--full-videos"], "1 clips encoded")):
        answered = answer(prepare, (*words, "--at-least", "0", *more), capfd)
        assert answered.code == 0 and said in answered.err, answered.err
        files.append(next((tmp_path / "latents" / "64x64x9").iterdir()).read_bytes())
    assert files[0] == files[1] != files[2]


@pytest.mark.slow
def test_a_process_whose_sample_decodes_badly_lets_the_others_finish(tmp_path, capfd):
    pixels = np.random.default_rng(0).integers(0, 256, (60, 128, 128, 3), dtype=np.uint8)
    (tmp_path / "shots").mkdir()
    np.save(tmp_path / "shots" / "a.npy", pixels)
    words = ["--latents", tmp_path / "latents", "--data", tmp_path, "--bucket", "128x128x9", "--every", "1"]
    words += ["--size", "2b-tiny", "--degradation", "bicubic", "--device", "cpu", "--at-least", "99"]
    assert answer(prepare, words, capfd).code == 1
    files = sorted((tmp_path / "latents" / "128x128x9").iterdir())
    for file in files[1::2]:  # of the second process; the first one ends at once
        file.unlink()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "turbovsr.train.prepare", *map(str, words)]
    ended = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert ended.returncode == 1 and "30 clips encoded, 0 were there" in ended.stderr, ended.stderr[-3000:]
    assert all(file.is_file() for file in files)


def test_many_videos_are_opened_in_linear_time(monkeypatch):
    monkeypatch.setattr(clips_of_files, "VideoFile", lambda path, cache, halved: path)
    videos = [Path(f"{index}.mp4") for index in range(20_000)]
    begin = time.process_time()
    assert len(list(clips_of_files._opened([], videos, Cache(1), True))) == len(videos)
    assert time.process_time() - begin < 3  # 20 s and more where each video looked through all
