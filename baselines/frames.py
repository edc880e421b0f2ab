"""Input and output of every baseline: check the LR clip, round SR values to 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from bench.methods.contract import SizeRule

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def check_clip(lr: torch.Tensor, device: torch.device) -> None:
    """Check that a clip is uint8 (T, 3, H, W) RGB, not empty, and on `device`.

    Raises:
        ValueError: it is not; one line with what was given and what is needed.
    """
    if lr.dtype != torch.uint8 or lr.ndim != 4 or lr.shape[1] != 3 or 0 in lr.shape:
        raise ValueError(
            f"LR clip is {str(lr.dtype).removeprefix('torch.')} {tuple(lr.shape)}; "
            "give a uint8 (T, 3, H, W) RGB tensor with at least one frame of at least one pixel"
        )
    same = lr.device.type == device.type and (device.index is None or lr.device.index == device.index)
    if not same:
        raise ValueError(f"LR clip is on {lr.device}, this upscaler on {device}; move the clip with .to({device})")


def check_scale_is_4(scale: int, method: str) -> None:
    """Check that the scale is 4, for methods whose weights have no other.

    Raises:
        ValueError: for another scale.
    """
    if scale != 4:
        raise ValueError(f"{method} has weights for scale 4 only, not {scale}; use scale 4 or an interpolation method")


def torch_dtype(precision: str, float16: bool = False) -> torch.dtype:
    """The torch dtype of a `precision` option.

    Args:
        float16: whether "float16" is allowed.
    Raises:
        ValueError: for anything but "float32", "bfloat16" and, if it is allowed, "float16".
    """
    known = [name for name in _DTYPES if float16 or name != "float16"]
    if precision not in known:
        raise ValueError(f"precision {precision!r} is unknown; choose one of {', '.join(known)}")
    return _DTYPES[precision]


def padded(frames: torch.Tensor, rule: SizeRule) -> torch.Tensor:
    """Pad frames to a size that a rule allows by repeating the last row and column: (..., H, W) -> (..., h, w)."""
    height, width = frames.shape[-2:]
    rows, columns = rule.fitted(height), rule.fitted(width)
    if (rows, columns) == (height, width):
        return frames
    row = torch.arange(rows, device=frames.device).clamp(max=height - 1)
    column = torch.arange(columns, device=frames.device).clamp(max=width - 1)
    return frames[..., row[:, None], column]


class FiniteCheck:
    """Check for values that are not finite, which after rounding would be black or white pixels.

    Reading an answer from a GPU waits for all of its work, so there all answers are read once, by `done`.

    Args:
        method: for the message.
    """

    def __init__(self, method: str) -> None:
        self._method = method
        self._sums: list[torch.Tensor] = []

    def see(self, values: torch.Tensor) -> torch.Tensor:
        """Check values and return them.

        Raises:
            ValueError: some are not finite; on a GPU only `done` raises it.
        """
        self._sums.append(values.sum(dtype=torch.float32))
        if values.device.type == "cpu":
            self.done()
        return values

    def done(self) -> None:
        """Finish the check, after the last values.

        Raises:
            ValueError: some were not finite.
        """
        if self._sums and not torch.stack(self._sums).isfinite().all():
            raise ValueError(
                f"{self._method}: the network returned values that are not finite: broken weights, or too "
                "low a precision (where the method has it, use method.precision=float32)"
            )
        self._sums.clear()


def to_uint8(x: torch.Tensor) -> torch.Tensor:
    """Round float values in [0, 255] to uint8, halves away from zero as MATLAB's `uint8()`; values outside saturate.

    Overwrites `x`, which must be float32 or wider (bfloat16 has no halves above 128).
    """
    return x.add_(0.5).clamp_(0, 255).to(torch.uint8)  # the cast truncates, which is floor for x >= 0
