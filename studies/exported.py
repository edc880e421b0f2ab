"""The exported decoder path by onnxruntime and by torch: largest difference, and processor time per frame.

python -m studies.exported            # nano, one thread, two sizes; both in turn, the least of several
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import torch

from baselines.onnx import Onnx
from bench.methods.contract import Upscaler
from frames.command_line import Parser, guarded, process
from turbovsr import TurboVSR
from turbovsr.export import export

SIZES = ((64, 112), (184, 320))
FRAMES = 9


def main() -> int:
    parser = Parser("python -m studies.exported", (__doc__ or "").strip())
    parser.add_argument("--weights", default="nano", help="a packaged name or a .safetensors file")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "exported.onnx"
        export(arguments.weights, file)
        methods: dict[str, Upscaler] = {
            "onnxruntime": Onnx(file),
            "torch": TurboVSR.from_pretrained(
                arguments.weights, device="cpu", precision="float32", use_latent=False, scale=4
            ),
        }
        for size in SIZES:
            lr = torch.randint(0, 256, (FRAMES, 3, *size), dtype=torch.uint8)
            one, other = (method.upscale(lr).int() for method in methods.values())
            spent: dict[str, list[float]] = {name: [] for name in methods}
            for _ in range(arguments.turns):
                for name, method in methods.items():
                    start = time.process_time()
                    method.upscale(lr)
                    spent[name].append(time.process_time() - start)
            times = ", ".join(f"{name} {1000 * min(each) / FRAMES:.1f} ms" for name, each in spent.items())
            print(f"LR {size[1]}x{size[0]}: {times} a frame; {(one - other).abs().max()} levels apart at most")
    return 0


if __name__ == "__main__":
    process(lambda _: guarded("studies.exported", main))
