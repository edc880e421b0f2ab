import torch

from turbovsr.rearrange import depth_to_space, space_to_depth
from turbovsr.transforms import BASIS_SCALE, CELL_VALUES, AnalysisTransform, SynthesisTransform


def matched_maps(channels=6):
    """Analysis and synthesis by the same orthonormal directions, alike in every frame."""
    directions = torch.linalg.qr(torch.randn(CELL_VALUES, channels)).Q
    analysis, synthesis = AnalysisTransform(channels), SynthesisTransform(channels)
    same = torch.eye(channels)
    with torch.no_grad():
        analysis.basis.copy_(directions.T / BASIS_SCALE)
        synthesis.basis.copy_(directions / BASIS_SCALE)
        for linear in (analysis.first, synthesis.first):
            linear.weight.copy_(same[..., None, None])
        analysis.rest.weight.copy_(same.repeat(1, 8)[..., None, None] / 8)
        synthesis.rest.weight.copy_(same.repeat(8, 1)[..., None, None])
    return directions, analysis, synthesis


@torch.no_grad()
def test_synthesis_puts_back_in_place_what_analysis_found():
    directions, analysis, synthesis = matched_maps()
    still = torch.randn(1, 48, 16, 8).expand(9, -1, -1, -1)  # a still clip: the mean over time loses nothing
    latent = analysis(still, 1)
    assert latent.shape == (1, 6, 2, 2, 1)
    detail = depth_to_space(synthesis.detail(synthesis.coefficients(latent)), 8)
    assert detail.shape == (9, 48, 16, 8)
    seen, truth = (space_to_depth(x, 8).permute(0, 2, 3, 1) for x in (detail, still))
    assert torch.allclose(seen, truth @ directions @ directions.T, atol=1e-4)


@torch.no_grad()
def test_analysis_is_causal():
    _, analysis, _ = matched_maps()
    clip = torch.randn(17, 48, 8, 8)
    assert torch.allclose(analysis(clip, 1)[:, :, :2], analysis(clip[:9], 1), atol=1e-5)


def test_coefficients_of_each_frame_are_those_of_the_clip():
    synthesis = SynthesisTransform(6)
    latent = torch.randn(1, 6, 3, 2, 4)
    each = torch.cat([synthesis.coefficients_of_frame(latent, frame) for frame in range(17)])
    assert torch.allclose(each, synthesis.coefficients(latent), atol=1e-6)
