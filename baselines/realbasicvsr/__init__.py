"""RealBasicVSR (Chan et al., "Investigating Tradeoffs in Real-World Video Super-Resolution", CVPR 2022)."""

from baselines.realbasicvsr.upscaler import RealBasicVSR

__all__ = ["RealBasicVSR"]
