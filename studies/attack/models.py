"""Targets among models that people share: ONNX files, weights for spandrel, pipelines, programs by YAML."""

from __future__ import annotations

import importlib
import importlib.util
import json
import random
from contextlib import suppress
from pathlib import Path

from studies.attack import bombs, mutate
from studies.attack.case import Case

DATA = (
    "data=folder",
    "data.gt=gt",
    "data.clips=[left]",
    "data.frames=1",
    "timing=once",
    "metrics=[psnr]",
    "store=null",
)
PROGRAM = """_target_: baselines.external.External
name: theirs
label: ${method.name}
command: cp -r {input}/. {output}
scale: ${scale}
"""
PIPELINE = {
    "model_index.json": {"_class_name": "StableDiffusionUpscalePipeline", "unet": ["os", "system"]},
    "unet/config.json": {"_class_name": "UNet2DConditionModel", "block_out_channels": [8, 8], "layers_per_block": 1},
    "vae/config.json": {"_class_name": "AutoencoderKL", "block_out_channels": [4, 4, 8]},
    "text_encoder/config.json": {"hidden_size": 16, "num_hidden_layers": 1, "vocab_size": 300},
    "tokenizer/tokenizer_config.json": {"auto_map": {"AutoTokenizer": ["own.Own", None]}},
    "scheduler/scheduler_config.json": {"_class_name": "DDIMScheduler"},
    "low_res_scheduler/scheduler_config.json": {"_class_name": "DDPMScheduler"},
}
EXTRAS = (
    *("spandrel", "onnx", "onnxruntime", "transformers", "diffusers"),
    "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_upscale",
)
"""Packages that are imported before the fork, if they are installed."""
CODE = "import pathlib\npathlib.Path('CANARY').touch()\n"


def import_extras() -> None:
    """Import what methods import lazily; without an extra, its cases end with the line that says what to install."""
    for name in EXTRAS:
        with suppress(ImportError):
            importlib.import_module(name)


def graphs(rng: random.Random) -> Case:
    """An ONNX file, damaged or with absurd sizes and metadata."""
    seed = rng.random()

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        file = folder / "m.onnx"
        made = material_graph(inner)
        file.write_bytes(mutate.damaged(made, inner) if inner.random() < 0.5 else made)

    return Case("onnx", ("bench", "run", "method=onnx", "method.weights=m.onnx", *DATA, "out=out"), prepare)


def material_graph(rng: random.Random) -> bytes:
    """Make a graph that repeats pixels, perhaps with odd sizes and metadata; random bytes if onnx is not installed."""
    if importlib.util.find_spec("onnx") is None:
        return rng.randbytes(500)
    import onnx
    from onnx import helper

    side = rng.choice([4, 4, 4, 0, 10**6])
    factors = helper.make_tensor("factors", onnx.TensorProto.FLOAT, [4], [1, 1, side, side])
    node = helper.make_node("Resize", ["x", "", "factors"], ["y"], mode="nearest")
    shape: tuple[str | int, ...] = rng.choice([("n", 3, "h", "w"), (1, 3, 64, 64), ("n", 3), ()])
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("x", "y")]
    graph = helper.make_graph([node], "g", values[:1], values[1:], [factors])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    odd = {key: rng.choice(["1", "²", "-1", "1e9", "1000000000", "x"]) for key in ("minimum", "multiple_of", "clips")}
    helper.set_model_props(model, odd if rng.random() < 0.5 else {})
    return model.SerializeToString()


def networks(rng: random.Random) -> Case:
    """Weights for spandrel: damaged or absurd ones, or pickles; named as a file, a folder or a list."""
    seed, name = rng.random(), rng.choice(["w.pth", "w.safetensors", "w.ckpt"])
    words = rng.choice([f"method.weights={name}", "method.weights=held", f"method.weights=[{name},nope.pth]"])

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        content = bombs.weights("w.pth" if name != "w.safetensors" else name, inner)
        (folder / "held").mkdir()
        for place in (folder, folder / "held"):
            (place / name).write_bytes(content)

    return Case("spandrel", ("bench", "run", "method=spandrel", words, *DATA, "out=out"), prepare)


def pipelines(rng: random.Random) -> Case:
    """A folder as diffusers saves it, with one odd value, code beside it, and damaged weights."""
    seed, method = rng.random(), rng.choice(["diffusers", "ltx_upsampler"])

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        for name, content in PIPELINE.items():
            file = folder / "pipe" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(content))
            (file.parent / "own.py").write_text(CODE)
        for part in ("unet", "vae"):
            (folder / "pipe" / part / "diffusion_pytorch_model.safetensors").write_bytes(bombs.weights("w", inner))
        bin_file = folder / "pipe" / "text_encoder" / "pytorch_model.bin"
        bin_file.write_bytes(bombs.weights("w.pth", inner))
        file = folder / "pipe" / inner.choice(sorted(PIPELINE))
        file.write_text(mutate.altered_json(file.read_text(), inner), errors="surrogatepass")

    words = ("bench", "run", f"method={method}", "method.model=pipe", *DATA, "out=out")
    return Case("pipeline", (*words, "scale=2") if method == "ltx_upsampler" else words, prepare)


def programs(rng: random.Random) -> Case:
    """A method that runs a program, with altered YAML. The command itself is the user's choice and no attack."""
    seed = rng.random()

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        text = mutate.altered_text(PROGRAM, inner)
        (folder / "mine" / "method" / "theirs.yaml").write_bytes(text.encode("utf-8", "replace"))

    words = ("bench", "run", "--config-dir", "mine", "method=theirs", *DATA, "timing.scopes=[files]", "out=out")
    return Case("program YAML", words, prepare)
