"""SPAN (Wan et al., "Swift Parameter-free Attention Network for Efficient Super-Resolution", CVPR workshops 2024)."""

from baselines.span.upscaler import Span

__all__ = ["Span"]
