"""RealBasicVSR against a reference written from its paper and published configuration, on random weights."""

import pytest
import torch

from baselines.realbasicvsr import RealBasicVSR
from baselines.realbasicvsr.network import RealNetwork, load
from tests.baselines.recurrent import (
    conv,
    convolution,
    eight_bits,
    residuals,
    run_residuals,
    run_upsampling,
    spynet,
    warped,
)

CLEANING, BLOCKS = 2, 1


def checkpoint(residue=1.0):
    """Tensors under the names of the published checkpoint's generator; `residue` scales what is cleaned."""
    torch.manual_seed(0)
    state = {}
    residuals(state, "image_cleaning.0", 3, 64, CLEANING)
    convolution(state, "image_cleaning.1", 64, 3)
    for part in ("weight", "bias"):
        state[f"image_cleaning.1.{part}"] *= residue
    spynet(state, "basicvsr.spynet", of_mmagic=True)
    for direction in ("backward", "forward"):
        residuals(state, f"basicvsr.{direction}_resblocks", 67, 64, BLOCKS)
    convolution(state, "basicvsr.fusion", 128, 64, 1)
    for up in ("upsample1", "upsample2"):
        convolution(state, f"basicvsr.{up}.upsample_conv", 64, 256)
    convolution(state, "basicvsr.conv_hr", 64, 64)
    convolution(state, "basicvsr.conv_last", 64, 3)
    return state


def saved(folder, state):
    """As MMagic keeps a GAN: an averaged generator, the other one, a discriminator, a counter."""
    stored = {f"generator_ema.{name}": value for name, value in state.items()}
    stored |= {f"generator.{name}": value + 1 for name, value in state.items()}
    stored |= {"discriminator.conv.weight": torch.ones(1), "step_counter": torch.zeros(1)}
    torch.save({"meta": {"epoch": 1}, "state_dict": stored}, folder / "w.pth")
    return folder / "w.pth"


def cleaned(state, clip, threshold):
    """At most three times, until the mean residue of the whole clip is small."""
    count = 0
    while count < 3:
        count += 1
        residue = conv(state, "image_cleaning.1", run_residuals(state, "image_cleaning.0", clip, CLEANING))
        clip = clip + residue
        if residue.abs().mean() < threshold / 255:
            break
    return clip, count


def reference(state, clip, flow):
    """uint8 SR frames of a cleaned float (T, 3, H, W) clip: BasicVSR, both directions."""
    frames = [clip[t : t + 1] for t in range(len(clip))]
    found = {}
    for direction, order in (("backward", range(len(frames) - 1, -1, -1)), ("forward", range(len(frames)))):
        feature, before = torch.zeros(1, 64, *clip.shape[2:]), None
        for t in order:
            if before is not None:
                feature = warped(feature, flow(frames[t], frames[before]))
            x = torch.cat((frames[t], feature), 1)
            feature = found[direction, t] = run_residuals(state, f"basicvsr.{direction}_resblocks", x, BLOCKS)
            before = t
    out = []
    for t, frame in enumerate(frames):
        x = conv(state, "basicvsr.fusion", torch.cat((found["backward", t], found["forward", t]), 1))
        x = torch.nn.functional.leaky_relu(x, 0.1)
        ups = [f"basicvsr.{up}.upsample_conv" for up in ("upsample1", "upsample2")]
        out.append(run_upsampling(state, *ups, x, frame, at="basicvsr."))
    return eight_bits(torch.cat(out))


@pytest.mark.parametrize("residue, threshold, times", [(0.02, 255, 1), (0.02, 0, 3)])
def test_equals_the_reference_on_random_weights(tmp_path, residue, threshold, times, panning_lr):
    state = checkpoint(residue)
    upscaler = RealBasicVSR(saved(tmp_path, state), threshold=threshold)
    clip = panning_lr[..., :8, :9]
    with torch.inference_mode():
        clean, count = cleaned(state, clip.float() / 255, threshold)
        assert count == times
        expected = reference(state, clean, upscaler.network.basicvsr.flow)
        difference = (upscaler.upscale(clip).int() - expected.int()).abs()
    assert difference.max() <= 1 and (difference != 0).float().mean() < 0.01


def test_cleaning_stops_when_little_is_left(tmp_path, panning_lr):
    network = load(saved(tmp_path, checkpoint(0.02)))
    with torch.inference_mode():
        for threshold, times in ((1.0, 1), (0.0, 3)):
            assert network.clean(panning_lr.float().div(255), threshold) == times


def test_the_published_configuration_has_the_published_size():
    assert sum(each.numel() for each in RealNetwork(20, 20).parameters()) == 6_294_834  # "6.3 M" in the paper's table 2


def test_what_does_not_fit_is_one_line(tmp_path):
    state = checkpoint()
    with pytest.raises(ValueError, match="method.threshold=300: write grey levels"):
        RealBasicVSR(saved(tmp_path, state), threshold=300)
    state.pop("image_cleaning.1.bias")
    with pytest.raises(ValueError, match="no RealBasicVSR checkpoint: misses 1 keys .image_cleaning.1.bias"):
        load(saved(tmp_path, state))
    torch.save({"conv.weight": torch.ones(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="no RealBasicVSR checkpoint: misses"):
        load(tmp_path / "other.pth")
