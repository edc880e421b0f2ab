"""Pickled arrays come back as they were, and nothing else is unpickled."""

import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from frames.pickles import read_arrays, read_convolutions


class Evil:
    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.fixture
def weights(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    layer = {"kernel": rng.random((3, 5, 2, 4), dtype=np.float32), "bias": np.arange(4, dtype=np.float32)}
    path = tmp_path / "net.ckpt"
    path.write_bytes(pickle.dumps({"Net_0": {"Conv_0": layer}}))
    return path


def test_arrays_come_back(weights):
    layer = read_arrays(weights)["Net_0"]["Conv_0"]
    assert layer["kernel"].shape == (3, 5, 2, 4) and layer["bias"].tolist() == [0, 1, 2, 3]


def test_convolutions_have_outputs_first(weights):
    ((weight, bias),) = read_convolutions(weights, "Net_0")
    kernel = read_arrays(weights)["Net_0"]["Conv_0"]["kernel"]
    assert weight.shape == (4, 2, 3, 5) and weight[3, 1, 2, 4] == kernel[2, 4, 1, 3] and len(bias) == 4
    with pytest.raises(ValueError, match="net.ckpt: it does not hold the convolutions of VGG16_0"):
        read_convolutions(weights, "VGG16_0")


@pytest.mark.parametrize("layers", [np.zeros(3), np.zeros(()), {"Conv_0": np.zeros(3)}, {"Conv_0": {"kernel": 1}}, []])
def test_a_network_of_another_form_is_one_clear_error(tmp_path, layers):
    (tmp_path / "net.ckpt").write_bytes(pickle.dumps({"Net_0": layers}))
    with pytest.raises(ValueError, match="net.ckpt: it does not hold the convolutions of Net_0"):
        read_convolutions(tmp_path / "net.ckpt", "Net_0")


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Evil()),
        pickle.dumps({"a": Evil()}),
        pickle.dumps(OrderedDict()),
        pickle.dumps([1, 2]),
        b"",
        b"no pickle",
        pickle.dumps({"a": np.zeros(1000)})[:500],
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
    ],
)
def test_anything_else_is_one_clear_error_and_runs_nothing(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.ckpt").write_bytes(content)
    with pytest.raises(ValueError, match="net.ckpt: not a weights file of plain numpy arrays"):
        read_arrays(tmp_path / "net.ckpt")
    assert not (tmp_path / "executed").exists()


def test_a_pipe_and_a_missing_file_are_one_clear_error(tmp_path):
    os.mkfifo(tmp_path / "pipe.ckpt")
    with pytest.raises(ValueError, match="pipe.ckpt: a named pipe"):
        read_arrays(tmp_path / "pipe.ckpt")
    with pytest.raises(FileNotFoundError, match="absent.ckpt: no such weights file"):
        read_arrays(tmp_path / "absent.ckpt")
