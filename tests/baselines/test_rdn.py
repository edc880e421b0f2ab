"""The residual dense network against a reference written layer by layer, its file format, and the packages' weights."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from baselines.rdn import RDN
from baselines.rdn.upscaler import load
from bench import assets

CHANNELS, GROWTH, BLOCKS = 8, 4, 2


def kernels(scale=4, channels=CHANNELS, growth=GROWTH, blocks=BLOCKS):
    """Random weights under Keras's names, kernels HWIO."""
    shapes = {"F_m1": (3, 3, 3, channels), "F_0": (3, 3, channels, channels), "GFF_2": (3, 3, channels, channels)}
    for index in range(1, blocks + 1):
        shapes |= {f"F_{index}_1": (3, 3, channels, growth), f"LFF_{index}": (1, 1, channels + growth, channels)}
    shapes |= {"GFF_1": (1, 1, blocks * channels, channels), "UPN1": (5, 5, channels, 64), "UPN2": (3, 3, 64, 32)}
    shapes |= {"UPN3": (3, 3, 32, 3 * scale**2), "SR": (3, 3, 3 * scale**2, 3)}
    random = np.random.default_rng(0)
    found = {}
    for name, shape in shapes.items():
        found[f"{name}/kernel"] = random.normal(0, (np.prod(shape[:3])) ** -0.5, shape).astype("<f4")
        found[f"{name}/bias"] = random.normal(0, 0.05, shape[3]).astype("<f4")
    return found


def write(folder, values, **changes):
    """The two files of a TensorFlow.js layers model; returns their paths."""
    listed = [{"name": name, "shape": list(value.shape), "dtype": "float32"} for name, value in values.items()]
    manifest = [{"paths": ["group1-shard1of1.bin"], "weights": listed} | changes]
    (folder / "model.json").write_text(json.dumps({"format": "layers-model", "weightsManifest": manifest}))
    (folder / "w.bin").write_bytes(b"".join(value.tobytes() for value in values.values()))
    return folder / "model.json", folder / "w.bin"


def test_a_width_that_one_kernel_announces_takes_no_memory(tmp_path, allocated):
    wide = kernels() | {"F_1_1/kernel": np.zeros((1, 1, 4096, GROWTH), "<f4")}
    with allocated() as sizes, pytest.raises(ValueError, match="wrong shapes"):
        load(*write(tmp_path, wide))
    assert max(sizes, default=0) < 1e6


def reference(x, weights, blocks=BLOCKS, scale=4):
    """The graph of the package's model.json, node by node."""

    def conv(name, x):
        kernel = torch.from_numpy(weights[f"{name}/kernel"].transpose(3, 2, 0, 1).copy())
        return F.conv2d(x, kernel, torch.from_numpy(weights[f"{name}/bias"].copy()), padding="same")

    entered = conv("F_m1", x)
    last, seen = conv("F_0", entered), []
    for index in range(1, blocks + 1):
        grown = torch.relu(conv(f"F_{index}_1", last))
        last = conv(f"LFF_{index}", torch.cat([last, grown], 1)) + last
        seen.append(last)
    x = conv("GFF_2", conv("GFF_1", torch.cat(seen, 1))) + entered
    x = conv("UPN3", torch.relu(conv("UPN2", torch.relu(conv("UPN1", x)))))
    return conv("SR", x.repeat_interleave(scale, 2).repeat_interleave(scale, 3))


@pytest.mark.parametrize("scale", [2, 4])
def test_equals_the_graph_node_by_node(tmp_path, scale):
    weights = kernels(scale)
    x = torch.rand(1, 3, 7, 9)
    with torch.inference_mode():
        assert torch.allclose(load(*write(tmp_path, weights))(x), reference(x, weights, scale=scale), atol=1e-5)


def test_any_size_rounded_to_8_bits(tmp_path, panning_lr):
    upscaler = RDN(*write(tmp_path, kernels()), size="tiny")
    sr = upscaler.upscale(panning_lr[:2, :, :5, :6])
    assert sr.dtype == torch.uint8 and sr.shape == (2, 3, 20, 24)
    assert upscaler.descriptor.name == "esrgan-tiny"
    assert upscaler.descriptor.parameters == sum(value.size for value in kernels().values())


def test_another_scale_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="upscales by 2, not by 4; run it with scale=2"):
        RDN(*write(tmp_path, kernels(scale=2)))


@pytest.mark.parametrize(
    "change, complaint",
    [
        (lambda json_file, _: json_file.write_text("{}"), "not a model.json of TensorFlow.js"),
        (lambda json_file, _: json_file.write_text("["), "not a model.json of TensorFlow.js"),
        (lambda json_file, _: json_file.write_bytes(b"\xff\xfe"), "not a model.json of TensorFlow.js"),
        (lambda json_file, _: json_file.unlink(), "no such model"),
        (lambda _, file: file.write_bytes(bytes(8)), "8 bytes where model.json describes"),
        (lambda _, file: file.unlink(), "no such weights file"),
    ],
)
def test_damaged_files_are_one_line(tmp_path, change, complaint):
    files = write(tmp_path, kernels())
    change(*files)
    with pytest.raises((ValueError, FileNotFoundError), match=complaint) as caught:
        load(*files)
    assert "\n" not in str(caught.value)


def test_other_models_are_one_line(tmp_path):
    halves = [{"name": "F_0/kernel", "shape": [3, 3, 8, 8], "dtype": "float16"}]
    with pytest.raises(ValueError, match="weights of float16; models of float32 in one shard"):
        load(*write(tmp_path, kernels(), weights=halves))
    with pytest.raises(ValueError, match="2 shards"):
        load(*write(tmp_path, kernels(), paths=["a", "b"]))
    with pytest.raises(ValueError, match="no residual dense network"):
        load(*write(tmp_path, {"dense/kernel": np.ones((1, 1, 3, 3), "<f4")}))
    with pytest.raises(ValueError, match="1 weights missing or unknown .GFF_2/bias"):
        load(*write(tmp_path, {name: value for name, value in kernels().items() if name != "GFF_2/bias"}))
    with pytest.raises(ValueError, match="wrong shapes for leave.weight"):
        load(*write(tmp_path, kernels() | {"GFF_2/kernel": np.ones((3, 3, 8, 9), "<f4")}))


@pytest.mark.parametrize("size, parameters", [("slim", 233_451), ("medium", 704_611)])
def test_the_package_s_weights_keep_the_content_of_a_photograph(size, parameters, panning_lr, panning_hr):
    try:
        files = [assets.path(f"esrgan/{size}-x4.{end}") for end in ("json", "bin")]
    except FileNotFoundError as error:
        pytest.skip(str(error))
    upscaler = RDN(*files, size=size)
    assert upscaler.descriptor.parameters == parameters and "1.0.0" in upscaler.descriptor.weights
    error = upscaler.upscale(panning_lr[:1])[0].permute(1, 2, 0).numpy() - panning_hr[0].astype(np.float64)
    assert 10 * np.log10(255**2 / (error**2).mean()) > 24
