"""The description of an upscaler: scale, kind, device, and supported sizes and lengths, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from frames.errors import did_you_mean

MethodKind = Literal["image", "video", "given"]
"""`image`: frame by frame; `video`: frames see each other; `given`: another program made the frames."""

Padding = Literal["refuse", "reflect", "repeat"]
"""How an upscaler treats a size or length that does not fit: it refuses, or it pads (by reflection, or by repeating
the edge or the last frame), upscales, and crops back."""

_PADDED_BY = {"reflect": "reflection", "repeat": "repeating"}


@dataclass(frozen=True)
class SizeRule:
    """The frame sizes that an upscaler's network takes, in LR pixels along each side.

    Args:
        minimum: the shortest side.
        multiple_of: each side is a multiple of this.
        padding: treatment of other sizes.
        note: what else happens to sizes, for a reader.
    """

    minimum: int = 1
    multiple_of: int = 1
    padding: Padding = "refuse"
    note: str = ""

    def fitted(self, side: int) -> int:
        """The side that the network works at for an LR side of `side` pixels: the next one that fits.

        Raises:
            ValueError: `side` does not fit and the rule is to refuse.
        """
        return _fitted(side, self.minimum, self.multiple_of, 0, self.padding, f"an LR side of {side} px", str(self))

    def __str__(self) -> str:
        parts = [f"at least {self.minimum} px"] if self.minimum > 1 else []
        parts += [f"multiple of {self.multiple_of}"] if self.multiple_of > 1 else []
        edge = {"repeat": " the edge"}.get(self.padding, "")
        return _text(parts, self.padding, edge, "cropped back", self.note)


@dataclass(frozen=True)
class FrameRule:
    """The clip lengths that an upscaler's network takes: minimum and k * multiple_of + plus, k >= 0 ("8k+1").

    Args:
        minimum: the fewest frames.
        multiple_of, plus: 8 and 1 for lengths of 8k+1.
        padding: treatment of other lengths.
        note: what else happens to the frames, for a reader.
    """

    minimum: int = 1
    multiple_of: int = 1
    plus: int = 0
    padding: Padding = "refuse"
    note: str = ""

    def fitted(self, frames: int) -> int:
        """The length that the network works at for a clip of `frames` frames: the next one that fits.

        Raises:
            ValueError: `frames` does not fit and the rule is to refuse.
        """
        what = f"a clip of {frames} frame{'s' * (frames != 1)}"
        return _fitted(frames, self.minimum, self.multiple_of, self.plus, self.padding, what, str(self))

    def __str__(self) -> str:
        parts = [f"at least {self.minimum} frames"] if self.minimum > 1 else []
        if self.multiple_of > 1:
            parts.append(f"{self.multiple_of}k" + (f"+{self.plus}" if self.plus else ""))
        last = {"repeat": " the last frame"}.get(self.padding, "")
        return _text(parts, self.padding, last, "cut back", self.note)


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """Facts about an upscaler that its user must know before running it.

    Raises:
        ValueError: an invalid scale, kind or device.
    """

    name: str
    scale: int | None  # None: any scale, fixed when the upscaler is built
    kind: MethodKind
    device: str  # as torch names it ("cpu", "cuda", "cuda:1"); "elsewhere": not in this process
    dtype: str  # "float32", "bfloat16"; "not known"
    licence: str  # of the weights, or of the code where there are none
    weights: str  # where they come from: "none", "random (seed 0)", a file name with its origin
    parameters: int = 0
    size_rule: SizeRule = field(default_factory=SizeRule)
    frame_rule: FrameRule = field(default_factory=FrameRule)
    notes: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(MethodKind):
            raise ValueError(f"{self.name}: kind '{self.kind}'{did_you_mean(str(self.kind), get_args(MethodKind))}")
        if not re.fullmatch(r"[a-z]+(:\d+)?", self.device):
            raise ValueError(f"{self.name}: device '{self.device}': write cpu, cuda, cuda:N, or elsewhere")
        if self.scale is not None and self.scale < 1:
            raise ValueError(f"{self.name}: scale {self.scale}: at least 1, or None for any")

    def check_fits(self, frames: int, lr_size: tuple[int, int]) -> None:
        """Refuse a clip that the upscaler does not take.

        Args:
            lr_size: (height, width) of an LR frame.
        Raises:
            ValueError: one line with the clip's size or length and the rule.
        """
        try:
            self.frame_rule.fitted(frames)
            for side in lr_size:
                self.size_rule.fitted(side)
        except ValueError as error:
            raise ValueError(f"{self.name} does not take {error}") from None

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the rules as text."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: str(value) if name.endswith("_rule") else value for name, value in values.items()}


def _fitted(length: int, minimum: int, multiple_of: int, plus: int, padding: Padding, what: str, rule: str) -> int:
    steps = max(0, -(-(max(length, minimum) - plus) // multiple_of))
    fitted = steps * multiple_of + plus
    if fitted != length and padding == "refuse":
        raise ValueError(f"{what} ({rule})")
    return fitted


def _text(parts: list[str], padding: Padding, of: str, afterwards: str, note: str) -> str:
    if parts and padding != "refuse":
        parts = [*parts, f"padded by {_PADDED_BY[padding]}{of} and {afterwards}"]
    return "; ".join(filter(None, (", ".join(parts) or "any", note)))
