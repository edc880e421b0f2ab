"""Residual dense networks (Zhang et al., CVPR 2018) in the small sizes of UpscalerJS, called "ESRGAN" there."""

from baselines.rdn.upscaler import RDN

__all__ = ["RDN"]
