import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from turbovsr.ltx import layers
from turbovsr.ltx.autoencoder import LTXAutoencoder
from turbovsr.ltx.autoencoder_layouts import LAYOUTS, find


def naively_padded(x, before, after):
    first, last = x[:, :, :1], x[:, :, -1:]
    return torch.cat([first.repeat(1, 1, before, 1, 1), x, last.repeat(1, 1, after, 1, 1)], dim=2)


def channels_innermost(x) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last_3d)


@pytest.mark.parametrize(
    "name, encoder, decoder",
    [("0.9.0", 180.4, 238.8), ("0.9.1", 180.4, 754.6), ("0.9.5", 694.1, 552.8)],
)
def test_releases_have_their_numbers_of_parameters(name, encoder, decoder):
    with torch.device("meta"):
        network = LTXAutoencoder(name)
    found = [sum(p.numel() for p in part.parameters()) / 1e6 for part in (network.encoder, network.decoder)]
    assert [round(count, 1) for count in found] == [encoder, decoder]


@pytest.mark.parametrize("name, encode, decode", [("0.9.0", 84.6, 90.4), ("0.9.1", 84.6, 148.2), ("0.9.5", 304, 132)])
def test_a_clip_of_1080p_costs_what_is_known(name, encode, decode):
    """49 frames of 1088x1920, TFLOP; the streaming decoder does no more than the other."""
    with torch.device("meta"), torch.no_grad():
        network = LTXAutoencoder(name).to(torch.bfloat16)
        clip = torch.empty(1, 3, 49, 1088, 1920, dtype=torch.bfloat16)
        with FlopCounterMode(display=False) as encoding:
            latent = network.encode(clip)
        assert latent.shape == (1, 128, 7, 34, 60)
        with FlopCounterMode(display=False) as decoding:
            frames = list(network.decode_frames(latent))
    assert len(frames) == 49 and frames[0].shape == (3, 1088, 1920)
    assert encoding.get_total_flops() / 1e12 == pytest.approx(encode, rel=0.01)
    assert decoding.get_total_flops() / 1e12 == pytest.approx(decode, rel=0.01)


@pytest.mark.parametrize("before, after", [(2, 0), (1, 1), (0, 0)])
@pytest.mark.parametrize("innermost", [False, True])
def test_padding_in_time_is_the_naive_one_and_keeps_channels_innermost(before, after, innermost):
    x = torch.randn(2, 3, 4, 5, 6)
    if innermost:
        x = x.to(memory_format=torch.channels_last_3d)
    padded = layers.repeat_ends(x, before, after)
    assert torch.equal(padded, naively_padded(x, before, after))
    assert channels_innermost(padded) or (before, after, innermost) == (0, 0, False)


@pytest.mark.parametrize("causal", [False, True])
def test_the_convolution_is_the_naive_one_on_a_naively_padded_clip(causal):
    conv = layers.TimeConv3d(4, 6, causal).to(memory_format=torch.channels_last_3d)
    x = torch.randn(1, 4, 5, 6, 7)
    expected = torch.nn.functional.conv3d(
        naively_padded(x, *((2, 0) if causal else (1, 1))), conv.weight, conv.bias, padding=(0, 1, 1)
    )
    assert torch.allclose(conv(x), expected, atol=1e-5)


@torch.no_grad()
def test_every_convolution_gets_channels_innermost(ours, clip, latent, monkeypatch):
    """What they give is up to the device: on a CPU torch lays it out otherwise, and the next norm puts it right."""
    seen, valid = [], layers.TimeConv3d.valid
    monkeypatch.setattr(
        layers.TimeConv3d, "valid", lambda conv, x: seen.append(channels_innermost(x)) or valid(conv, x)
    )
    ours.decode(ours.encode(clip))
    list(ours.decode_frames(latent))
    assert len(seen) > 50 and all(seen)


@pytest.mark.parametrize("stride", [(2, 2, 2), (1, 2, 2), (2, 1, 1)])
def test_depth_to_space_inverts_space_to_depth(stride):
    x = torch.randn(2, 3, 4, 6, 8)
    assert torch.equal(layers.depth_to_space(layers.space_to_depth(x, stride), stride), x)
    assert torch.equal(layers.from_patches(layers.to_patches(x, 2), 2), x)


@torch.no_grad()
def test_an_image_has_the_latent_of_a_clip_that_begins_with_it(ours, clip):
    assert torch.allclose(ours.encode(clip[:, :, :1]), ours.encode(clip)[:, :, :1], atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("latents, frames", [(1, 8), (3, 1), (3, 3), (3, 8), (3, 100)])
def test_frames_handed_out_one_by_one_are_those_of_the_whole_clip(ours, latent, latents, frames):
    latent = latent[:, :, :latents]
    whole = ours.decode(latent)[0].unbind(1)
    streamed = list(ours.decode_frames(latent, frames=frames))
    assert len(streamed) == len(whole) == 8 * (latents - 1) + 1
    assert max((a - b).abs().max() for a, b in zip(streamed, whole)) < 1e-6


@torch.no_grad()
def test_the_first_frames_come_before_the_last_ones_are_computed(ours, latent, monkeypatch):
    calls = []
    long = latent[:, :, :1].repeat(1, 1, 9, 1, 1)
    frames = ours.decode_frames(long, frames=4)
    head = ours.decoder.conv_out
    valid = head.valid
    monkeypatch.setattr(head, "valid", lambda x: calls.append(x.shape[2]) or valid(x), raising=False)
    next(frames)
    assert sum(calls) < 65 // 4
    assert len(list(frames)) == 64
    assert max(calls) <= 4 + 2  # what it holds, and one piece


@torch.no_grad()
def test_noise_of_the_decoder_comes_from_the_generator(ours, latent):
    def decoded(seed):
        return ours.decode(latent, torch.Generator().manual_seed(seed))

    assert torch.equal(decoded(0), decoded(0))
    assert torch.equal(decoded(0), ours.decode(latent))
    assert torch.equal(decoded(0), decoded(1)) == (ours.layout.decode_time is None)


def test_clips_and_latents_of_wrong_shapes_are_refused_with_the_rule():
    with torch.device("meta"):
        network = LTXAutoencoder("0.9.0-tiny")
        for shape, rule in [
            ((3, 9, 32, 32), "B, 3, T, H, W"),
            ((1, 4, 9, 32, 32), "B, 3, T, H, W"),
            ((1, 3, 9, 48, 32), "multiples of 32"),
            ((1, 3, 8, 32, 32), "8k\\+1"),
            ((1, 3, 0, 32, 32), "got|8k"),
        ]:
            with pytest.raises(ValueError, match=rule):
                network.encode(torch.empty(shape))
        with pytest.raises(ValueError, match="B, 128, T, H, W"):
            network.decode(torch.empty(1, 8, 1, 2, 2))
        with pytest.raises(ValueError, match="batch of 2"):
            network.decode_frames(torch.empty(2, 128, 1, 2, 2))


def test_an_unknown_layout_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=", ".join(LAYOUTS)):
        find("0.8")
