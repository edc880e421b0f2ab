"""Real-ESRGAN (Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data", ICCVW
2021)."""

from baselines.realesrgan.upscaler import RealESRGAN

__all__ = ["RealESRGAN"]
