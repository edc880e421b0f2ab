"""ONNX files of other people: frames through a graph, and files that are none."""

import sys

import numpy as np
import pytest
import torch

from frames.errors import EnvironmentInvalid

onnx = pytest.importorskip("onnx", reason="onnx is not installed (the extra `onnx`)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra `onnx`)")

from baselines.onnx import Onnx  # noqa: E402
from baselines.onnx.external_data import external_data_digest  # noqa: E402
from baselines.onnx.session import open_graph  # noqa: E402

FLOAT, HALF, BYTE = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.UINT8


def saved(path, scale=2, dtype=FLOAT, shape=("n", 3, "h", "w"), nodes=None, gives=None, **said):
    """A graph that repeats pixels, or other nodes; `gives` is the type of its output, else that of its input."""
    helper = onnx.helper
    factors = helper.make_tensor("factors", FLOAT, [4], [1, 1, scale, scale])
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    nodes = nodes or [helper.make_node("Resize", ["x", "", "factors"], ["y"], **how)]
    values = [
        helper.make_tensor_value_info("x", dtype, shape),
        helper.make_tensor_value_info("y", gives or dtype, [None] * 4),
    ]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], [factors])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {name: str(value) for name, value in said.items()})
    onnx.save(model, str(path))
    return path


def repeated(lr, scale):
    return lr.repeat_interleave(scale, 2).repeat_interleave(scale, 3)


@pytest.mark.parametrize("dtype", [FLOAT, HALF, BYTE])
@pytest.mark.parametrize("scale", [2, 3])
def test_frames_come_through_in_every_type(tmp_path, dtype, scale, panning_lr):
    upscaler = Onnx(saved(tmp_path / "m.onnx", scale, dtype), scale=scale)
    assert torch.equal(upscaler.upscale(panning_lr), repeated(panning_lr, scale))
    said = upscaler.descriptor
    assert (said.scale, said.kind) == (scale, "image") and said.notes.startswith("onnxruntime ")


def test_sides_are_padded_as_the_options_or_the_file_say(tmp_path, panning_lr):
    for upscaler in (
        Onnx(saved(tmp_path / "a.onnx"), scale=2, minimum=48, multiple_of=16),
        Onnx(saved(tmp_path / "b.onnx", minimum=48, multiple_of=16), scale=2),
    ):
        assert str(upscaler.descriptor.size_rule).startswith("at least 48 px, multiple of 16, padded by repeating")
        assert torch.equal(upscaler.upscale(panning_lr), repeated(panning_lr, 2))


