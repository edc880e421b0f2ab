"""Low-rank adapters (LoRA, arXiv 2106.09685) of the transformer's blocks, in PEFT's names and files.

`lora=RANK` trains adapters of all linear layers of the blocks instead of their weights. What LTX does not have, the
columns of the condition and the step embedding, has nothing to adapt and is trained whole: `modules_to_save` in PEFT's
words. The stage's one file has the adapters merged; beside it lies the folder that `peft.PeftModel.from_pretrained`
loads onto `turbovsr.transformer.Transformer`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from frames.atomic import replacing
from turbovsr.transformer import Transformer

WHOLE = ("embed", "embed_step")  # modules that are trained as they are
PREFIX = "base_model.model."  # of PEFT's names
DOWN, UP = ".lora_A.weight", ".lora_B.weight"


class LoRALinear(nn.Linear):
    """A linear layer whose weight is frozen, plus a product of two small ones; scale 1 (`lora_alpha` is the rank)."""

    def __init__(self, inputs: int, outputs: int, rank: int):
        super().__init__(inputs, outputs)
        self.lora_A = nn.Linear(inputs, rank, bias=False)
        self.lora_B = nn.Linear(rank, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + self.lora_B(self.lora_A(x))


def adapt(transformer: Transformer, rank: int) -> None:
    """Replace the linear layers of the blocks by `LoRALinear`; call it before weights are loaded."""
    for name, module in list(transformer.blocks.named_modules()):
        if type(module) is nn.Linear:
            parent, _, leaf = name.rpartition(".")
            adapted = LoRALinear(module.in_features, module.out_features, rank)
            setattr(transformer.blocks.get_submodule(parent), leaf, adapted)


def choose_trained(transformer: Transformer) -> None:
    """Make the adapters and the modules of `WHOLE` require gradients; without adapters, all weights."""
    adapted = any(isinstance(module, LoRALinear) for module in transformer.modules())
    for name, value in transformer.named_parameters():
        value.requires_grad_(not adapted or ".lora_" in name or name.split(".")[0] in WHOLE)


def initial(transformer: Transformer, seed: int) -> list[tuple[str, Tensor]]:
    """Initial values of the adapters: the first factor as PEFT draws it, the second zero, so that nothing changes."""
    random = torch.Generator().manual_seed(seed)
    found = []
    for name, value in transformer.named_parameters():
        if name.endswith(DOWN):
            bound = 1 / math.sqrt(value.shape[1])  # Kaiming's for a slope of sqrt(5)
            found.append((name, (2 * torch.rand(value.shape, generator=random) - 1) * bound))
        elif name.endswith(UP):
            found.append((name, torch.zeros(value.shape)))
    return found


def merged(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Merge the adapters in a state into the weights."""
    found = {name: value for name, value in state.items() if not name.endswith((DOWN, UP))}
    for name in state:
        if name.endswith(DOWN):
            layer = name.removesuffix(DOWN)
            found[f"{layer}.weight"] = found[f"{layer}.weight"] + state[layer + UP] @ state[name]
    return found


def write_adapter(folder: Path, state: Mapping[str, Tensor], base: str) -> None:
    """Write the adapters in a model's whole state as PEFT's two files; `base` names the weights they belong to."""
    own = {name.removeprefix("transformer."): v for name, v in state.items() if name.startswith("transformer.")}
    kept = {n: v for n, v in own.items() if n.endswith((DOWN, UP)) or n.split(".")[0] in WHOLE}
    layers = sorted({name.removesuffix(DOWN) for name in kept if name.endswith(DOWN)})
    rank = kept[layers[0] + DOWN].shape[0]
    config = {
        "peft_type": "LORA",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "target_modules": layers,
        "modules_to_save": [name for name in WHOLE if any(key.split(".")[0] == name for key in kept)],
    }
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "adapter_model.safetensors") as temporary:
        temporary.write_bytes(save({PREFIX + name: value.contiguous() for name, value in kept.items()}))
    with replacing(folder / "adapter_config.json") as temporary:
        temporary.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
