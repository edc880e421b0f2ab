"""How LR clips are made from GT in training. `conf/degradation/` names one with its parameters.

A degradation is a frozen dataclass that is called with GT and a generator of random numbers:

    lr = degradation(gt, rng)   # (B, 3, T, H, W) -> (B, 3, T, H/4, W/4), both in [-1, 1], LR on 256 levels

The same generator state gives the same LR; whoever draws numbers from (seed, step, rank) therefore gets the same LR in
a resumed run.
"""
