"""BasicVSR++ against a reference written from its paper and the published configurations, on random weights."""

import pytest
import torch

from baselines.basicvsrpp import BasicVSRPlusPlus
from baselines.basicvsrpp.alignment import Alignment
from baselines.basicvsrpp.network import Network, load
from tests.baselines.recurrent import (
    bilinear,
    conv,
    convolution,
    eight_bits,
    residuals,
    run_residuals,
    run_upsampling,
    spynet,
    warped,
)

PASSES = ("backward_1", "forward_1", "backward_2", "forward_2")
CHANNELS, BLOCKS = 8, 1
UPS = {"basicsr": ("upconv1", "upconv2"), "mmagic": ("upsample1.upsample_conv", "upsample2.upsample_conv")}


def checkpoint(source, channels=CHANNELS, blocks=BLOCKS):
    """Tensors under the names of BasicSR's or MMagic's checkpoints."""
    torch.manual_seed(0)
    state = {}
    spynet(state, "spynet", source == "mmagic")
    residuals(state, "feat_extract", 3, channels, 5)
    for index, name in enumerate(PASSES):
        convolution(state, f"deform_align.{name}", 2 * channels, channels)
        for place, inputs in zip((0, 2, 4), (3 * channels + 4, channels, channels)):
            convolution(state, f"deform_align.{name}.conv_offset.{place}", inputs, channels)
        convolution(state, f"deform_align.{name}.conv_offset.6", channels, 27 * 16)
        residuals(state, f"backbone.{name}", (2 + index) * channels, channels, blocks)
    residuals(state, "reconstruction", 5 * channels, channels, 5)
    convolution(state, UPS[source][0], channels, 4 * channels)
    convolution(state, UPS[source][1], channels, 4 * 64)
    convolution(state, "conv_hr", 64, 64)
    convolution(state, "conv_last", 64, 3)
    return state


def test_a_width_that_one_tensor_announces_takes_no_memory(tmp_path, allocated):
    wide = checkpoint("mmagic") | {"feat_extract.main.0.weight": torch.zeros(4096, 3, 3, 3)}
    torch.save(wide, tmp_path / "wide.pth")
    with allocated() as sizes, pytest.raises(ValueError, match="has wrong shapes for"):
        load(tmp_path / "wide.pth")
    assert max(sizes, default=0) < 1e6


