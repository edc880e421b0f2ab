"""Quality of the packaged weights, on photographs nobody trained on."""

from statistics import fmean

import numpy as np
import pytest
import torch
from skimage import data

from frames.bicubic import bicubic
from frames.degradations.once import Once
from turbovsr import TurboVSR
from turbovsr.train.backbones import lpips_alex
from turbovsr.train.lattice import line_ratios
from turbovsr.train.validate import scores


def frame(photo) -> torch.Tensor:
    """(1, 3, 256, 256) in 0..255 from the middle of a photograph."""
    top, left = (photo.shape[0] - 256) // 2, (photo.shape[1] - 256) // 2
    return torch.from_numpy(photo[top : top + 256, left : left + 256].copy()).permute(2, 0, 1)[None].float()


@pytest.mark.filterwarnings("ignore")
def test_shipped_weights_beat_bicubic_on_held_out_photographs(asset):
    networks = {"lpips": lpips_alex(asset("lpips/alexnet.ckpt"))}
    model = TurboVSR.from_pretrained()
    found = {"sr": [], "bicubic": []}
    for photo in (data.astronaut(), data.coffee(), data.chelsea(), data.rocket()):
        gt = frame(photo)
        lr = bicubic(gt, (64, 64)).round().clamp(0, 255)
        pictures = {"sr": model.upscale(lr.to(torch.uint8)).float(), "bicubic": bicubic(lr, (256, 256))}
        for name, picture in pictures.items():
            clips = ((x[0].unsqueeze(1) / 127.5 - 1)[None] for x in (picture, gt))
            found[name].append(scores(*clips, networks))
    mean = {name: {key: fmean(s[key] for s in all_of) for key in all_of[0]} for name, all_of in found.items()}
    assert mean["sr"]["lpips"] < 0.6 * mean["bicubic"]["lpips"]
    assert mean["sr"]["psnr-y"] > mean["bicubic"]["psnr-y"]


@pytest.mark.filterwarnings("ignore")
def test_nano_real_is_nearer_than_bicubic_and_nano_on_noisy_compressed_photographs(asset):
    distance = lpips_alex(asset("lpips/alexnet.ckpt"))
    models = {name: TurboVSR.from_pretrained(name) for name in ("nano", "nano-real")}
    found: dict[str, list[float]] = {"bicubic": [], **{name: [] for name in models}}
    for photo in (data.astronaut(), data.coffee(), data.rocket()):
        gt = frame(photo)
        clip = gt[0].permute(1, 2, 0)[None].to(torch.uint8).numpy()
        degraded = Once(blur=1.2, noise=6, jpeg=60, crf=28)(clip, np.random.default_rng(0))
        lr = torch.from_numpy(degraded).permute(0, 3, 1, 2)
        pictures = {name: model.upscale(lr).float() for name, model in models.items()}
        for name, sr in (pictures | {"bicubic": bicubic(lr.float(), (256, 256))}).items():
            found[name].append(distance(sr / 127.5 - 1, gt / 127.5 - 1).item())
    mean = {name: fmean(values) for name, values in found.items()}
    assert mean["nano-real"] < 0.75 * mean["bicubic"] and mean["nano-real"] < mean["nano"]


def test_shipped_weights_write_nothing_that_repeats_with_the_lr_pixels():
    model = TurboVSR.from_pretrained()
    ratios = []
    for photo in (data.astronaut(), data.coffee(), data.chelsea(), data.rocket()):
        lr = bicubic(frame(photo), (64, 64)).round().clamp(0, 255).to(torch.uint8)
        ratios.append(line_ratios(model.upscale(lr).float() / 127.5 - 1, 64)[..., [1, 3]].mean().item())
    assert fmean(ratios) < 0  # at 1/4 and 1/2 cycles a pixel; +0.3 for the weights of 2026-11-26, GT -0.1
