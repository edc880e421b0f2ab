"""Safe reading of torch.distributed.checkpoint files as data; torch's own reader runs code in their pickles.

A checkpoint has a pickle of its layout, `.metadata`, and one of each value that is no tensor. Here the first may name
only the classes of a layout, and the others only tensors and plain values.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import torch
from torch.distributed.checkpoint import DefaultLoadPlanner, FileSystemReader
from torch.distributed.checkpoint.filesystem import _StorageInfo
from torch.distributed.checkpoint.metadata import Metadata, StorageMeta
from torch.distributed.checkpoint.planner import ReadItem

METADATA = "torch.distributed.checkpoint.metadata"
NAMES = {
    ("pathlib", "PosixPath"),
    ("pathlib", "WindowsPath"),
    ("torch", "Size"),
    ("torch.serialization", "_get_layout"),
    (_StorageInfo.__module__, _StorageInfo.__name__),
    (METADATA, "BytesStorageMetadata"),
    (METADATA, "ChunkStorageMetadata"),
    (METADATA, "Metadata"),
    (METADATA, "MetadataIndex"),
    (METADATA, "StorageMeta"),
    (METADATA, "TensorProperties"),
    (METADATA, "TensorStorageMetadata"),
    (METADATA, "_MEM_FORMAT_ENCODING"),
}
"""Classes and functions that the pickle of a layout may name, besides torch's types of numbers."""


class _LayoutUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        is_dtype = module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)
        if not is_dtype and (module, name) not in NAMES:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a checkpoint")
        return super().find_class(module, name)


class PlainReader(FileSystemReader):
    """torch's reader, with an unpickler for layouts that runs no code."""

    def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:
        """Read the layout of a checkpoint. Raises `pickle.UnpicklingError` for anything else."""
        path = self._get_metadata_path(kwargs.get("rank"))
        with self.fs.create_stream(path, "rb") as file:
            metadata = _LayoutUnpickler(file).load()
        if not isinstance(metadata, Metadata):
            raise pickle.UnpicklingError("its .metadata is not a layout of a checkpoint")
        if metadata.storage_meta is None:
            metadata.storage_meta = StorageMeta()
        metadata.storage_meta.load_id = self.load_id
        return metadata


class PlainPlanner(DefaultLoadPlanner):
    """torch's planner, restricted to values that are tensors or plain."""

    def load_bytes(self, read_item: ReadItem, value: io.BytesIO) -> None:
        """Put a value into the state. Raises `pickle.UnpicklingError` unless it is a tensor or plain."""
        plain = io.BytesIO()
        torch.save(torch.load(value, weights_only=True), plain)  # written anew, so that torch reads what was checked
        plain.seek(0)
        super().load_bytes(read_item, plain)
