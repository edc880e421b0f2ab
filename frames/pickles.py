"""Safe reading of pickled weights: numpy arrays in plain containers, without running any code."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from frames.door import open_regular

_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


class _NumpyUnpickler(pickle.Unpickler):
    """An unpickler that refuses every class and function but those of numpy's arrays."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a weights file")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_arrays(path: str | Path) -> dict[str, Any]:
    """Read a pickled nested dict of numpy arrays.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is not a regular file, damaged, or holds anything else.
    """
    path = Path(path)
    with open_regular(path, "weights file") as file:
        try:
            tree = _NumpyUnpickler(file).load()
        except Exception as error:  # a hostile file may make the unpickler raise anything
            raise ValueError(f"{path}: not a weights file of plain numpy arrays ({error})") from None
    if not isinstance(tree, dict):
        raise ValueError(f"{path}: not a weights file of plain numpy arrays (it holds no dictionary)")
    return tree


def read_convolutions(path: str | Path, network: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Read (weight OIHW, bias O) of each convolution of a network that flax has pickled with kernels in HWIO order.

    Args:
        network: the network's name in the file, like "VGG16_0".
    Raises:
        FileNotFoundError, ValueError: as `read_arrays`; also for a file without this network.
    """
    layers = read_arrays(path).get(network, {})
    try:
        found = [layers[f"Conv_{index}"] for index in range(len(layers))]
        if not found:
            raise KeyError(network)
        return [(layer["kernel"].transpose(3, 2, 0, 1).copy(), layer["bias"].copy()) for layer in found]
    except (TypeError, LookupError, AttributeError, ValueError) as error:
        raise ValueError(f"{path}: it does not hold the convolutions of {network}") from error
