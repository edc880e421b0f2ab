"""Upscaling pipelines of the package diffusers, with weights of the hub or of a folder: an optional extra."""

from baselines.diffusers.ltx import LtxUpsampler
from baselines.diffusers.stable_diffusion import StableDiffusion

__all__ = ["LtxUpsampler", "StableDiffusion"]
