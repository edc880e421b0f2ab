"""External data files of an ONNX file, in which its graph keeps weights."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from frames.door import check_regular, open_regular
from frames.errors import EnvironmentInvalid, one_line, short_line

_MARK = b"\n\x08location"
"""The encoded protobuf key under which a weight in an external file names that file."""


def external_data_digest(path: Path) -> str | None:
    """Hash names and content of all external files of a graph, by sha256; None if it keeps its weights in itself.

    Raises:
        EnvironmentInvalid: there are such files, and the package onnx, which reads their names, is not installed.
        FileNotFoundError, ValueError: one of them is missing or outside the folder, or this is not an ONNX file.
    """
    if not _has_files(path):
        return None
    found = []
    for name in sorted(set(_names(path))):
        if not name or "\0" in name or os.path.isabs(name) or os.path.normpath(name).split(os.sep)[0] == os.pardir:
            raise ValueError(f"{path}: it keeps weights in '{name[:80]}', outside its folder; save them beside it")
        check_regular(path.parent / name, "weights file")
        with open(path.parent / name, "rb") as stream:
            found.append((name, hashlib.file_digest(stream, "sha256").hexdigest()))
    return hashlib.sha256(json.dumps(found).encode()).hexdigest() if found else None


def _has_files(path: Path) -> bool:
    with open_regular(path, "weights file") as stream:
        if not os.fstat(stream.fileno()).st_size:
            return False
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return data.find(_MARK) >= 0


def _names(path: Path) -> list[str]:
    try:
        import onnx
    except ImportError as error:
        raise EnvironmentInvalid(
            f"{path}: it keeps weights in other files, and the package onnx, which tells their names, cannot be "
            f"imported ({one_line(error)}); pip install onnx (the extra `onnx` of this project)"
        ) from None
    try:
        return list(_locations(onnx.load(str(path), load_external_data=False)))
    except Exception as error:  # protobuf has classes of its own
        raise ValueError(f"{path}: onnx cannot read it ({short_line(error)}); give an ONNX file") from None


def _locations(message: Any) -> Iterator[str]:
    """Yield the names of files in a protobuf message and all messages in it: initializers, attributes, subgraphs."""
    if message.DESCRIPTOR.name == "TensorProto" and message.data_location == message.EXTERNAL:
        yield from (each.value for each in message.external_data if each.key == "location")
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in [value] if hasattr(value, "ListFields") else value:
                yield from _locations(each)
