"""Pairs of LR clips and another upscaler's frames, made with a method that needs no weights."""

import numpy as np
import pytest

from frames.bicubic import bicubic
from frames.errors import UserError
from studies.pairs import main, moved
from turbovsr.train.pairs import read, target_index


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "data" / "photos").mkdir(parents=True)
    (tmp_path / "data" / "shots").mkdir()
    np.save(tmp_path / "data" / "photos" / "a.npy", rng.integers(0, 256, (300, 280, 3), dtype=np.uint8))
    np.save(tmp_path / "data" / "shots" / "b.npy", rng.integers(0, 256, (6, 260, 270, 3), dtype=np.uint8))
    return tmp_path / "data"


def run(monkeypatch, *words) -> int:
    monkeypatch.setattr("sys.argv", ["studies.pairs", *map(str, words)])
    return main()


def test_a_pair_holds_a_degraded_clip_and_the_methods_frame_of_it(data, tmp_path, monkeypatch):
    import torch

    out = tmp_path / "pairs"
    words = (out, "--data", data, "--count", 2, "--first", 5, "--shift", 0, "--method", "method=bicubic")
    threads = torch.get_num_threads()
    try:
        assert run(monkeypatch, *words) == 0
    finally:
        torch.set_num_threads(threads)
    assert sorted(path.name for path in out.iterdir()) == ["clip-000006.npz", "settings.json", "still-000005.npz"]
    for path in out.glob("*.npz"):
        pair = read(path)
        assert pair.lr.shape == ((4 if "clip" in path.name else 1), 64, 64, 3)
        lr = torch.from_numpy(pair.lr[target_index(len(pair.lr))].transpose(2, 0, 1))[None].float()
        wanted = bicubic(lr, (256, 256)).round().clamp(0, 255)[0].permute(1, 2, 0).numpy()
        assert np.abs(pair.sr - wanted).max() <= 1
    (out / "still-000005.npz").unlink()
    before = (out / "clip-000006.npz").stat().st_mtime_ns
    assert run(monkeypatch, *words) == 0  # what is there stays, what is missing is made
    assert (out / "clip-000006.npz").stat().st_mtime_ns == before and (out / "still-000005.npz").is_file()
    with pytest.raises(UserError, match="settings.json: this folder was made with other settings"):
        run(monkeypatch, *words, "--seed", 2)


def test_frames_are_moved_by_a_fraction_of_a_pixel():
    x = np.arange(64)
    wave = lambda shift: 128 + 100 * np.sin((x - shift) / 5)  # noqa: E731
    frame = np.rint(np.broadcast_to(wave(0)[None, :, None], (64, 64, 3))).astype(np.uint8)
    there = moved(frame, 0.4)
    assert np.abs(there[:, 8:-8, 0] - wave(0.4)[8:-8]).max() < 2
    assert np.array_equal(moved(frame, 0), frame)


def test_a_method_of_another_scale_is_refused_before_any_pair_is_made(data, tmp_path, monkeypatch):
    words = (tmp_path / "pairs", "--data", data, "--count", 1, "--method", "method=bicubic")
    for more in (["scale=2"], ["--method", "scale=2"]):  # a repeated --method adds words
        with pytest.raises(UserError, match="it upscales by 2, pairs are of 4"):
            run(monkeypatch, *words, *more)
    assert not (tmp_path / "pairs").exists()
