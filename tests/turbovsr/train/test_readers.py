"""Photographs and videos read as they are: what is found, what is left out, and that no clip crosses a cut."""

import io
import os
import weakref

import av
import numpy as np
import pytest
import torch
from PIL import Image

from frames.video import read_video
from turbovsr.train.augmentation import change_colours, flip
from turbovsr.train.cache import Cache
from turbovsr.train.data import ClipSource, find_media
from turbovsr.train.data_options import Augmentation, DataConfig
from turbovsr.train.letters import draw_letters
from turbovsr.train.readers import TAIL_BYTES, BrokenFile, NoUncutSequence, PhotoFile, VideoFile, cuts, thumbnail
from turbovsr.train.rng import StepRng


def clips_of(*paths, crop: int = 64, video_share: float = 0.5, **options) -> ClipSource:
    """Clips of files; options are those of `DataConfig` and `Augmentation`."""
    reading = {key: options.pop(key) for key in ("halve_videos", "cache_mb") if key in options}
    data = DataConfig(paths=tuple(map(str, paths)), video_share=video_share, **reading)
    return ClipSource(data, crop, Augmentation(**options))


def write_video(path, scenes: list[int], size=(96, 128), rate=24) -> None:
    """Scenes of flat, slowly changing colour, each of so many frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"g": "12", "crf": "10"})
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        for scene, frames in enumerate(scenes):
            for t in range(frames):
                pixels = np.full((*size, 3), 30 + 160 * (scene % 2), np.uint8)
                pixels[:, : 16 + t % 64] = 90
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three photographs in subfolders, one of them broken, and a video with cuts."""
    root = tmp_path_factory.mktemp("media")
    rng = np.random.default_rng(0)
    (root / "a").mkdir()
    for name in ("a/one.png", "two.jpg"):
        Image.fromarray(rng.integers(0, 256, (80, 100, 3), dtype=np.uint8)).save(root / name)
    (root / "broken.png").write_bytes((root / "a" / "one.png").read_bytes()[:40])
    write_video(root / "cut.mp4", [30, 31, 29])
    return root


def test_files_are_found_in_subfolders_and_broken_ones_named_and_left_out(folder, capsys):
    source = clips_of(folder, halve_videos=False)
    assert source.describe().startswith("2 photographs, 1 videos")
    told = capsys.readouterr().err
    assert "broken.png" in told and "left out" in told


def test_linked_folders_are_searched_and_a_link_back_ends(folder, tmp_path):
    (tmp_path / "linked").symlink_to(folder)
    (tmp_path / "self").symlink_to(tmp_path)
    found = [[path.relative_to(tmp_path / "linked") for path in kind] for kind in find_media([tmp_path])]
    assert found == [[path.relative_to(folder) for path in kind] for kind in find_media([folder])] and all(found)


def test_windows_of_a_video_are_the_frames_of_a_sequential_reading(folder):
    video = VideoFile(folder / "cut.mp4", Cache(2**26), halved=False)
    frames = list(read_video(folder / "cut.mp4"))
    assert video.length == len(frames) == 90 and (video.height, video.width) == (96, 128)
    assert list(np.flatnonzero(cuts(np.stack([thumbnail(f) for f in frames])))) == [29, 60]
    for start in (0, 42, 48):
        window, _ = video.read_window(start, 40)
        assert all(np.array_equal(a, b) for a, b in zip(window, frames[start:]))


def test_no_clip_of_a_video_crosses_a_cut(folder):
    source = clips_of(folder / "cut.mp4", video_share=1.0, halve_videos=False)
    for step in range(60):
        batch = source.batch(StepRng(0, step).numpy, 1, 9)
        gt = batch.gt
        assert not (gt.min() < -0.6 and gt.max() > 0.3)  # the greys of a dark scene and of a light one
    assert batch.lr.shape == (1, 3, 9, 16, 16)


