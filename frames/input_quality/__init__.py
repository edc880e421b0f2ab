"""An estimate of what is wrong with input frames, from the frames alone: noise, compression, blur."""

from frames.input_quality.estimate import Estimate, estimate, looked_at

__all__ = ["Estimate", "estimate", "looked_at"]