@pytest.mark.parametrize("ceil, made", [(0, "20x16"), (1, "24x20")])
def test_a_graph_whose_frames_do_not_fit_names_the_option(tmp_path, ceil, made):
    halves = onnx.helper.make_node("AveragePool", ["x"], ["small"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=ceil)
    grows = onnx.helper.make_node("Resize", ["small", "", "factors"], ["y"], mode="nearest")
    file = saved(tmp_path / "m.onnx", scale=4, nodes=[halves, grows])
    lr = torch.zeros(1, 3, 9, 11, dtype=torch.uint8)
    with pytest.raises(ValueError, match=f"of 11x9 it makes {made}, which is not 2 times .*: method.minimum, method.m"):
        Onnx(file, scale=2).upscale(lr)
    assert Onnx(file, scale=2, multiple_of=2).upscale(lr).shape == (1, 3, 18, 22)


def test_a_graph_for_clips_gets_a_frame_on_either_side(tmp_path, monkeypatch):
    monkeypatch.setattr("baselines.onnx.upscaler.LONGEST", 2)
    upscaler = Onnx(saved(tmp_path / "m.onnx", clips=1), scale=2)
    seen, levels = [], upscaler._levels
    monkeypatch.setattr(upscaler, "_levels", lambda frames: (seen.append(len(frames)), levels(frames))[1])
    lr = torch.arange(5 * 3 * 4 * 4).reshape(5, 3, 4, 4).to(torch.uint8)
    assert torch.equal(upscaler.upscale(lr), repeated(lr, 2))
    assert seen == [3, 4, 2] and upscaler.descriptor.kind == "video"


def test_white_is_255_where_the_graph_wants_it(tmp_path, panning_lr):
    helper = onnx.helper
    cut = [
        helper.make_node("Resize", ["x", "", "factors"], ["big"], mode="nearest"),
        helper.make_node("Floor", ["big"], ["y"]),  # below 1 everything but white would be black
    ]
    sr = Onnx(saved(tmp_path / "m.onnx", nodes=cut), scale=2, value_range=255).upscale(panning_lr)
    assert sr.float().mean() > 30


@pytest.mark.parametrize(
    "graph, options, complaint",
    [
        ({}, {"scale": 4}, "upscales by 2, not by 4; run it with scale=2"),
        ({}, {"value_range": 2}, "method.value_range=2: write 1 or 255"),
        ({}, {"multiple_of": 0}, "method.multiple_of=0: write a number"),
        ({"shape": (1, 3, 64, 64)}, {}, "made for frames of 64x64; export it with dynamic height and width"),
        ({"shape": (8, 3, "h", "w")}, {}, "does not map one"),
        ({"shape": ("n", 1, "h", "w")}, {}, "does not map one"),
        ({"dtype": onnx.TensorProto.INT32}, {}, "it takes tensor.int32."),
    ],
    ids=str,
)
def test_what_does_not_fit_is_one_line(tmp_path, graph, options, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        Onnx(saved(tmp_path / "m.onnx", **graph), **{"scale": 2} | options)
    assert "\n" not in str(caught.value)


def cast(kind):
    """Nodes that repeat pixels and give them in another type."""
    return [
        onnx.helper.make_node("Resize", ["x", "", "factors"], ["big"], mode="nearest"),
        onnx.helper.make_node("Cast", ["big"], ["y"], to=kind),
    ]


@pytest.mark.parametrize("made", ["INT64", "INT32", "UINT16"])
def test_integers_without_a_known_white_are_refused(tmp_path, made):
    kind = getattr(onnx.TensorProto, made)
    file = saved(tmp_path / "m.onnx", nodes=cast(kind), gives=kind)
    with pytest.raises(ValueError, match=rf"m\.onnx: it gives tensor\({made.lower()}\); known: tensor\(float\)"):
        Onnx(file, scale=2)


@pytest.mark.parametrize("gain, white, found", [(255.0, 1, "a white frame it makes values of 255 "), (-1, 255, "-255")])
def test_values_far_outside_the_range_are_refused(tmp_path, gain, white, found):
    file = with_weights_beside(tmp_path / "m.onnx", gain=gain)
    with pytest.raises(
        ValueError, match=rf"m\.onnx: .*{found}.*; export it for frames from 0 to 1, or to 255"
    ) as caught:
        Onnx(file, scale=2, value_range=white)
    assert "\n" not in str(caught.value)


def test_double_precision_comes_through(tmp_path, panning_lr):
    double = onnx.TensorProto.DOUBLE
    file = saved(tmp_path / "m.onnx", nodes=cast(double), gives=double)
    assert Onnx(file, scale=2).upscale(panning_lr).shape[1] == 3


@pytest.mark.parametrize("content", [b"", b"not a graph", None])
def test_files_that_are_none_are_one_line(tmp_path, content):
    if content is not None:
        (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match="m.onnx: ") as caught:
        open_graph(tmp_path / "m.onnx", "cpu")
    assert "\n" not in str(caught.value)


def test_without_onnxruntime_or_cuda_one_line_says_what_to_install(tmp_path, monkeypatch):
    file = saved(tmp_path / "m.onnx")
    with pytest.raises(EnvironmentInvalid, match="has no tpu; install onnxruntime-gpu or use device=cpu"):
        open_graph(file, "tpu")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EnvironmentInvalid, match="pip install onnxruntime"):
        Onnx(file)


def test_a_gpu_that_does_not_start_is_no_processor(tmp_path, monkeypatch):
    """As where CUDA's libraries are missing: the graph ran on the processor, and its times were called a GPU's."""
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    with (
        pytest.warns(UserWarning, match="CUDAExecutionProvider"),
        pytest.raises(EnvironmentInvalid, match="device=cpu"),
    ):
        open_graph(saved(tmp_path / "m.onnx"), "cuda")


@pytest.mark.parametrize("told", ["1000000000", "²", "-1", "x", "0", ""])
def test_what_a_file_says_of_its_sides_is_bounded(tmp_path, told):
    with pytest.raises(ValueError, match="m.onnx: it says of itself minimum=.*; give method.minimum"):
        Onnx(saved(tmp_path / "m.onnx", minimum=told), scale=2)


def remembering(path, channels):
    """A graph with a memory: it gives the middle frame back, and the memory plus one."""
    helper = onnx.helper
    first, one = (
        helper.make_tensor("first", onnx.TensorProto.INT64, [1], [1]),
        helper.make_tensor("one", FLOAT, [1], [1]),
    )
    nodes = [
        helper.make_node("Gather", ["lr", "first"], ["sr"], axis=0),
        helper.make_node("Add", ["memory", "one"], ["memory_out"]),
    ]
    frames, memory = ("lr", [3, 3, "h", "w"]), ("memory", [1, channels, "h", "w"])
    inputs = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in (frames, memory)]
    outputs = [helper.make_tensor_value_info(name, FLOAT, [None] * 4) for name in ("sr", "memory_out")]
    graph = helper.make_graph(nodes, "g", inputs, outputs, [first, one])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(path))
    return path