def test_what_was_decoded_before_does_not_change_what_a_step_sees(folder):
    fresh, used, tight = (clips_of(folder, video_share=0.7, halve_videos=False, cache_mb=m) for m in (512, 512, 1))
    for step in range(5):
        used.batch(StepRng(0, step).numpy, 2, 9)
    for step in (7, 8):
        batches = [source.batch(StepRng(0, step).numpy, 2, 9).gt for source in (fresh, used, tight)]
        assert torch.equal(batches[0], batches[1]) and torch.equal(batches[0], batches[2])


def test_videos_serve_as_stills_where_there_are_no_photographs_and_the_reverse(folder, tmp_path):
    batch = clips_of(folder / "cut.mp4", crop=32).batch(np.random.default_rng(0), 2, 1)
    assert batch.gt.shape == (2, 3, 1, 32, 32)
    batch = clips_of(folder / "a", folder / "two.jpg").batch(np.random.default_rng(0), 2, 9)
    assert batch.gt.shape == (2, 3, 9, 64, 64)


def test_a_video_cut_too_often_is_one_clear_error(tmp_path):
    write_video(tmp_path / "flicker.mp4", [3] * 20)
    with pytest.raises(NoUncutSequence):
        VideoFile(tmp_path / "flicker.mp4", Cache(2**24), False).sequence(np.random.default_rng(0), 9)
    with pytest.raises(FileNotFoundError, match="cut too often"):
        clips_of(tmp_path, video_share=1.0, halve_videos=False).batch(np.random.default_rng(0), 1, 9)


