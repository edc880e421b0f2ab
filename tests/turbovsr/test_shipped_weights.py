"""What the packaged weights can do, on photographs nobody trained on."""

import pytest
import torch
from skimage import data

from turbovsr import TurboVSR
from turbovsr.resample import bicubic
from turbovsr.train.losses import lpips_alex
from turbovsr.train.validate import scores


def frame(photo) -> torch.Tensor:
    """(1, 3, 256, 256) in 0..255 from the middle of a photograph."""
    top, left = (photo.shape[0] - 256) // 2, (photo.shape[1] - 256) // 2
    return torch.from_numpy(photo[top : top + 256, left : left + 256].copy()).permute(2, 0, 1)[None].float()


@pytest.mark.filterwarnings("ignore")
def test_shipped_weights_beat_bicubic_on_a_held_out_photograph(asset):
    networks = {"lpips": lpips_alex(asset("lpips/alexnet.ckpt"))}
    gt = frame(data.chelsea())
    lr = bicubic(gt, (64, 64)).round().clamp(0, 255)
    base = bicubic(lr, (256, 256))
    sr = TurboVSR.from_pretrained().upscale(lr.to(torch.uint8)).float()

    def score(picture):
        return scores(*((x[0].unsqueeze(1) / 127.5 - 1)[None] for x in (picture, gt)), networks)

    assert score(sr)["lpips"] < 0.8 * score(base)["lpips"]
    assert score(sr)["psnr-y"] > score(base)["psnr-y"]
