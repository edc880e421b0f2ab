"""The ready files of programs: what each is started with, by a program of its name that repeats pixels."""

import sys
from pathlib import Path

import pytest
import torch

from bench import config
from bench.datasets.clip import Clip
from bench.datasets.sources import Unreadable
from bench.methods.contract import no_stages
from bench.methods.programs import on_program
from bench.run.plan import method_config
from bench.targets import build

ROOT = Path(__file__).parents[2]
PROGRAM = """#!{python}
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from frames.images import read_image, write_png
from frames.video import read_video, write_video
words = sys.argv[1:]
if "--version" in words:
    print("made up 6.4")
    raise SystemExit
given = dict(zip(words, words[1:]))
source, target, scale = Path(given["-i"]), Path(given["-o"]), int(given["-s"])
assert given.get("-n", given.get("--realesrgan-model")), words
def big(frame):
    return frame.repeat(scale, 0).repeat(scale, 1)
if source.is_dir():
    for file in sorted(source.glob("*.png")):
        write_png(target / file.name, big(read_image(file)))
else:
    write_video(target, map(big, read_video(source)), 25, lossless=True)
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Programs of these names, first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("realesrgan-ncnn-vulkan", "upscayl-bin", "video2x"):
        (folder / name).write_text(PROGRAM.format(python=sys.executable, root=str(ROOT)))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def opened(name, *options):
    (combination,) = config.expand(["data=sample", f"method={name}", "device=cpu", *options])
    return build(method_config(combination))


@pytest.mark.parametrize("name", ["realesrgan_ncnn", "upscayl", "video2x"])
def test_a_program_gets_frames_and_its_frames_come_back(programs, name, tmp_path, panning_lr):
    method = opened(name)
    small = panning_lr[:2, :, :16, :24]
    clip = Clip("c", 2, 25.0, 4, (16, 24), None, "given", Unreadable("not read here"), None)
    call = on_program(method, [frame.permute(1, 2, 0).numpy() for frame in small], clip, tmp_path / "work")
    expected = small.repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert torch.equal(call(no_stages, False)(), expected)
    assert method.descriptor.name == name and method.descriptor.device == "elsewhere"
    assert ("made up 6.4" in method.descriptor.notes) == (name == "video2x")


@pytest.mark.parametrize("name", ["realesrgan_ncnn", "upscayl", "video2x", "ffmpeg_sr"])
def test_a_program_that_is_not_there_is_one_line(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "espcn.pb").write_bytes(b"graph")
    options = [f"method.depends=[{tmp_path}/espcn.pb]"] if name == "ffmpeg_sr" else []
    with pytest.raises(FileNotFoundError, match="method.command: no program '.*' on PATH; install it"):
        opened(name, *options)


@pytest.mark.parametrize("kernel", ["bicubic", "spline"])
def test_ffmpeg_s_kernels_are_close_to_lanczos(kernel, tmp_path, panning_lr):
    pytest.importorskip("imageio_ffmpeg", reason="imageio-ffmpeg is not installed (the extra `vmaf`)")
    small = panning_lr[:1, :, :16, :24]
    clip = Clip("c", 1, 25.0, 4, (16, 24), None, "given", Unreadable("not read here"), None)
    frames = [frame.permute(1, 2, 0).numpy() for frame in small]
    sr = {
        name: on_program(opened(f"ffmpeg_{name}"), frames, clip, tmp_path / name)(no_stages, False)()
        for name in (kernel, "lanczos")
    }
    difference = (sr[kernel].float() - sr["lanczos"].float())[..., 8:-8, 8:-8]
    assert 0 < difference.square().mean().sqrt() < 6