def test_nothing_usable_left_is_one_clear_error(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="none of 4 files"):
        clips_of(folder, crop=256)
    (tmp_path / "clip.mp4").write_bytes(b"not a video")
    with pytest.raises(FileNotFoundError, match="none of 1 files"):
        clips_of(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        clips_of(tmp_path / "absent")


def test_a_photograph_broken_behind_its_header_is_passed_over(folder, tmp_path, capsys):
    whole = (folder / "two.jpg").read_bytes()
    (tmp_path / "cut short.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "whole.jpg").write_bytes(whole)
    source = clips_of(tmp_path, video_share=0.0)
    for step in range(5):
        source.batch(StepRng(0, step).numpy, 1, 1)
    assert capsys.readouterr().err.count("cut short.jpg") == 1


def test_a_photograph_with_a_film_behind_it_is_whole_and_a_cut_one_is_left_out(tmp_path):
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(whole, "jpeg")
    (tmp_path / "moving.jpg").write_bytes(whole.getvalue() + bytes(TAIL_BYTES))
    (tmp_path / "cut.jpg").write_bytes(whole.getvalue()[:-100])
    assert PhotoFile(tmp_path / "moving.jpg", Cache(0)).pixels().shape == (64, 64, 3)
    with pytest.raises(BrokenFile, match="truncated"):
        PhotoFile(tmp_path / "cut.jpg", Cache(0))


def test_photographs_are_turned_upright(tmp_path):
    image = Image.fromarray(np.zeros((60, 90, 3), np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    photo = PhotoFile(tmp_path / "turned.jpg", Cache(2**20))
    assert (photo.height, photo.width) == photo.pixels().shape[:2] == (90, 60)


def test_the_cache_drops_what_was_used_longest_ago():
    cache, made = Cache(250), []
    for key in ("a", "b", "a", "c", "a", "b"):
        cache.get(key, lambda key=key: made.append(key) or (np.zeros(100, np.uint8),))
    assert made == ["a", "b", "c", "b"] and cache.used <= 250


def test_the_most_detailed_of_some_crops_is_taken_as_often_as_asked(tmp_path):
    picture = np.full((64, 640, 3), 128, np.uint8)
    picture[:, 320:] = np.random.default_rng(0).integers(0, 256, (64, 320, 3))
    Image.fromarray(picture).save(tmp_path / "half.png")

    def detail(prob: float, candidates: int = 2) -> float:
        source = clips_of(tmp_path, video_share=0.0, detail_crop_prob=prob, detail_crop_candidates=candidates)
        return float(source.batch(np.random.default_rng(0), 64, 1).gt.diff(dim=-1).abs().mean())

    assert detail(0.0) < 0.8 * detail(1.0)
    assert detail(1.0) < 0.9 * detail(1.0, candidates=4)


def test_enlarged_clips_keep_their_size_and_lose_their_finest_detail(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "noise.png")

    def detail(blur_prob: float) -> float:
        batch = clips_of(tmp_path, video_share=0.0, blur_prob=blur_prob).batch(np.random.default_rng(0), 32, 1)
        assert batch.gt.shape == (32, 3, 1, 64, 64) and batch.lr.shape == (32, 3, 1, 16, 16)
        return float(batch.gt.diff(dim=-1).abs().mean())

    assert detail(1.0) < 0.9 * detail(0.0)


def test_enlarged_clips_have_noise_where_asked(tmp_path):
    Image.fromarray(np.full((96, 96, 3), 128, np.uint8)).save(tmp_path / "grey.png")

    def spread_of(noise_std: float) -> torch.Tensor:
        source = clips_of(tmp_path, video_share=0.0, blur_prob=1.0, noise_std=noise_std)
        return (source.batch(np.random.default_rng(0), 8, 1).gt * 127.5).std(dim=(1, 2, 3, 4))

    assert (spread_of(0.0) == 0).all()
    spread = spread_of(2.5)
    assert (spread <= 2.7).all() and 0.6 < spread.mean() < 1.9


def test_letters_move_with_the_photograph(tmp_path):
    Image.fromarray(np.full((400, 400, 3), 128, np.uint8)).save(tmp_path / "grey.png")
    plain, written = (clips_of(tmp_path, video_share=0.0, letters_prob=prob, crop=128) for prob in (0.0, 1.0))
    assert (plain._augmented_clip(np.random.default_rng(0), 9) == 128).all()
    shown, moved = 0, 0
    for seed in range(12):
        clip = written._photo_clip(np.random.default_rng(seed), 9, letters=True).astype(int)
        first, last = clip[0], clip[-1]
        shown += first.std() > 1
        path = written._photo_clip(np.random.default_rng(seed), 9)
        assert (path == 128).all(), "the photograph itself is left as it was"
        moved += first.std() > 1 and last.std() > 1 and not np.array_equal(first, last)
    assert shown >= 8 and moved >= 5


def test_letters_are_lighter_or_darker_than_what_is_behind_them_and_leave_the_rest():
    picture = np.full((256, 256, 3), 128, np.uint8)
    seen = 0
    for seed in range(40):
        written = draw_letters(picture, np.random.default_rng(seed))
        assert written.shape == picture.shape and written.dtype == np.uint8
        assert np.array_equal(written, draw_letters(picture, np.random.default_rng(seed)))
        changed = (written != 128).any(axis=-1)
        if changed.sum() > 100:
            seen += 1
            assert np.abs(written[changed].astype(int) - 128).max() > 20
            assert not changed.all()
    assert seen > 30


def test_clips_are_mirrored_and_reversed_as_often_as_said():
    clip = np.zeros((2, 2, 2, 3), np.uint8)
    clip[0, 0, 0] = 1
    places = [np.argwhere(flip(clip, np.random.default_rng(seed))[..., 0])[0] for seed in range(400)]
    assert np.mean(places, axis=0) == pytest.approx([0.25, 0.25, 0.5], abs=0.07)  # of time, top and left


def test_clips_with_other_colours_keep_their_content():
    clip = np.zeros((3, 32, 32, 3), np.uint8)
    clip[:, 4, :, 1] = 200  # a horizontal green line
    shapes = set()
    for seed in range(20):
        changed = change_colours(clip, np.random.default_rng(seed)).astype(int)
        assert changed.shape == clip.shape and (changed == changed[:1]).all()
        (colour,) = [c for c in range(3) if np.ptp(changed[..., c])]
        line = changed[0, :, :, colour] > changed[0, 0, 0, colour]
        assert (line == (clip[0, ..., 1] > 0)).all() or (line == (clip[0, ..., 1] > 0).T).all()
        shapes.add((colour, bool(line[4, 0])))
    assert len(shapes) == 6  # of three colours, upright and on its side


def test_hidden_and_irregular_files_are_not_read(folder, tmp_path, capsys):
    photo = (folder / "a" / "one.png").read_bytes()
    for name in ("good.png", "._good.png", ".thumbnails/small.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(photo)
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "zero.png").write_bytes(b"")
    source = clips_of(tmp_path)
    assert source.describe().startswith("1 photographs, 0 videos")
    assert capsys.readouterr().err.count("left out: ") == 1  # zero.png
    with pytest.raises(FileNotFoundError, match="pipe.png: neither a folder nor a regular file"):
        clips_of(tmp_path / "pipe.png")


@pytest.mark.parametrize("content", [b"", b"junk", b"\x93NUMPY\x01\x00\xff\xff"])
def test_arrays_that_prepare_did_not_write_are_left_out(content, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    np.save(tmp_path / "photos" / "good.npy", np.zeros((80, 80, 3), np.uint8))
    np.save(tmp_path / "photos" / "float.npy", np.zeros((80, 80, 3)))
    np.save(tmp_path / "photos" / "objects.npy", np.array([{}], dtype=object))
    (tmp_path / "photos" / "bad.npy").write_bytes(content)
    assert len(clips_of(tmp_path).photos) == 1
    assert capsys.readouterr().err.count("not an array that turbovsr.train.prepare wrote") == 3


def test_prepared_arrays_hold_no_file_open_until_they_are_read(tmp_path, monkeypatch):
    """Systems let a process open 1024 files or so: further photographs were left out of the training."""
    mapped = []
    open_memmap = np.lib.format.open_memmap

    def watched(*given, **options):
        array = open_memmap(*given, **options)
        mapped.append(weakref.ref(array))
        return array

    monkeypatch.setattr(np.lib.format, "open_memmap", watched)
    rng = np.random.default_rng(0)
    shapes = {"photos": (80, 90, 3), "shots": (5, 70, 80, 3)}
    arrays = {name: rng.integers(0, 256, shape, np.uint8) for name, shape in shapes.items()}
    for name, array in arrays.items():
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "0.npy", array)
    source = clips_of(tmp_path)
    assert len(mapped) == 2 and [each() for each in mapped] == [None, None]
    assert np.array_equal(source.photos[0].pixels(), arrays["photos"])
    assert np.array_equal(source.videos[0].sequence(rng, 5), arrays["shots"])


def test_photographs_are_drawn_by_their_odds_without_adding_these_up_at_each_draw(tmp_path, monkeypatch):
    for index, side in enumerate((64, 90, 300)):
        Image.fromarray(np.full((side, side, 3), index, np.uint8)).save(tmp_path / f"{index}.png")
    source = clips_of(tmp_path, crop=64)
    odds = np.array([photo.height for photo in source.photos], float)
    expected = [int(StepRng(0, step).numpy.choice(3, p=odds / odds.sum())) for step in range(40)]

    class Unweighted(np.random.Generator):
        def choice(self, *given, **options):
            assert "p" not in options
            return super().choice(*given, **options)

    rngs = [Unweighted(StepRng(0, step).numpy.bit_generator) for step in range(40)]
    assert [int(source._photo_clip(rng, 1).max()) for rng in rngs] == expected


def test_the_name_of_a_broken_file_is_printed_escaped(tmp_path, capfd):
    (tmp_path / "a\x1b[2J.png").write_bytes(b"no picture")
    with pytest.raises(FileNotFoundError):
        ClipSource(DataConfig((str(tmp_path),)), crop=32)
    said = capfd.readouterr().err
    assert "a\\x1b[2J.png" in said and "\x1b" not in said
