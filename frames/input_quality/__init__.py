"""An estimate of what is wrong with input frames, from the frames alone: noise, compression, blur."""

from frames.input_quality.estimate import Estimate, estimate, indices_to_judge

__all__ = ["Estimate", "estimate", "indices_to_judge"]