def test_each_frame_of_a_graph_with_a_memory_gets_what_the_one_before_handed_on(tmp_path):
    graph = open_graph(remembering(tmp_path / "m.onnx", 2), "cpu")
    frames, memory = torch.rand(3, 3, 4, 4), None
    for count in (1, 2, 3):
        sr, memory = graph.follow(frames, memory)
        assert torch.equal(sr, frames[1:2]) and torch.equal(memory, torch.full((1, 2, 4, 4), float(count)))


def test_a_memory_that_would_take_all_memory_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="its memory has 1000000000 channels, more than 1024"):
        open_graph(remembering(tmp_path / "m.onnx", 10**9), "cpu")


def with_weights_beside(path, name="m.onnx_data", stored=None, gain=1.0, is_inner=False):
    """A graph with a gain that lies in another file; `stored`: what it says of that file's place."""
    helper = onnx.helper
    (path.parent / name).write_bytes(np.float32(gain).tobytes())
    weight = onnx.TensorProto(name="gain", data_type=FLOAT, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value=stored or name)
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    nodes = [helper.make_node("Resize", ["x", "", "factors"], ["big"], **how)]
    nodes += [helper.make_node("Constant", [], ["gain"], value=weight)] * is_inner
    nodes += [helper.make_node("Mul", ["big", "gain"], ["y"])]
    model = onnx.load(str(saved(path, nodes=nodes)), load_external_data=False)
    if not is_inner:
        model.graph.initializer.append(weight)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("name", ["m.onnx_data", "m.onnx.data", "weights/of it"])
def test_weights_beside_the_file_are_part_of_what_it_is_known_by(tmp_path, name):
    (tmp_path / "weights").mkdir()
    (tmp_path / "m.onnx.data").touch()  # of another file, mostly
    file = with_weights_beside(tmp_path / "m.onnx", name)
    before = Onnx(file, scale=2)
    assert before.identity["data"] and f"beside it (sha256 {before.identity['data'][:12]})" in before.descriptor.weights
    assert Onnx(file, scale=2).identity == before.identity
    with_weights_beside(tmp_path / "other.onnx", name, gain=0.5)
    after = Onnx(file, scale=2)
    assert after.identity["data"] != before.identity["data"] and after.descriptor.weights != before.descriptor.weights


def test_a_file_that_holds_its_weights_itself_is_known_by_itself_alone(tmp_path):
    (tmp_path / "m.onnx.data").write_text("of another file")
    upscaler = Onnx(saved(tmp_path / "m.onnx"), scale=2)
    assert upscaler.identity["data"] is None and "beside" not in upscaler.descriptor.weights


def test_weights_of_every_part_of_a_graph_are_found(tmp_path):
    file = with_weights_beside(tmp_path / "m.onnx", is_inner=True)
    assert external_data_digest(file) == external_data_digest(with_weights_beside(tmp_path / "m.onnx"))


@pytest.mark.parametrize("stored", ["/etc/passwd", "../m.onnx_data", "a/../../m.onnx_data", "a\0b", "."])
def test_weights_outside_the_folder_are_refused_in_one_line(tmp_path, stored):
    file = with_weights_beside(tmp_path / "m.onnx", stored=stored)
    with pytest.raises(ValueError, match="outside its folder; save them beside it|a folder, not a regular") as caught:
        Onnx(file)
    assert "\n" not in str(caught.value)


def test_weights_that_are_not_there_and_a_package_that_is_not_are_one_line(tmp_path, monkeypatch):
    file = with_weights_beside(tmp_path / "m.onnx", stored="gone.bin")
    with pytest.raises(FileNotFoundError, match=r"gone\.bin: no such weights file"):
        Onnx(file)
    (tmp_path / "not.onnx").write_bytes(b"no graph" + b"\n\x08location")
    with pytest.raises(ValueError, match=r"not\.onnx: onnx cannot read it \(.*\); give an ONNX file"):
        Onnx(tmp_path / "not.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(EnvironmentInvalid, match="pip install onnx"):
        Onnx(file)
    assert Onnx(saved(tmp_path / "whole.onnx"), scale=2).identity["data"] is None
