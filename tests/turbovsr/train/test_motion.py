import torch

from turbovsr.train.batch import Batch
from turbovsr.train.losses import ReconstructionLoss
from turbovsr.train.motion import error_change, motion_grid, with_motion
from turbovsr.train.options import ReconstructionConfig
from turbovsr.train.rng import StepRng


def pan(seed: int, step: int = 3) -> torch.Tensor:
    """A clip (1, 3, 3, 96, 96) whose window moves over a smooth random picture."""
    generator = torch.Generator().manual_seed(seed)
    small = torch.rand(1, 3, 16, 16, generator=generator)
    large = torch.nn.functional.interpolate(small, (128, 128), mode="bicubic").clamp(0, 1) * 2 - 1
    return torch.stack([large[..., step * t : step * t + 96, step * t : step * t + 96] for t in range(3)], dim=2)


def test_an_error_that_moves_with_the_picture_costs_little_and_one_that_stays_in_place_costs_much():
    gt, error = pan(0), pan(1)
    moving = error_change(gt + 0.3 * error, gt)
    staying = error_change(gt + 0.3 * error[:, :, :1], gt)
    assert moving < 0.02 < 2 * moving + 0.02 < staying
    assert error_change(gt, gt) <= 1e-3 + 1e-6


def test_gradients_reach_both_frames():
    gt = pan(0)
    sr = (gt + 0.1 * pan(1)[:, :, :1]).requires_grad_()
    error_change(sr, gt).backward()
    assert (sr.grad.abs().amax(dim=(0, 1, 3, 4)) > 0).all()


def test_where_gt_has_no_motion_to_follow_nothing_counts():
    torch.manual_seed(0)
    gt = torch.rand(1, 3, 2, 64, 64) * 2 - 1  # two unlike frames
    assert error_change(torch.zeros_like(gt), gt) < 0.2 * (gt.diff(dim=2).abs().mean())


def test_motion_that_is_found_as_a_batch_is_drawn_gives_the_same_loss():
    gt = pan(0)
    config = ReconstructionConfig(motion=5.0)
    batch = with_motion(Batch(gt, gt[..., ::4, ::4]), config).to(torch.device("cpu"))
    assert torch.equal(batch.motion, motion_grid(gt))
    loss, sr = ReconstructionLoss(config, {}), gt + 0.1 * pan(1)
    assert torch.equal(loss(sr, gt, StepRng(0, 0), batch.motion).loss, loss(sr, gt, StepRng(0, 0)).loss)
    still = Batch(gt[:, :, :1], gt[:, :, :1, ::4, ::4])
    assert with_motion(still, config) is still and with_motion(batch, ReconstructionConfig()) is batch
