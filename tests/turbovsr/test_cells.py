import torch
import torch.nn.functional as F

from turbovsr.cells import BASIS_SCALE, NUMBERS, CellAnalysis, CellSynthesis, shuffle_order


def matched_maps(channels=6):
    """Analysis and synthesis by the same orthonormal directions, alike in every frame."""
    directions = torch.linalg.qr(torch.randn(NUMBERS, channels)).Q
    analysis, synthesis = CellAnalysis(channels), CellSynthesis(channels)
    same = torch.eye(channels)
    with torch.no_grad():
        analysis.basis.copy_(directions.T / BASIS_SCALE)
        synthesis.basis.copy_(directions[shuffle_order()] / BASIS_SCALE)
        for linear in (analysis.first, synthesis.first):
            linear.weight.copy_(same[..., None, None])
        analysis.rest.weight.copy_(same.repeat(1, 8)[..., None, None] / 8)
        synthesis.rest.weight.copy_(same.repeat(8, 1)[..., None, None])
    return directions, analysis, synthesis


@torch.no_grad()
def test_synthesis_puts_back_in_place_what_analysis_found():
    directions, analysis, synthesis = matched_maps()
    still = torch.randn(1, 3, 1, 64, 32).expand(-1, -1, 9, -1, -1)  # a still clip: the mean over time loses nothing
    latent = analysis(still)
    assert latent.shape == (1, 6, 2, 2, 1)
    detail = F.pixel_shuffle(synthesis.detail(synthesis.coefficients(latent)), 4)
    cells = F.pixel_unshuffle(still[:, :, 0], 32).permute(0, 2, 3, 1)
    projected = F.pixel_shuffle((cells @ directions @ directions.T).permute(0, 3, 1, 2), 32)
    assert detail.shape == (9, 3, 64, 32)
    assert torch.allclose(detail, projected.expand(9, -1, -1, -1), atol=1e-4)


@torch.no_grad()
def test_analysis_is_causal():
    _, analysis, _ = matched_maps()
    clip = torch.randn(1, 3, 17, 32, 32)
    assert torch.allclose(analysis(clip)[:, :, :2], analysis(clip[:, :, :9]), atol=1e-5)
