"""Calls of a method in this process: what it may return, and what it may not do to others."""

import numpy as np
import pytest
import torch

from bench.methods.calls import on_files, on_tensors
from bench.timing.measure import Limits, Session, take_turns
from frames.errors import UserError

LR = [np.full((4, 6, 3), level, np.uint8) for level in (10, 20)]


class Own:
    """A class of a user's own, whose `upscale` is the function given."""

    def __init__(self, upscale) -> None:
        self.upscale = lambda lr, stages: upscale(lr)


def doubled(lr: torch.Tensor) -> torch.Tensor:
    return lr.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def halved_in_place(lr: torch.Tensor) -> torch.Tensor:
    return doubled(lr.floor_divide_(2))


def ending(lr: torch.Tensor) -> torch.Tensor:
    raise SystemExit(2)


def error_of(upscale, scope: str, folder) -> str:
    """What ends a method's clip; empty where nothing does."""
    own = Own(upscale)
    call = on_tensors(own, LR, "cpu") if scope == "tensors" else on_files(own, LR, "cpu", folder)
    session = Session(call, scope, "cpu", Limits(warmup=1, repeats=2))
    take_turns([session])
    assert session.error is None or isinstance(session.error, ValueError | UserError)
    return str(session.error or "")


@pytest.mark.parametrize("scope", ["tensors", "files"])
@pytest.mark.parametrize(
    "upscale, said",
    [
        (lambda lr: None, "returned NoneType where a tensor of uint8"),
        (lambda lr: doubled(lr).numpy(), "returned ndarray where a tensor"),
        (lambda lr: (doubled(lr),), "returned tuple where a tensor"),
        (lambda lr: lambda: doubled(lr), "returned function where a tensor"),  # the work would not be timed
        (lambda lr: doubled(lr).float(), "returned torch.float32 (2, 3, 8, 12) where uint8"),
        (lambda lr: doubled(lr).permute(0, 2, 3, 1), "returned torch.uint8 (2, 8, 12, 3) where uint8 (T, 3, H, W)"),
        (ending, "the method called sys.exit(2)"),
    ],
)
def test_what_no_method_may_return_is_said_in_one_line(tmp_path, upscale, scope, said):
    assert said in error_of(upscale, scope, tmp_path)


def test_a_method_that_writes_into_its_input_is_refused(tmp_path):
    assert "it must work on a copy (lr.clone())" in error_of(halved_in_place, "tensors", tmp_path)
    assert error_of(halved_in_place, "files", tmp_path) == ""  # each call reads its own


def test_a_view_of_the_input_is_taken(tmp_path):
    assert error_of(lambda lr: lr, "tensors", tmp_path) == ""
