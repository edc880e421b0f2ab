"""Upscaling pipelines of the package diffusers, with weights from the hub or a folder: an optional extra."""

from baselines.diffusers.ltx import LtxUpsampler
from baselines.diffusers.stable_diffusion import StableDiffusion

__all__ = ["LtxUpsampler", "StableDiffusion"]
