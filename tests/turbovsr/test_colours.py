"""Chroma, and the layers that clean it."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr

from turbovsr.colours import ColourCleaning, chroma, rgb_of_chroma
from turbovsr.decoder import Decoder

LUMA = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


def test_chroma_is_that_of_scikit_image():
    frame = np.random.default_rng(0).random((5, 7, 3))
    expected = (rgb2ycbcr(frame)[..., 1:] - 128) / 112  # studio range, 16..240
    ours = chroma(torch.from_numpy(frame.transpose(2, 0, 1) * 2 - 1)[None])[0].permute(1, 2, 0)
    assert np.allclose(ours, expected, atol=1e-4)  # its matrix has five digits


def test_a_frame_is_its_luma_and_its_chroma():
    frames = torch.rand(2, 3, 4, 6) * 2 - 1
    luma = (frames * LUMA).sum(dim=1, keepdim=True)
    assert torch.allclose(luma + rgb_of_chroma(chroma(frames)), frames, atol=1e-6)
    assert (rgb_of_chroma(chroma(frames)) * LUMA).sum(dim=1).abs().max() < 1e-6


def test_cleaning_begins_as_the_identity_and_leaves_luma_as_it_is():
    torch.manual_seed(0)
    frames, cleaning = torch.rand(2, 3, 16, 24) * 2 - 1, ColourCleaning(8, 2)
    assert torch.equal(cleaning(frames), frames)
    for value in cleaning.parameters():
        torch.nn.init.normal_(value, std=0.2)
    cleaned = cleaning(frames)
    assert (chroma(cleaned) - chroma(frames)).abs().mean() > 0.1
    assert torch.allclose((cleaned * LUMA).sum(dim=1), (frames * LUMA).sum(dim=1), atol=1e-5)


def test_frames_consistent_with_lr_have_its_colours():
    with pytest.raises(ValueError, match="decoder_colours needs consistent=false"):
        Decoder(32, 8, 8, (1, 1), consistent=True, colours=(8, 1))
