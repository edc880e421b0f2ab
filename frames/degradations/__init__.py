"""Degradations that make LR frames from GT: of single frames (bicubic, blur with subsampling) and of whole clips
(second-order, compressed: `seeded`)."""

from frames.degradations.benchmark import Bicubic, BlurDown, Degradation
from frames.degradations.clips import ClipBicubic, ClipBlurDown, ClipDegradation
from frames.degradations.given import Given
from frames.degradations.seeded import Seeded

__all__ = ["Bicubic", "BlurDown", "ClipBicubic", "ClipBlurDown", "ClipDegradation", "Degradation", "Given", "Seeded"]
