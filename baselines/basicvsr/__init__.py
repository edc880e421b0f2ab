"""BasicVSR (Chan et al., "BasicVSR: The Search for Essential Components in Video Super-Resolution", CVPR 2021)."""

from baselines.basicvsr.upscaler import BasicVSR

__all__ = ["BasicVSR"]
