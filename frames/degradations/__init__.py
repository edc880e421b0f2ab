"""How LR frames are made from GT: the degradations of the literature, bicubic (BI) and blur with subsampling (BD)."""

from frames.degradations.benchmark import Bicubic, BlurDown, Degradation
from frames.degradations.clips import ClipBicubic, ClipBlurDown, ClipDegradation
from frames.degradations.given import Given

__all__ = ["Bicubic", "BlurDown", "ClipBicubic", "ClipBlurDown", "ClipDegradation", "Degradation", "Given"]
