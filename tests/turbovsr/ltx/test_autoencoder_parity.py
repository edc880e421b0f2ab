"""Our LTX autoencoder against the diffusers class, all weights random."""

import torch

from tests.turbovsr.ltx.conftest import SEED

TOLERANCE = 1e-5


@torch.no_grad()
def test_encoding_is_that_of_diffusers_mean_and_normalisation(ours, theirs, clip):
    mean = theirs.encode(clip).latent_dist.mean
    expected = (mean - theirs.latents_mean.view(1, -1, 1, 1, 1)) / theirs.latents_std.view(1, -1, 1, 1, 1)
    assert (ours.encode(clip) - expected).abs().max() < TOLERANCE


@torch.no_grad()
def test_decoding_is_that_of_diffusers_time_and_noise_included(ours, theirs, latent):
    generator = torch.manual_seed(SEED)  # diffusers draws from the global one inside its blocks
    raw = latent * theirs.latents_std.view(1, -1, 1, 1, 1) + theirs.latents_mean.view(1, -1, 1, 1, 1)
    time = None
    if theirs.config.timestep_conditioning:  # what its pipeline does
        raw = (1 - 0.025) * raw + 0.025 * torch.randn(raw.shape, generator=generator)
        time = torch.tensor([0.05])
    expected = theirs.decode(raw, time).sample
    assert expected.shape == (1, 3, 17, 64, 32)
    assert expected.std() > 0.1
    decoded = ours.decode(latent, generator=torch.Generator().manual_seed(SEED))
    assert (decoded - expected).abs().max() < TOLERANCE
