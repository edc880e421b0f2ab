"""Keys of a cell: what a machine makes of a method's options counts."""

from types import SimpleNamespace

import pytest

from bench.methods.adapters import adapted
from bench.methods.contract import Descriptor
from bench.run.cell import Inputs
from bench.run.lookup import _keys

INPUTS = Inputs([], "lr", None)


class Own:
    """A method whose networks compute in this number format."""

    def __init__(self, dtype: str) -> None:
        self.descriptor = Descriptor(
            name="own", scale=4, kind="image", device="cpu", dtype=dtype, licence="", weights="none"
        )

    def upscale(self, lr, stages):
        raise NotImplementedError


def key(precision: str, dtype: str) -> str:
    config = {"_target_": "baselines.interpolation.Interpolation", "precision": precision}
    cell = SimpleNamespace(
        plan=SimpleNamespace(method_config=config, is_timed=False), machine=SimpleNamespace(kind="cpu", name="cpu")
    )
    return _keys(cell, adapted(Own(dtype), "cpu"), INPUTS).prediction


@pytest.mark.parametrize("precision, one_key", [("auto", False), ("float32", True)])
def test_processors_that_take_another_precision_by_themselves_share_no_frames(precision, one_key):
    assert (key(precision, "float32") == key(precision, "bfloat16")) is one_key
