"""An ONNX file opened by onnxruntime, and its graph's rules for frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from baselines.onnx.external_data import external_data_digest
from frames.door import check_regular
from frames.errors import EnvironmentInvalid, one_line, short_line

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

HOW_TO_INSTALL = "pip install onnxruntime (the extra `onnx` of this project)"
MEMORY, MEMORY_OUT = "memory", "memory_out"
MOST_CHANNELS = 1024  # of a memory, which is allocated before the graph runs
TYPES = {"tensor(float)": torch.float32, "tensor(float16)": torch.float16, "tensor(uint8)": torch.uint8}
DOUBLE = "tensor(double)"


@dataclass(frozen=True)
class Graph:
    """An onnxruntime session with one input and one output of frames, and perhaps a memory from frame to frame.

    Attributes:
        input, output: names of the input and the output of frames.
        dtype: of the input.
        metadata: the file's metadata by name.
        version: of onnxruntime.
        data: digest of external files with weights; None: there are none.
        memory: channels of the memory, a second input and output; 0: none.
    """

    session: InferenceSession
    input: str
    output: str
    dtype: torch.dtype
    metadata: dict[str, str]
    version: str
    data: str | None = None
    memory: int = 0

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """Run the graph: (N, 3, h, w) of `dtype` on the CPU -> (N, 3, H, W).

        Raises:
            ValueError: onnxruntime failed.
        """
        return self._run([self.output], {self.input: frames})[0]

    def follow(self, frames: torch.Tensor, memory: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Run a graph with a memory on a frame between its neighbours.

        Args:
            frames: (3, 3, h, w) of `dtype`: the frame before, this one, the one after.
            memory: that of the frame before, (1, C, h, w); None for the first frame.
        Returns:
            The SR frame, (1, 3, H, W), and the memory for the next frame.
        Raises:
            ValueError: onnxruntime failed.
        """
        if memory is None:
            memory = torch.zeros(1, self.memory, *frames.shape[2:])
        sr, memory = self._run([self.output, MEMORY_OUT], {self.input: frames, MEMORY: memory})
        return sr, memory

    def _run(self, outputs: list[str], inputs: dict[str, torch.Tensor]) -> list[torch.Tensor]:
        try:
            results = self.session.run(outputs, {name: value.contiguous().numpy() for name, value in inputs.items()})
        except Exception as error:  # onnxruntime has classes of its own, which derive from nothing else
            shape = tuple(inputs[self.input].shape)
            raise ValueError(f"onnxruntime could not run it on {shape}: {short_line(error)}") from None
        return [torch.from_numpy(result) for result in results]


def open_graph(path: str | Path, device: str) -> Graph:
    """Open a file whose graph maps RGB frames of any size, one (N, 3, H, W) tensor, to another such tensor.

    The session uses as many threads as torch has when it is opened.

    Raises:
        EnvironmentInvalid: onnxruntime is not installed, or has no CUDA and the device asks for it; or onnx is not
            installed, and the graph keeps weights in other files.
        FileNotFoundError, ValueError: not an ONNX file, another kind of graph, or external files outside its folder;
            one line.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise EnvironmentInvalid(f"method=onnx: it cannot be imported ({one_line(error)}); {HOW_TO_INSTALL}") from None
    path = Path(path)
    check_regular(path, "weights file")
    kind, _, index = device.partition(":")
    provider = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}.get(kind, kind)
    if provider not in onnxruntime.get_available_providers():
        raise EnvironmentInvalid(
            f"method=onnx: this onnxruntime has no {kind}; install onnxruntime-gpu or use device=cpu"
        )
    data = external_data_digest(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # errors are raised as exceptions, too
    chosen = (provider, {"device_id": index}) if index else provider
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=[chosen])
    except Exception as error:
        raise ValueError(f"{path}: onnxruntime cannot open it ({short_line(error)}); give an ONNX file") from None
    session.disable_fallback()
    if provider not in session.get_providers():  # onnxruntime takes the processor then, and hardly says so
        raise EnvironmentInvalid(
            f"method=onnx: onnxruntime could not start its {provider}; its CUDA and cuDNN must be those that it was "
            f"built for, and device={device} must be there; or use device=cpu"
        )
    inputs, outputs = session.get_inputs(), session.get_outputs()
    memory = _memory(inputs, outputs)
    if memory > MOST_CHANNELS:
        raise ValueError(f"{path}: its memory has {memory} channels, more than {MOST_CHANNELS}")
    if memory:
        inputs, outputs = inputs[:1], outputs[:1]
    shape = inputs[0].shape if len(inputs) == 1 else []
    if memory and shape[:2] == [3, 3]:
        shape = [1, *shape[1:]]  # a frame between its neighbours
    if len(outputs) != 1 or len(shape) != 4 or _fixed(shape[0]) not in (None, 1) or _fixed(shape[1]) not in (None, 3):
        raise ValueError(f"{path}: its graph does not map one (N, 3, H, W) tensor to another; give one for RGB frames")
    if _fixed(shape[2]) or _fixed(shape[3]):
        raise ValueError(f"{path}: made for frames of {shape[3]}x{shape[2]}; export it with dynamic height and width")
    if inputs[0].type not in TYPES:
        raise ValueError(f"{path}: it takes {inputs[0].type}; known: {', '.join(TYPES)}")
    if outputs[0].type not in (*TYPES, DOUBLE):  # other integers have no value of white
        raise ValueError(f"{path}: it gives {outputs[0].type}; known: {', '.join((*TYPES, DOUBLE))}")
    return Graph(
        session=session,
        input=inputs[0].name,
        output=outputs[0].name,
        dtype=TYPES[inputs[0].type],
        metadata=dict(session.get_modelmeta().custom_metadata_map),
        version=onnxruntime.__version__,
        data=data,
        memory=memory,
    )


def _memory(inputs: list[Any], outputs: list[Any]) -> int:
    """Channels of the second input and output of a graph with a memory; 0 for any other graph."""
    if [each.name for each in (*inputs[1:], *outputs[1:])] != [MEMORY, MEMORY_OUT]:
        return 0
    shape = inputs[1].shape
    return (_fixed(shape[1]) or 0) if len(shape) == 4 and inputs[1].type == "tensor(float)" else 0


def _fixed(side: int | str | None) -> int | None:
    """A dimension of a shape if it is fixed; None for a name or None, which stand for any size."""
    return side if isinstance(side, int) else None


def count_parameters(path: str | Path) -> int:
    """Count the weights in a file; 0 if the package onnx, which reads it, is not installed."""
    try:
        import onnx
    except ImportError:
        return 0
    tensors = onnx.load(str(path), load_external_data=False).graph.initializer
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    return sum(int(torch.Size(each.dims).numel()) for each in tensors if each.data_type in floats)
