import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage import data

from baselines.basicvsr import BasicVSR, checkpoint
from baselines.interpolation import Interpolation

GOLDEN = Path(__file__).parents[1] / "golden" / "basicvsr_centre_frame.json"


@pytest.fixture(scope="module")
def vimeo_bi(asset) -> BasicVSR:
    return BasicVSR(asset("basicvsr/vimeo_bi.pth"), "vimeo_bi")


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * np.log10(255**2 / ((a.astype(np.float64) - b.astype(np.float64)) ** 2).mean())


@pytest.mark.parametrize("variant", ["reds4", "vimeo_bi", "vimeo_bd"])
def test_equals_the_original_code(variant, asset, panning_lr):
    golden = np.array(json.loads(GOLDEN.read_text())["variants"][variant])
    sr = BasicVSR(asset(f"basicvsr/{variant}.pth"), variant).upscale(panning_lr)
    assert np.abs(sr[1, :, ::16, ::16].numpy() - golden).max() < 0.52  # rounding to 8 bits, and of the golden numbers


def test_beats_bicubic_on_a_moving_photograph(vimeo_bi, panning_hr):
    hr = torch.from_numpy(panning_hr).permute(0, 3, 1, 2)
    lr = F.interpolate(hr.float(), scale_factor=0.25, mode="bicubic", antialias=True).add(0.5).clamp(0, 255)
    lr = lr.to(torch.uint8)
    bicubic, basicvsr = (m.upscale(lr).numpy() for m in (Interpolation("bicubic", 4), vimeo_bi))
    assert psnr(basicvsr, hr.numpy()) > psnr(bicubic, hr.numpy()) + 1


@pytest.mark.parametrize("size", [(96, 128), (75, 101)], ids=["multiples of 32", "odd"])
def test_flow_of_a_moved_picture_is_its_motion(vimeo_bi, size):
    photo = torch.from_numpy(data.astronaut()).permute(2, 0, 1)[None].float() / 255
    height, width = size
    reference = photo[..., 40 : 40 + height, 160 : 160 + width]
    support = photo[..., 38 : 38 + height, 163 : 163 + width]  # what was at (y, x) is now at (y + 2, x - 3)
    flow = vimeo_bi.flow(reference, support)
    assert flow.shape == (1, 2, *size)
    x, y = flow[0, :, 10:-10, 10:-10].flatten(1).median(dim=1).values.tolist()
    assert x == pytest.approx(-3, abs=0.25) and y == pytest.approx(2, abs=0.25)


def test_every_frame_sees_the_whole_clip(vimeo_bi, panning_lr):
    small = panning_lr[..., :16, :20]
    sr = vimeo_bi.upscale(small)
    for changed, watched in ((2, 0), (0, 2)):
        other = small.clone()
        other[changed] = 255 - other[changed]
        assert not torch.equal(vimeo_bi.upscale(other)[watched], sr[watched])


@pytest.mark.parametrize("shape", [(1, 3, 33, 40), (2, 3, 7, 5), (2, 3, 1, 1)], ids=str)
def test_any_length_and_any_size(vimeo_bi, shape):
    lr = torch.full(shape, 100, dtype=torch.uint8)
    sr = vimeo_bi.upscale(lr)
    assert sr.dtype == torch.uint8 and sr.shape == (*shape[:2], 4 * shape[2], 4 * shape[3])
    assert abs(sr.float().mean() - 100) < 10


def test_stages_are_announced_one_at_a_time(vimeo_bi, panning_lr):
    seen, open_now = [], []

    @contextmanager
    def stages(name):
        assert not open_now
        open_now.append(name)
        yield
        seen.append(open_now.pop())

    vimeo_bi.upscale(panning_lr[:2], stages)
    assert seen == ["flow", "propagate", "propagate", "reconstruct", "propagate", "reconstruct"]


def test_bfloat16_is_close_to_float32(asset, vimeo_bi, panning_lr):
    half = BasicVSR(asset("basicvsr/vimeo_bi.pth"), "vimeo_bi", precision="bfloat16")
    assert half.descriptor.dtype == "bfloat16"
    small = panning_lr[:2, :, :16, :20]
    assert psnr(half.upscale(small).numpy(), vimeo_bi.upscale(small).numpy()) > 40


def test_another_scale_is_refused(asset):
    with pytest.raises(ValueError, match="scale 4 only, not 2"):
        BasicVSR(asset("basicvsr/reds4.pth"), "reds4", scale=2)


def test_absent_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.pth"):
        checkpoint.load(tmp_path / "none.pth")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path, content):
    file = tmp_path / "weights.pth"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="weights.pth: not a readable torch checkpoint") as error:
        checkpoint.load(file)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change, complaint",
    [
        (lambda keys: keys.pop("fusion.bias"), r"misses 1 keys \(fusion.bias\)"),
        (lambda keys: keys.update(extra=torch.zeros(1)), r"has unknown 1 keys \(extra\)"),
        (lambda keys: keys.update({"conv_last.bias": torch.zeros(4)}), r"wrong shapes for 1 keys \(conv_last.bias\)"),
        (lambda keys: keys.clear(), r"no weights in it \(it is empty\)"),
    ],
    ids=["missing", "unknown", "shape", "empty"],
)
def test_keys_that_do_not_fit_are_named(asset, tmp_path, change, complaint):
    stored = torch.load(asset("basicvsr/reds4.pth"), weights_only=True)
    change(stored["params"])
    torch.save(stored, tmp_path / "weights.pth")
    with pytest.raises(ValueError, match=f"weights.pth: .*{complaint}"):
        checkpoint.load(tmp_path / "weights.pth")
