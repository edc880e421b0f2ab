import json
from pathlib import Path

import numpy as np
import pytest
import torch

from baselines import ncnn
from baselines.realesrgan import RealESRGAN, checkpoint
from baselines.tiling import upscale_tiled

GOLDEN = Path(__file__).parents[1] / "golden" / "realesrgan_ncnn.json"
FILES = {"x4plus": "x4plus", "animevideov3": "animevideov3-x4"}


@pytest.fixture(scope="module")
def files(asset):
    """model -> (param, weights)."""
    return lambda model: tuple(asset(f"realesrgan/{FILES[model]}.{end}") for end in ("param", "bin"))


@pytest.fixture(scope="module")
def fast(files) -> RealESRGAN:
    return RealESRGAN("animevideov3", *files("animevideov3"))


@pytest.mark.parametrize("model", FILES)
def test_equals_ncnn(model, files, panning_lr):
    golden = np.array(json.loads(GOLDEN.read_text())["models"][model])
    sr = RealESRGAN(model, *files(model)).upscale(panning_lr[:1, :, :24, 5:25])
    assert np.abs(sr[0, :, ::8, ::8].numpy() - golden).max() < 0.52  # rounding to 8 bits, and of the golden numbers


def test_keeps_the_content_of_a_photograph(fast, panning_lr, panning_hr):
    # A GAN's texture costs PSNR; a shift, swapped channels or a wrong range would cost far more.
    error = fast.upscale(panning_lr[:1])[0].permute(1, 2, 0).numpy() - panning_hr[0].astype(np.float64)
    assert 10 * np.log10(255**2 / (error**2).mean()) > 21
    assert np.abs(error.mean(axis=(0, 1))).max() < 6


def test_tiles_give_the_whole_frame(files, fast, panning_lr):
    tiled = RealESRGAN("animevideov3", *files("animevideov3"), tile=16)
    difference = tiled.upscale(panning_lr[:1]).int() - fast.upscale(panning_lr[:1]).int()
    # The context is all that this network sees; another order of sums may turn a rare rounding.
    assert difference.abs().max() <= 1 and (difference != 0).float().mean() < 1e-3
    automatic = RealESRGAN("animevideov3", *files("animevideov3"), tile="auto")
    assert automatic.descriptor.notes.startswith("frames above")
    assert automatic.upscale(panning_lr[:1]).equal(fast.upscale(panning_lr[:1]))


def test_tiles_cover_every_pixel_once():
    frame = torch.arange(3 * 29 * 50).reshape(1, 3, 29, 50)
    out = torch.full((3, 58, 100), -1)
    upscale_tiled(lambda x: x.repeat_interleave(2, 2).repeat_interleave(2, 3), frame, 2, 7, 3, out)
    assert torch.equal(out, frame[0].repeat_interleave(2, 1).repeat_interleave(2, 2))


@pytest.mark.parametrize("shape", [(2, 3, 7, 5), (1, 3, 1, 1)], ids=str)
def test_any_size(fast, shape):
    sr = fast.upscale(torch.full(shape, 100, dtype=torch.uint8))
    assert sr.dtype == torch.uint8 and sr.shape == (*shape[:2], 4 * shape[2], 4 * shape[3])


def test_bfloat16_is_close_to_float32(files, fast, panning_lr):
    half = RealESRGAN("animevideov3", *files("animevideov3"), precision="bfloat16")
    small = panning_lr[:1, :, :16, :20]
    difference = half.upscale(small).float() - fast.upscale(small).float()
    assert difference.square().mean().sqrt() < 2


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({"scale": 3}, "scale 4 only, not 3"),
        ({"tile": -1}, "method.tile=-1"),
        ({"model": "x9"}, "x4plus, animevideov3"),
    ],
    ids=str,
)
def test_wrong_options_are_refused(files, options, complaint):
    param, weights = files("animevideov3")
    with pytest.raises(ValueError, match=complaint):
        RealESRGAN(**{"model": "animevideov3", "param": param, "weights": weights} | options)


