"""BasicVSR++ (Chan et al., "Improving Video Super-Resolution with Enhanced Propagation and Alignment", CVPR 2022)."""

from baselines.basicvsrpp.upscaler import BasicVSRPlusPlus

__all__ = ["BasicVSRPlusPlus"]