def deformable(x, offset, mask, weight, bias, groups=16):
    """Modulated deformable 3x3 convolution, sample by sample: Zhu et al. 2019, equation 1."""
    _, channels, height, width = x.shape
    each = channels // groups
    out = bias.view(1, -1, 1, 1).repeat(1, 1, height, width).clone()
    for row in range(height):
        for column in range(width):
            for group in range(groups):
                part = x[0, group * each : (group + 1) * each]
                for k in range(9):
                    at = 9 * group + k
                    dy, dx = offset[0, 2 * at : 2 * at + 2, row, column].tolist()
                    value = bilinear(part, row + k // 3 - 1 + dy, column + k % 3 - 1 + dx) * mask[0, at, row, column]
                    out[0, :, row, column] += weight[:, group * each : (group + 1) * each, k // 3, k % 3] @ value
    return out


def aligned(state, name, features, seen, first, second):
    x = torch.cat((seen, first, second), 1)
    for place in (0, 2, 4):
        x = torch.nn.functional.leaky_relu(conv(state, f"{name}.conv_offset.{place}", x), 0.1)
    x = conv(state, f"{name}.conv_offset.6", x)
    offset = 10 * torch.tanh(x[:, : 18 * 16])
    for pair in range(9 * 16):
        flow = first if pair < 9 * 8 else second
        offset[:, 2 * pair] += flow[:, 1]
        offset[:, 2 * pair + 1] += flow[:, 0]
    mask = torch.sigmoid(x[:, 18 * 16 :])
    return deformable(features, offset, mask, state[f"{name}.weight"], state[f"{name}.bias"])


def alignment(state, name):
    """Our module with the weights of one pass."""
    ours = Alignment(CHANNELS)
    names = {"weight": "weight", "bias": "bias"}
    names |= {f"offsets.{p}.{part}": f"conv_offset.{p}.{part}" for p in (0, 2, 4, 6) for part in ("weight", "bias")}
    ours.load_state_dict({mine: state[f"deform_align.{name}.{theirs}"] for mine, theirs in names.items()})
    return ours


def test_the_alignment_is_that_of_the_reference_sample_by_sample():
    torch.manual_seed(1)
    state = checkpoint("basicsr")
    ours = alignment(state, "forward_1")
    features, seen = torch.randn(1, 2 * CHANNELS, 3, 4), torch.randn(1, 3 * CHANNELS, 3, 4)
    first, second = 2 * torch.randn(1, 2, 3, 4), 3 * torch.randn(1, 2, 3, 4)
    with torch.inference_mode():
        expected = aligned(state, "deform_align.forward_1", features, seen, first, second)
        assert torch.allclose(ours(features, seen, first, second), expected, atol=1e-4)


def propagated(state, name, features, flows):
    """One pass as the paper's equations (2) to (7) have it, frame by frame; alignment is tested above."""
    frames = list(range(len(features["spatial"])))
    order = frames[::-1] if name.startswith("backward") else frames
    module = alignment(state, name)
    found = {}
    for i, t in enumerate(order):
        current = features["spatial"][t]
        result = torch.zeros_like(current)
        if i > 0:
            near_feature, flow = found[order[i - 1]], flows[t, order[i - 1]]
            far_feature, far_flow, far = torch.zeros_like(current), torch.zeros_like(flow), torch.zeros_like(current)
            if i > 1:
                far_feature = found[order[i - 2]]
                far_flow = flow + warped(flows[order[i - 1], order[i - 2]], flow)
                far = warped(far_feature, far_flow)
            seen = torch.cat((warped(near_feature, flow), current, far), 1)
            result = module(torch.cat((near_feature, far_feature), 1), seen, flow, far_flow)
        earlier = [features[other][t] for other in PASSES[: PASSES.index(name)]]
        found[t] = result + run_residuals(state, f"backbone.{name}", torch.cat([current, *earlier, result], 1), BLOCKS)
    return [found[t] for t in frames]


def reference(state, source, clip, flow):
    """uint8 SR frames of a float (T, 3, H, W) clip; `flow` gives that of two frames."""
    frames = [clip[t : t + 1] for t in range(len(clip))]
    flows = {(a, b): flow(frames[a], frames[b]) for a in range(len(clip)) for b in (a - 1, a + 1) if 0 <= b < len(clip)}
    features = {"spatial": [run_residuals(state, "feat_extract", frame, 5) for frame in frames]}
    for name in PASSES:
        features[name] = propagated(state, name, features, flows)
    out = []
    for t, frame in enumerate(frames):
        x = torch.cat([features["spatial"][t], *(features[name][t] for name in PASSES)], 1)
        x = run_residuals(state, "reconstruction", x, 5)
        out.append(run_upsampling(state, *UPS[source], x, frame))
    return eight_bits(torch.cat(out))


@pytest.mark.parametrize("source", ["basicsr", "mmagic"])
def test_equals_the_reference_on_random_weights(tmp_path, source, panning_lr):
    state = checkpoint(source)
    stored = (
        {"params": state}
        if source == "basicsr"
        else {"state_dict": {f"generator.{k}": v for k, v in state.items()} | {"step_counter": torch.zeros(1)}}
    )
    torch.save(stored, tmp_path / "w.pth")
    upscaler = BasicVSRPlusPlus(tmp_path / "w.pth")
    clip = panning_lr[..., :8, :9].repeat(2, 1, 1, 1)[:4]
    with torch.inference_mode():
        expected = reference(state, source, clip.float() / 255, upscaler.network.flow)
        difference = (upscaler.upscale(clip).int() - expected.int()).abs()
    assert difference.max() <= 1 and (difference != 0).float().mean() < 0.01


@pytest.mark.parametrize("source", ["basicsr", "mmagic"])
def test_flow_takes_its_weights_by_name(tmp_path, source):
    state = checkpoint(source)
    torch.save(state, tmp_path / "w.pth")
    flow = load(tmp_path / "w.pth").flow
    for level in range(6):
        for index in range(5):
            last = f"{index}.conv" if source == "mmagic" else str(2 * index)
            theirs = state[f"spynet.basic_module.{level}.basic_module.{last}.weight"]
            assert torch.equal(flow.levels[level][2 * index].weight, theirs)


def test_the_published_configuration_has_the_published_size():
    assert sum(each.numel() for each in Network().parameters()) == 7_322_927  # "7.3 M" in the paper's table 1


@pytest.mark.parametrize("frames", [1, 2])
def test_short_clips(tmp_path, frames, panning_lr):
    torch.save(checkpoint("basicsr"), tmp_path / "w.pth")
    assert BasicVSRPlusPlus(tmp_path / "w.pth").upscale(panning_lr[:frames, :, :7, :6]).shape == (frames, 3, 28, 24)


def test_bfloat16_is_close_to_float32(tmp_path, panning_lr):
    torch.save(checkpoint("basicsr"), tmp_path / "w.pth")
    small = panning_lr[:2, :, :8, :8]
    full, half = (BasicVSRPlusPlus(tmp_path / "w.pth", precision=p).upscale(small) for p in ("float32", "bfloat16"))
    assert (full.float() - half.float()).square().mean().sqrt() < 3


@pytest.mark.parametrize(
    "change, complaint",
    [
        (lambda state: state.pop("conv_hr.bias"), "no BasicVSR.. checkpoint: misses 1 keys .conv_hr.bias"),
        (lambda state: state.update(extra=torch.ones(1)), "has unknown 1 keys .extra"),
        (lambda state: state.update({"conv_hr.bias": torch.ones(3)}), "has wrong shapes for 1 keys .conv_hr.bias"),
        (lambda state: state.pop("feat_extract.main.0.weight"), "no BasicVSR.. checkpoint for x4"),
    ],
)
def test_other_checkpoints_are_one_line(tmp_path, change, complaint):
    state = checkpoint("basicsr")
    change(state)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=complaint):
        load(tmp_path / "w.pth")
