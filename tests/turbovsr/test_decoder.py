import dataclasses

import pytest
import torch

from frames.bicubic import bicubic
from tests.turbovsr.conftest import TINY, tiny_model
from turbovsr.decoder import Decoder, stack_neighbours
from turbovsr.model import Model
from turbovsr.pixels import to_unit
from turbovsr.rearrange import batch_to_frames, frames_to_batch

CONFIGS = [
    TINY,
    dataclasses.replace(TINY, decoder_reduction=1),
    dataclasses.replace(TINY, decoder_reduction=1, decoder_memory=True),
    dataclasses.replace(TINY, decoder_reduction=1, decoder_detail=False),
    dataclasses.replace(TINY, decoder_reduction=1, decoder_memory=True, decoder_inner_blocks=(2, 1)),
    dataclasses.replace(TINY, decoder_reduction=1, decoder_memory=True, decoder_colours=(8, 1), consistent=False),
]
SIZES = [
    "half the LR size",
    "the LR size",
    "with memory",
    "without linear detail",
    "with smaller sizes",
    "with clean colours",
]


@pytest.fixture(params=CONFIGS, ids=SIZES)
def model(request) -> Model:
    return tiny_model(request.param)


def clip_and_latent(frames=9, height=16, width=24):
    return torch.rand(1, 3, frames, height, width) * 2 - 1, torch.randn(1, 32, 1 + frames // 8, height // 8, width // 8)


@pytest.mark.parametrize("config", CONFIGS, ids=SIZES)
def test_untrained_decoder_is_bicubic(config):
    lr, latent = clip_and_latent()
    expected = batch_to_frames(bicubic(frames_to_batch(lr), (64, 96)), 1)
    config = dataclasses.replace(config, consistent=False)
    assert torch.allclose(Model(config).decoder(lr, latent), expected, atol=1e-6)


def test_frame_by_frame_decoding_equals_decoding_at_once(model):
    lr, latent = clip_and_latent()
    at_once = model.decoder(lr, latent)  # gradients are on: all frames go together
    with torch.inference_mode():
        assert torch.allclose(torch.stack(list(model.decoder.frames(lr, latent)), dim=1), at_once[0], atol=1e-4)


def test_latent_dropout_decodes_as_without_a_latent(model):
    lr, latent = clip_and_latent()
    lr, latent = lr.repeat(2, 1, 1, 1, 1), latent.repeat(2, 1, 1, 1, 1)
    decoded = model.decoder(lr, latent, torch.tensor([True, False]))
    assert torch.allclose(decoded[1], model.decoder(lr, None)[1], atol=1e-5)
    assert not torch.allclose(decoded[0], decoded[1], atol=1e-3)


def test_a_latent_frame_speaks_only_for_its_own_frames(model):
    lr, latent = torch.zeros(1, 3, 17, 8, 8), torch.zeros(1, 32, 3, 1, 1)
    silent = model.decoder(lr, latent)
    latent[:, :, 1] = 1
    touched = (model.decoder(lr, latent) - silent).abs().amax(dim=(0, 1, 3, 4)) > 1e-4
    touched = touched.nonzero().flatten().tolist()
    assert touched[:8] == list(range(1, 9))
    assert len(touched) == 8 or model.config.decoder_memory  # which hands it on to later frames


def test_a_frame_reaches_all_later_ones_through_the_memory_and_only_its_neighbour_before():
    lr = torch.zeros(1, 3, 9, 8, 8)
    decoder = tiny_model(CONFIGS[2]).decoder
    still = decoder(lr, None)
    lr[:, :, 4] = 1
    touched = (decoder(lr, None) - still).abs().amax(dim=(0, 1, 3, 4)) > 1e-6
    assert touched.nonzero().flatten().tolist() == list(range(3, 9))


@pytest.mark.parametrize("at_once", [2, 3, 7])
def test_frames_meet_the_same_neighbours_however_many_go_at_once(at_once):
    frames = torch.randn(7, 2, 3, 3)
    one_by_one = torch.cat(list(stack_neighbours(frames.split(1), 1)))
    assert torch.equal(torch.cat(list(stack_neighbours(frames.split(at_once), 1))), one_by_one)
    assert torch.equal(one_by_one[2], torch.cat([frames[1], frames[2], frames[3]]))
    assert torch.equal(one_by_one[0], torch.cat([frames[0], frames[0], frames[1]]))


@pytest.mark.parametrize(("reduction", "memory"), [(2, False), (1, True)])
def test_clips_of_a_batch_keep_to_themselves(reduction, memory):
    network = Decoder(8, 8, 8, (1, 1), reduction=reduction, memory=memory)
    lr, latent = torch.rand(2, 3, 9, 8, 16), torch.randn(2, 8, 2, 1, 2)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    with torch.no_grad():
        both = network(lr, latent)
        alone = torch.cat([network(lr[i : i + 1], latent[i : i + 1]) for i in range(2)])
    assert torch.allclose(both, alone, atol=1e-5)


def test_a_memory_at_half_the_lr_size_is_refused():
    with pytest.raises(ValueError, match="decoder_memory needs decoder_reduction=1"):
        Decoder(8, 8, 8, (1, 1), memory=True)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
def test_pixels_decode_as_their_values_do(model, dtype):
    _, latent = clip_and_latent()
    pixels = torch.randint(0, torch.iinfo(dtype).max + 1, (1, 3, 9, 16, 24)).to(dtype)
    with torch.inference_mode():
        expected = list(model.decoder.frames(to_unit(pixels, pixels.device), latent))
        assert all(map(torch.equal, model.decoder.frames(pixels, latent), expected))


@pytest.mark.parametrize("reduction", [-1, 0, 4, 8])
def test_a_trunk_smaller_than_half_the_lr_size_is_refused(reduction):
    with pytest.raises(ValueError, match=f"decoder_reduction={reduction}: choose 1"):
        Decoder(32, 8, 8, (1, 1), reduction=reduction)
