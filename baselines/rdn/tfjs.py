"""Reading the weights of a TensorFlow.js layers model: `model.json` lists them, a binary file holds them in a row.

The topology in the file is not read, because it is a program. Names and shapes must be the expected ones.
Format: https://github.com/tensorflow/tfjs/tree/master/tfjs-converter
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from frames.door import open_regular

_LARGEST_JSON = 10_000_000


def read_weights(model: Path, weights: Path) -> dict[str, np.ndarray]:
    """Read the weights of a model by name, float32, in Keras's layout (kernels HWIO).

    Args:
        model: `model.json`.
        weights: the shard that its manifest names; models of several shards are not read.
    Raises:
        FileNotFoundError: one of the files is absent.
        ValueError: no such model, several shards, another dtype, or a shard of another length.
    """
    try:
        with open_regular(model, "model") as stream:
            (group,) = json.loads(stream.read(_LARGEST_JSON))["weightsManifest"]
        listed = [(str(each["name"]), tuple(map(int, each["shape"])), each["dtype"]) for each in group["weights"]]
        shards = len(group["paths"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        if str(error).startswith(str(model)):
            raise
        raise ValueError(
            f"{model}: not a model.json of TensorFlow.js with one group of weights; fetch it again"
        ) from None
    foreign = sorted({str(dtype) for _, _, dtype in listed} - {"float32"})
    if foreign or shards != 1 or any(side < 1 for _, shape, _ in listed for side in shape):
        held = f"weights of {', '.join(foreign)}" if foreign else f"{shards} shards or empty weights"
        raise ValueError(f"{model}: {held}; models of float32 in one shard are read")
    with open_regular(weights, "weights file") as stream:
        content = stream.read()
    counts = [math.prod(shape) for _, shape, _ in listed]
    if len(content) != 4 * sum(counts):
        raise ValueError(
            f"{weights}: {len(content)} bytes where {model.name} describes {4 * sum(counts)}; fetch both again"
        )
    values = np.frombuffer(content, "<f4")
    parts = np.split(values, np.cumsum(counts)[:-1]) if counts else []
    return {name: part.reshape(shape) for (name, shape, _), part in zip(listed, parts, strict=True)}