def test_the_other_models_files_are_refused(files):
    with pytest.raises(ValueError, match="give x4plus's file"):
        checkpoint.load("x4plus", *files("animevideov3"))


def test_layers_of_another_shape_are_refused(files, tmp_path):
    param, weights = files("animevideov3")
    swapped = tmp_path / "swapped.param"
    # The last convolution's 48 outputs of 64 x 3 x 3 read as 192 outputs of 16 x 3 x 3.
    swapped.write_text(param.read_text().replace("0=48 1=3 4=1 5=1 6=27648", "0=192 1=3 4=1 5=0 6=27648"))
    longer = tmp_path / "fitting.bin"
    longer.write_bytes(weights.read_bytes()[: -4 * 48])
    with pytest.raises(ValueError, match="swapped.param: layer Conv_34 is not animevideov3's"):
        checkpoint.load("animevideov3", swapped, longer)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("", "first line"),
        ("hello\n1 1\n", "first line"),
        ("7767517\n3 3\nInput in 0 1 data\n", "announces 3 layers and has 1"),
        ("7767517\n1 1\nConvolution conv 1 1 in\n", "cut short"),
        ("7767517\nmany\n", "invalid literal"),
    ],
)
def test_a_param_file_that_is_none_is_named(tmp_path, text, complaint):
    file = tmp_path / "model.param"
    file.write_text(text)
    with pytest.raises(ValueError, match=f"model.param: not a complete ncnn .param file .*{complaint}") as error:
        ncnn.read_param(file)
    assert "\n" not in str(error.value)


def test_weights_cut_short_or_too_long_or_foreign_are_named(files, tmp_path):
    param, weights = files("animevideov3")
    layers = ncnn.read_param(param)
    content = weights.read_bytes()
    broken = tmp_path / "model.bin"
    for bad, complaint in (
        (content[: len(content) // 2], "cut short"),
        (content + bytes(4), "4 bytes more"),
        (b"\x01\x02\x03\x04" + content[4:], "unknown weight encoding 0x04030201"),
        (b"", "cut short"),
    ):
        broken.write_bytes(bad)
        with pytest.raises(ValueError, match=f"model.bin: .*{complaint}"):
            ncnn.read_weights(layers, broken)


def test_layers_of_unknown_kinds_are_refused(tmp_path):
    (tmp_path / "model.param").write_text("7767517\n1 1\nGRU gru 1 1 in out 0=3\n")
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(ValueError, match="layer gru is a GRU"):
        ncnn.read_weights(ncnn.read_param(tmp_path / "model.param"), tmp_path / "model.bin")


@pytest.mark.parametrize(
    "options, complaint",
    [
        ("0=-3", "option 0 is '-3', not a count"),
        ("0=0.5", "not a count"),
        ("", "asks for no weights"),
        ("0=99999999999999999999", "cut short"),
    ],
)
def test_absurd_sizes_are_refused(tmp_path, options, complaint):
    (tmp_path / "model.param").write_text(f"7767517\n1 1\nPReLU act 1 1 in out {options}\n")
    (tmp_path / "model.bin").write_bytes(bytes(8))
    with pytest.raises(ValueError, match=complaint):
        ncnn.read_weights(ncnn.read_param(tmp_path / "model.param"), tmp_path / "model.bin")


def test_absent_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.param"):
        ncnn.read_param(tmp_path / "none.param")
    with pytest.raises(FileNotFoundError, match="none.bin"):
        ncnn.read_weights([], tmp_path / "none.bin")


def test_float16_items_are_padded_to_four_bytes(tmp_path):
    layer = ncnn.Layer("Convolution", "conv", {0: "1", 1: "1", 5: "1", 6: "3"})
    values = np.array([0.5, -2, 3], dtype="<f2").tobytes() + bytes(2)
    (tmp_path / "model.bin").write_bytes(0x01306B47.to_bytes(4, "little") + values + np.array([7], "<f4").tobytes())
    [(_, arrays)] = ncnn.read_weights([layer], tmp_path / "model.bin")
    assert arrays["weight"].ravel().tolist() == [0.5, -2, 3] and arrays["bias"].tolist() == [7]
