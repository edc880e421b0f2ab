"""The methods in memory: weights that change while a run is at work are never kept under the key of the former ones."""

import sys
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from bench.methods.adapters import adapted
from bench.methods.calls import plain as plain_of
from bench.methods.contract import Descriptor
from bench.run.pool import MethodPool
from bench.store.record import Descriptor as Recorded


class Own:
    def __init__(self, weights: str) -> None:
        if weights == "ends":
            raise SystemExit("no GPU")
        self.descriptor = Descriptor(
            name="own", scale=4, kind="image", device="cpu", dtype="uint8", licence="", weights="none"
        )

    def upscale(self, lr, stages):
        raise NotImplementedError


def plan(weights, device="cpu") -> SimpleNamespace:
    config = {"_target_": "tests.bench.run.test_pool.Own", "weights": str(weights)}
    return SimpleNamespace(method="own", method_config=config, config=SimpleNamespace(device=device))


def test_what_a_gpu_held_before_is_no_method_s(monkeypatch):
    """Networks of metrics counted in the peak of every method, which so depended on the metrics."""
    in_use = iter([200.0, 230.0, 235.0, 275.0])  # before and after each method; 5 are left by calls of the first
    monkeypatch.setattr("bench.run.pool.in_use_mb", lambda device: next(in_use))
    pool = MethodPool(lambda method: None)
    one, other = (pool.load(plan(name, "cuda")) for name in ("a", "b"))
    assert (one.held_mb, one.beside_mb, other.held_mb, other.beside_mb) == (30, 200, 40, 205)


@pytest.mark.parametrize("changes", [False, True])
def test_weights_that_have_changed_are_not_loaded_again(tmp_path, changes):
    pool, file = MethodPool(lambda method: None), tmp_path / "net.bin"
    file.write_text("a")
    assert pool.load(plan(file)).error is None
    pool.keep_only([])
    if changes:
        file.write_text("bb")
    error = pool.load(plan(file)).error
    assert ("has changed since" in str(error)) if changes else error is None


class OfClass:
    """A descriptor of another class, with attributes of the class."""

    name, scale, kind, device, dtype, licence, weights = "own", 4, "image", "cpu", "uint8", "MIT", "none"


class OfTuple(NamedTuple):
    dtype: str = "uint8"
    weights: str = "none"


class NoWeights:
    dtype = "uint8"


@pytest.mark.parametrize("descriptor, lacks", [(OfClass(), ""), (OfTuple(), ""), (NoWeights(), "weights")])
def test_a_descriptor_of_another_class_is_read_and_what_it_lacks_is_said_before_the_work(descriptor, lacks):
    """After all work the clip failed, because the field dtype was missing, which it was not."""
    method = SimpleNamespace(descriptor=descriptor, upscale=lambda lr, stages: lr)
    if lacks:
        with pytest.raises(ValueError, match=f"NoWeights. has no {lacks}"):
            adapted(method, "cpu")
    else:
        assert Recorded.of(plain_of(adapted(method, "cpu").method.descriptor)).dtype == "uint8"


def test_a_class_that_ends_the_process_costs_its_cells_alone():
    error = MethodPool(lambda method: None).load(plan("ends")).error
    assert str(error) == "the method called sys.exit('no GPU')"


FROM = """
import sys
sys.path.append({folder!r})
from models_of_a_checkout.net import GAIN
from tests.bench.run.test_pool import Own

class Mine(Own):
    gain = GAIN
"""


def test_two_checkouts_with_a_module_of_one_name_are_refused_in_one_run(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    for name in "abc":
        package = tmp_path / f"checkout_{name}" / ("models_of_a_checkout" if name != "c" else "others")
        package.mkdir(parents=True)
        (package / "net.py").write_text(f"GAIN = {name!r}")
        (tmp_path / f"from_checkout_{name}.py").write_text(FROM.format(folder=str(package.parent)))
    pool = MethodPool(lambda method: None)
    try:
        for _ in range(2):
            one, other, third = (pool.load(mine(f"from_checkout_{name}")) for name in "abc")
            assert one.error is None and one.adapter.method.gain == "a" and third.error is None
            assert "from_checkout_b would get the module models_of_a_checkout of" in str(other.error)
            pool.keep_only([])
    finally:
        for name in [each for each in sys.modules if each.startswith(("from_checkout_", "models_of_a_checkout"))]:
            del sys.modules[name]


def mine(module):
    options = {"_target_": f"{module}.Mine", "weights": "none"}
    return SimpleNamespace(method=module, method_config=options, config=SimpleNamespace(device="cpu"))
