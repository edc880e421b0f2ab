"""Which weights an input gets."""

import numpy as np
import pytest
from skimage import data

from frames.images import write_image
from frames.video import write_video
from turbovsr import models
from turbovsr.__main__ import main


@pytest.mark.parametrize("degraded, chosen", [(False, "nano,"), (True, "nano-real,")])
@pytest.mark.parametrize("name", ["in.png", "in.mkv"])
def test_noise_decides_between_the_weights(tmp_path, capsys, monkeypatch, name, degraded, chosen):
    monkeypatch.setattr(models.TurboVSR, "from_pretrained", _stopped)
    frame = data.astronaut()[::4, ::4].copy()
    if degraded:
        noise = np.random.default_rng(0).normal(0, 25, frame.shape)
        frame = (frame + noise).clip(0, 255).astype(np.uint8)
    if name.endswith("png"):
        write_image(tmp_path / name, frame)
    else:
        write_video(tmp_path / name, [frame] * 6, 25, lossless=True)
    assert main([str(tmp_path / name), str(tmp_path / "out"), "--scale", "2"]) == 3
    said = capsys.readouterr().err
    assert f"weights {chosen} for the input is" in said


def test_a_damaged_video_is_judged_by_its_first_frames(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(models.TurboVSR, "from_pretrained", _stopped)
    moving = [data.astronaut()[at::4, ::4].copy() for at in (0, 1, 2, 3)] * 3
    write_video(tmp_path / "whole.mkv", moving, 25, lossless=True)
    content = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(content[: len(content) * 4 // 5])
    assert main([str(tmp_path / "cut.mkv"), str(tmp_path / "out")]) == 3
    assert "weights nano, for the input is" in capsys.readouterr().err


def test_images_are_judged_by_those_before_a_broken_one(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(models.TurboVSR, "from_pretrained", _stopped)
    for index in range(3):
        write_image(tmp_path / "in" / f"{index}.png", data.astronaut()[index::4, ::4].copy())
    content = (tmp_path / "in" / "2.png").read_bytes()
    (tmp_path / "in" / "2.png").write_bytes(content[:-40])
    assert main([str(tmp_path / "in"), str(tmp_path / "out")]) == 3
    assert "weights nano, for the input is" in capsys.readouterr().err


def _stopped(weights, **options):
    raise ValueError(f"{weights} would be loaded")
