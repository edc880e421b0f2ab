from types import SimpleNamespace

import pytest
import torch

from turbovsr import precision


def test_auto_follows_the_processor(monkeypatch):
    cpu = torch.device("cpu")
    for native, chosen in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda native=native: native, raising=False)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
        assert precision.resolve("auto", cpu) == chosen


def test_a_torch_that_cannot_tell_means_float32(monkeypatch):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert precision.resolve("auto", torch.device("cpu")) == "float32"


def test_named_precisions_are_taken_as_they_are():
    assert [precision.resolve(name, torch.device("cpu")) for name in ("float32", "bfloat16")] == ["float32", "bfloat16"]
    with pytest.raises(ValueError, match="unknown precision half"):
        precision.resolve("half", torch.device("cpu"))


def test_of_unlike_gpus_the_one_that_computes_is_asked(monkeypatch):
    """Asked was the current one: bfloat16 was emulated on an old card beside a new one."""
    majors = {torch.device("cuda:0"): 9, torch.device("cuda:1"): 7}
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(major=majors[device]))
    assert [precision.resolve("auto", device) for device in majors] == ["bfloat16", "float32"]
