"""A tiny autoencoder of each layout, ours and that of diffusers, with the same random weights."""

import pytest
import torch

from turbovsr.ltx import autoencoder_keys
from turbovsr.ltx.autoencoder import LTXAutoencoder
from turbovsr.ltx.autoencoder_layouts import find, tiny

RELEASES = ("0.9.0", "0.9.1", "0.9.5")
LATENT = 8
SEED = 3

SINCE_091 = dict(
    decoder_block_out_channels=(16, 32, 64),
    decoder_spatio_temporal_scaling=(True, True, True),
    upsample_residual=(True, True, True),
    upsample_factor=(2, 2, 2),
    timestep_conditioning=True,
)
DIFFUSERS = {  # diffusers' options of the releases, widths divided by 16 and at most two blocks a stage
    "0.9.0": dict(decoder_block_out_channels=(8, 16, 32, 32), decoder_layers_per_block=(2, 2, 2, 2, 2)),
    "0.9.1": dict(decoder_layers_per_block=(2, 2, 2, 2), decoder_inject_noise=(True, True, True, False), **SINCE_091),
    "0.9.5": dict(
        block_out_channels=(8, 16, 32, 64, 128),
        down_block_types=("LTXVideo095DownBlock3D",) * 4,
        spatio_temporal_scaling=(True, True, True, True),
        downsample_type=("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
        decoder_layers_per_block=(2, 2, 2, 2),
        decoder_inject_noise=(False, False, False, False),
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
        **SINCE_091,
    ),
}


def randomise(network: torch.nn.Module) -> None:
    """All weights random, also gains that start at zero; the time's factor of 1000 stays."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if "timestep_scale_multiplier" not in name and "time_scale" not in name:
                scale = 1.5 / max(1, value[0].numel()) ** 0.5 if value.ndim > 1 else 0.1
                value.copy_(scale * torch.randn(value.shape, generator=generator))
        for value in network.buffers():
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)


def build_theirs(release: str):
    options = (
        dict(block_out_channels=(8, 16, 32, 32), layers_per_block=(2, 2, 2, 2, 2), latent_channels=LATENT)
        | DIFFUSERS[release]
    )
    network = pytest.importorskip("diffusers").AutoencoderKLLTXVideo(**options)
    randomise(network)
    return network.eval()


@pytest.fixture(scope="session", params=RELEASES)
def release(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def theirs(release):
    return build_theirs(release)


@pytest.fixture
def empty(release) -> LTXAutoencoder:
    """Ours, not filled."""
    torch.manual_seed(1)
    return LTXAutoencoder(tiny(find(release), LATENT)).eval()


@pytest.fixture(scope="session")
def ours(release, theirs) -> LTXAutoencoder:
    """Ours, filled from diffusers' under diffusers' names."""
    network = LTXAutoencoder(tiny(find(release), LATENT)).eval()
    autoencoder_keys.load(network, theirs.state_dict(), "diffusers")
    return network


@pytest.fixture(scope="session")
def clip() -> torch.Tensor:
    return torch.rand(1, 3, 17, 64, 32, generator=torch.Generator().manual_seed(SEED)) * 2 - 1


@pytest.fixture(scope="session")
def latent() -> torch.Tensor:
    return torch.randn(1, LATENT, 3, 2, 1, generator=torch.Generator().manual_seed(SEED))
