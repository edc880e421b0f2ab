"""Reading the weights of an ncnn model: the text `.param` lists the layers, the binary `.bin` holds their weights.

Only what plain convolutional networks need: Convolution, PReLU, constants and layers without weights.
Format: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

_PARAM_MAGIC = "7767517"
_FLOAT16 = 0x01306B47
_FLOAT32 = (0, 0x0002C056)
_WEIGHTLESS = {"Input", "Split", "Concat", "Eltwise", "BinaryOp", "Interp", "PixelShuffle", "Sigmoid", "Swish"}


@dataclass(frozen=True)
class Layer:
    """One line of a `.param` file.

    Attributes:
        kind: "Convolution", "PReLU", ...
        name: the layer's name in the file.
        options: option id -> its text; ids are those of ncnn's operator list.
    """

    kind: str
    name: str
    options: dict[int, str]

    def option(self, key: int) -> int:
        """Option `key` as a whole number, 0 where it is not given (ncnn's default for all that is read here).

        Raises:
            ValueError: it is no whole number.
        """
        text = self.options.get(key, "0")
        if not text.isdecimal():
            raise ValueError(f"ncnn layer {self.name}: option {key} is {text!r}, not a count; fetch the .param again")
        return int(text)


def read_param(path: Path) -> list[Layer]:
    """Read the layers of a `.param` file, in the file's order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not an ncnn text model, or is cut short.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no ncnn model here; fetch it again or set the config's weights")
    try:
        lines = path.read_text(encoding="ascii").split("\n")
        if lines[0].strip() != _PARAM_MAGIC:
            raise ValueError("the first line is not ncnn's 7767517")
        layer_count = int(lines[1].split()[0])
        layers = [_read_layer(line) for line in lines[2:] if line.strip()]
        if len(layers) != layer_count:
            raise ValueError(f"it announces {layer_count} layers and has {len(layers)}")
    except (UnicodeDecodeError, ValueError, IndexError) as error:
        raise ValueError(f"{path}: not a complete ncnn .param file ({error}); fetch it again") from error
    return layers


def _read_layer(line: str) -> Layer:
    """Parse a layer's line: `kind name n_inputs n_outputs blob... id=value...`."""
    words = line.split()
    first_option = 4 + int(words[2]) + int(words[3])
    if len(words) < first_option:
        raise ValueError(f"layer {words[1]} is cut short")
    options = dict(word.split("=", 1) for word in words[first_option:])
    return Layer(kind=words[0], name=words[1], options={int(key): value for key, value in options.items()})


def read_weights(layers: list[Layer], path: Path) -> list[tuple[Layer, dict[str, np.ndarray]]]:
    """Read the weights of `layers` from a `.bin` file.

    Returns:
        The layers that have weights, in order, each with float32 arrays: "weight" (out, in, k, k) and "bias" (out) of a
        convolution, "weight" (channels) of a PReLU, "weight" (values) of a constant (MemoryData).
    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is shorter or longer than the layers say, holds an unknown encoding, or a layer is of a
            kind that is not read here.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no ncnn weights here; fetch them again or set the config's weights")
    reader = _Reader(path)
    found = []
    for layer in layers:
        if layer.kind == "Convolution":
            found.append((layer, _read_convolution(layer, reader)))
        elif layer.kind == "PReLU":
            found.append((layer, {"weight": reader.floats(layer.option(0))}))
        elif layer.kind == "MemoryData":
            found.append((layer, {"weight": reader.floats(math.prod(layer.option(key) or 1 for key in (0, 1, 2)))}))
        elif layer.kind not in _WEIGHTLESS:
            raise ValueError(f"{path}: layer {layer.name} is a {layer.kind}, which is not read here; use another model")
    reader.finish()
    return found


def _read_convolution(layer: Layer, reader: _Reader) -> dict[str, np.ndarray]:
    outputs, kernel, has_bias, size = (layer.option(key) for key in (0, 1, 5, 6))
    if min(outputs, kernel, size) <= 0 or size % (outputs * kernel * kernel):
        raise ValueError(f"{reader.path}: layer {layer.name} has impossible sizes; fetch the .param file again")
    arrays = {"weight": reader.tagged(size).reshape(outputs, -1, kernel, kernel)}
    if has_bias:
        arrays["bias"] = reader.floats(outputs)
    return arrays


class Constant(nn.Module):
    """Constant values among a network's weights (ncnn's MemoryData), as `weight`."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(count))


_MODULES = {"Convolution": nn.Conv2d, "PReLU": nn.PReLU, "MemoryData": Constant}


def fill(network: nn.Module, model: str, param: Path, found: list[tuple[Layer, dict[str, np.ndarray]]]) -> None:
    """Put the weights that `read_weights` found into a network, which may be on the meta device.

    ncnn files keep no torch names. Both they and our modules list layers in the order of computation, so layers are
    matched by that order, and kind and shape are checked for each.

    Args:
        model: what the network is called, for messages.
        param: the file, for messages.
    Raises:
        ValueError: layers that are not those of the network.
    """
    ours = [module for module in network.modules() if isinstance(module, tuple(_MODULES.values()))]
    if len(ours) != len(found):
        raise ValueError(f"{param}: {len(found)} layers have weights, {len(ours)} in {model}; give {model}'s file")
    for module, (layer, arrays) in zip(ours, found):
        wanted = {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}
        given = {name: array.shape for name, array in arrays.items()}
        if not isinstance(module, _MODULES[layer.kind]) or wanted != given:
            raise ValueError(f"{param}: layer {layer.name} is not {model}'s: {given} for {wanted}; give {model}'s file")
        for name, array in arrays.items():
            setattr(module, name, nn.Parameter(torch.from_numpy(array)))


class _Reader:
    """A bounds-checked walk through a `.bin` file (little endian, items aligned to 4 bytes)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bytes = path.read_bytes()
        self._position = 0

    def tagged(self, count: int) -> np.ndarray:
        """`count` values after a 4-byte tag that tells their encoding."""
        tag = int.from_bytes(self._take(4), "little")
        if tag == _FLOAT16:
            return np.frombuffer(self._take(2 * count + 2 * count % 4), "<f2", count).astype(np.float32)
        if tag in _FLOAT32:
            return self.floats(count)
        raise ValueError(f"{self.path}: unknown weight encoding {tag:#010x}; only float16 and float32 models are read")

    def floats(self, count: int) -> np.ndarray:
        """`count` plain float32 values."""
        return np.frombuffer(self._take(4 * count), "<f4", count).astype(np.float32)

    def finish(self) -> None:
        """Raise ValueError if bytes are left that no layer asked for."""
        left = len(self._bytes) - self._position
        if left:
            raise ValueError(f"{self.path}: {left} bytes more than its .param file describes; fetch both files again")

    def _take(self, size: int) -> bytes:
        end = self._position + size
        if size == 0:
            raise ValueError(f"{self.path}: a layer of its .param file asks for no weights; fetch both files again")
        if end > len(self._bytes):
            raise ValueError(
                f"{self.path}: cut short, {len(self._bytes)} bytes where at least {end} are needed; fetch it again"
            )
        taken = self._bytes[self._position : end]
        self._position = end
        return taken
