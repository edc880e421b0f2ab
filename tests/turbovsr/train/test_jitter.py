import numpy as np
import torch

from turbovsr.train.jitter import SHIFT, jittered


def test_both_frames_are_cut_and_resized_alike():
    frames = torch.rand(2, 3, 64, 80)
    for seed in range(8):
        sr, gt = jittered(frames, frames.clone(), np.random.default_rng(seed))
        assert torch.equal(sr, gt)


def test_windows_lie_at_all_places_of_the_stride_and_some_are_resized():
    ramp = torch.arange(64.0).expand(1, 3, 64, 64)
    lefts, sizes = set(), set()
    for seed in range(60):
        sr, _ = jittered(ramp, ramp, np.random.default_rng(seed))
        sizes.add(tuple(sr.shape[-2:]))
        if sr.shape[-2:] == (48, 48):
            lefts.add(int(sr[0, 0, 0, 0]))
    assert (48, 48) in sizes and len(sizes) > 10
    assert all(36 <= side <= 60 for size in sizes for side in size)
    assert len(lefts) > 8 and max(lefts) < SHIFT


def test_a_window_of_a_given_edge_lies_anywhere_in_the_frame():
    ramp = torch.arange(64.0).expand(1, 3, 64, 64)
    cut = [jittered(ramp, ramp, np.random.default_rng(seed), window=24)[0] for seed in range(60)]
    lefts = {int(sr[0, 0, 0, 0]) for sr in cut if sr.shape[-2:] == (24, 24)}
    assert min(lefts) < 8 and max(lefts) >= 32
    assert jittered(ramp[..., :16, :16], ramp[..., :16, :16], np.random.default_rng(3), 24)[0].shape[-1] <= 20


def test_the_same_generator_gives_the_same_window():
    frames = torch.rand(1, 3, 48, 48)
    once, again = (jittered(frames, frames, np.random.default_rng(5))[0] for _ in range(2))
    assert torch.equal(once, again)
