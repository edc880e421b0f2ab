"""The path on a GPU, without one: torch's fake tensors know their device and refuse to mix two.

In a process of its own: what the code caches would stay fake.
"""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from turbovsr import TurboVSR

mode, waits, gpu = FakeTensorMode(), [], torch.device("cuda:0")

def on_gpu(values):
    return {name: None if value is None else mode.from_tensor(value).detach().to(gpu) for name, value in values.items()}

def answer(tensor):  # reading a value waits for the GPU
    waits.append(str(tensor.device))
    return True

model = TurboVSR(**json.loads(sys.argv[1]))
model.device, torch.Tensor.__bool__ = gpu, answer
with mode:
    for module in model.model.modules():
        module._parameters |= on_gpu(module._parameters)
        module._buffers |= on_gpu(module._buffers)
    sr = model.upscale(torch.zeros(17, 3, 40, 56, dtype=torch.uint8, device=sys.argv[2]))
print(json.dumps([str(sr.device), list(sr.shape), waits]))
"""


@pytest.mark.parametrize(
    ("options", "device", "waits"),
    [
        ({}, "cuda:0", 1),
        ({}, "cpu", 1),
        ({"use_latent": True, "steps": 2, "precision": "bfloat16", "chunk": 2, "color_fix": "wavelet"}, "cuda:0", 3),
        ({"weights": "nano-real", "tile": 16, "scale": 2, "color_fix": "adain"}, "cuda:0", 12),
    ],
)
def test_no_operation_mixes_devices_or_waits_for_the_gpu_before_a_chunk_ends(options, device, waits):
    """One look at the end of each chunk, or tile of it: whether all values are finite."""
    command = [sys.executable, "-c", PROGRAM, json.dumps({"precision": "float32", **options}), device]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    scale = options.get("scale", 4)
    assert json.loads(done.stdout) == [device, [17, 3, 40 * scale, 56 * scale], waits * ["cuda:0"]]
