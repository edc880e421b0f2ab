"""A pretended GPU: `python -m tests.pretended_cuda COMMAND ...` runs `python -m bench` with one, on the processor.

Its tensors say cuda:0, compute in host memory, and refuse to meet tensors of the CPU, as a GPU's do. Only forward
passes work. Events give times only once the device was synchronised, as CUDA's do.
"""

import sys
import time
import weakref
from types import SimpleNamespace

import torch
from torch.utils._pytree import tree_leaves, tree_map

from bench.__main__ import main
from bench.timing import telemetry
from tests.bench.timing.test_telemetry import Nvml

CPU = torch.device("cpu")
CARD = SimpleNamespace(name="Pretended A100", total_memory=2**30, major=8, minor=0, uuid="5a5a", L2_cache_size=2**20)
COPIES = ("copy_", "_to_copy")
INDEXING = ("index", "index_put_", "_unsafe_index")
FACTORIES = ("empty.memory_format", "empty_strided", "arange", "arange.start", "arange.start_step", "full", "zeros")
events, memory = weakref.WeakSet(), {"now": 0, "most": 0}


def count(change: int) -> None:
    memory["now"] += change
    memory["most"] = max(memory.values())


class OnGPU(torch.Tensor):
    """A tensor of the pretended GPU; `inner` has its values."""

    @staticmethod
    def __new__(cls, inner):
        with torch.inference_mode(inner.is_inference()):  # a view of a usual tensor is a usual one, too
            self = torch.Tensor._make_wrapper_subclass(
                cls, inner.shape, inner.stride(), inner.storage_offset(), dtype=inner.dtype, device="cuda:0"
            )
        self.inner, size = inner, inner.untyped_storage().nbytes()
        if inner._base is None:
            count(size)
            weakref.finalize(self, count, -size)
        return self

    __torch_function__ = torch._C._disabled_torch_function_impl

    def new_tensor(self, data, dtype=None):
        return torch.tensor(data, dtype=dtype or self.dtype).to(self.device)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        kwargs, name = dict(kwargs or {}), func._schema.name.removeprefix("aten::")
        if (parts := func.decompose(*args, **kwargs)) is not NotImplemented:  # as without inference_mode
            return parts
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        if name not in (*COPIES, *INDEXING) and any(each.device == CPU and each.dim() for each in tensors):
            raise RuntimeError(f"Expected all tensors to be on the same device, but found cuda:0 and cpu ({func})")
        stays = kwargs.get("device") in (None, torch.device("cuda"), torch.device("cuda:0"))
        if "device" in kwargs:
            kwargs["device"] = CPU
        args, kwargs = tree_map(lambda each: each.inner if isinstance(each, cls) else each, (args, kwargs))
        known = {id(each.inner): each for each in tensors if isinstance(each, cls)}
        found = func(*args, **kwargs)
        if not stays or not known or not isinstance(found, torch.Tensor | tuple | list):
            return found
        return tree_map(lambda e: known[id(e)] if id(e) in known else OnGPU(e), found)


class Event:
    def __init__(self, enable_timing: bool) -> None:
        self.ended = False

    def record(self, stream: object) -> None:
        self.at = time.perf_counter()
        events.add(self)

    def elapsed_time(self, other: "Event") -> float:
        if not (self.ended and other.ended):
            raise RuntimeError("Both events must be completed before calculating elapsed time.")
        return 1e3 * (other.at - self.at)


def synchronize(device: object = None) -> None:
    for event in events:
        event.ended = True


def factory(name: str):
    packet, _, overload = name.partition(".")
    operation = getattr(getattr(torch.ops.aten, packet), overload or "default")
    return lambda *args, **kwargs: OnGPU(operation(*args, **kwargs | {"device": CPU, "pin_memory": False}))


def install() -> torch.library.Library:
    """Put the pretended GPU into torch; it is there as long as what is returned."""
    torch._C._ensureCUDADeviceGuardSet()
    library = torch.library.Library("aten", "IMPL")
    for name in FACTORIES:
        library.impl(name, factory(name), "CUDA")
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    replaced = {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "device_count": lambda: 1,
        "get_device_properties": lambda device=None: CARD,
        "synchronize": synchronize,
        "Event": Event,
        "current_stream": lambda device=None: None,
        "reset_peak_memory_stats": lambda device=None: memory.update(most=memory["now"]),
        "max_memory_allocated": lambda device=None: memory["most"],
        "memory_allocated": lambda device=None: memory["now"],
        "get_rng_state": lambda device=None: torch.zeros(16, dtype=torch.uint8),
        "set_rng_state": lambda state, device=None: None,
        "manual_seed_all": lambda seed: None,
    }
    for name, value in replaced.items():
        setattr(torch.cuda, name, value)
    return library


if __name__ == "__main__":
    pretended = install()
    telemetry._handle = lambda device: (Nvml(), "handle")
    sys.exit(main(sys.argv[1:]))
