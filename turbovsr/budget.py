"""Floating-point operations of a clip by stage, counted on tensors without data.

    python -m turbovsr.budget --size 1088x1920 --frames 49 --steps 1 --path paper,turbo
    python -m turbovsr.budget --train --gpus 8 --size 1080x1920x49    # of training: `turbovsr.train.ltx.budget`

torch's FLOP counter sees every convolution, matrix product and attention; a multiplication and the addition that goes
with it count as two. Resampling, norms and activations are not counted: they cost memory traffic, not arithmetic.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from frames.command_line import Parser
from frames.errors import ERROR, OK
from turbovsr import checkpoints
from turbovsr.generator import Generator
from turbovsr.geometry import SCALE, SPATIAL_COMPRESSION, missing_frames, pad_to
from turbovsr.ltx import presets
from turbovsr.ltx.autoencoder_layouts import LAYOUTS
from turbovsr.ltx.model import PATHS, LTXModel
from turbovsr.model import Model, ModelConfig

AUTOENCODERS = [name for name in LAYOUTS if not name.endswith("-tiny")]


@dataclass(frozen=True)
class ClipCost:
    """Cost of one clip that is upscaled as one chunk; stages and total in TFLOP."""

    model: str
    path: str
    height: int  # HR, padded
    width: int
    frames: int  # padded
    steps: int
    tokens: int
    parameters: dict[str, int]  # by part
    stages: dict[str, float]
    total: float
    about: str  # what the figures depend on


def build(
    model: str = "2b", path: str = "turbo", autoencoder: str = "0.9.0", window: int | str = "auto", text: bool = True
) -> tuple[Generator, str]:
    """Build a model without memory for its weights; returns it and a line on the settings that its cost depends on.

    Arguments as on the command line.

    Raises:
        ValueError: an unknown size, path or layout, or an invalid window.
    """
    if model == "nano":
        if path != "turbo":
            raise ValueError(f"nano has no {path} path: its latent holds what LR frames lack, so path=turbo alone")
        header = checkpoints.read_header(checkpoints.resolve(model))
        assert header is not None  # it is shipped
        shape = ModelConfig(**checkpoints.checked_options(header, ModelConfig))
        with torch.device("meta"):
            return Model(shape), f"attention in windows of {shape.attention_window}, the latent sampled"
    config = presets.configure(model, path, autoencoder, window, presets.LTX_TOKENS if text else 0)
    with presets.weights_on(torch.device("meta"), torch.bfloat16):
        built = LTXModel(config)
    edge = config.attention_window
    words = [
        f"autoencoder {autoencoder}",
        "attention over the whole clip" if edge is None else f"attention in windows of {edge}x{edge} tokens",
        f"text branch with {presets.LTX_TOKENS} tokens" if text else "no text branch",
    ]
    return built, ", ".join(words)


@torch.no_grad()
def count(model: Generator, height: int, width: int, frames: int, steps: int) -> tuple[dict[str, float], int]:
    """Count the TFLOP of each stage and the tokens of one clip; HR size and frames are those after padding."""
    dtype = next(model.parameters()).dtype
    lr = torch.empty(1, 3, frames, height // SCALE, width // SCALE, device="meta", dtype=dtype)
    stages = {}

    def counted(name, work):
        with FlopCounterMode(display=False) as counter:
            result = work()
        stages[name] = counter.get_total_flops() / 1e12
        return result

    condition = counted("condition", lambda: model.condition(lr))
    noise = condition.new_empty(1, model.config.latent_channels, *condition.shape[2:])
    first = counted("first frame", lambda: model.sample_first(condition, noise, steps))
    latent = counted("clip", lambda: model.sample_rest(condition, first, noise, steps))
    list(model.decode_frames(lr, latent))  # fills caches, which are not part of a clip's cost
    counted("decode", lambda: list(model.decode_frames(lr, latent)))
    return stages, noise[0, 0].numel()


def budget(
    size: tuple[int, int] = (1088, 1920), frames: int = 49, steps: int = 1, model: str = "2b", **choices
) -> ClipCost:
    """Compute the cost of one clip of any length and HR size (height, width); `choices`: arguments of `build`."""
    built, about = build(model, **choices)
    height, width = (pad_to(side, SPATIAL_COMPRESSION) for side in size)
    frames += missing_frames(frames)
    stages, tokens = count(built, height, width, frames, steps)
    parameters = {name: sum(p.numel() for p in part.parameters()) for name, part in built.named_children()}
    path = choices.get("path", "turbo")
    return ClipCost(model, path, height, width, frames, steps, tokens, parameters, stages, sum(stages.values()), about)


def text_of(budgets: list[ClipCost]) -> str:
    """Format costs as a table with a row for each path and a column for each stage."""
    first = budgets[0]
    lines = [
        f"{first.model}, {first.frames} frames of {first.height}x{first.width}, {first.steps} step(s), "
        f"{first.tokens:,} tokens; TFLOP",
        "",
        "".join(f"{head:>13}" for head in ("path", *first.stages, "total")),
    ]
    for each in budgets:
        lines.append("".join([f"{each.path:>13}", *(f"{v:13.2f}" for v in [*each.stages.values(), each.total])]))
    lines.append("")
    for each in budgets:
        parts = ", ".join(f"{name} {count:,}" for name, count in each.parameters.items())
        lines.append(f"{each.path}: {each.about}; parameters: {parts}")
    totals = {each.path: each.total for each in budgets}
    if set(PATHS) <= totals.keys():
        lines.append(f"turbo needs {totals['turbo'] / totals['paper']:.1%} of the TFLOP of paper")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    if "--train" in words:
        from turbovsr.train.ltx import budget as training

        return training.main([word for word in words if word != "--train"])
    parser = Parser("python -m turbovsr.budget", "TFLOP of a clip by stage")
    parser.add_argument(
        "--train",
        action="store_true",
        help="print memory and cost of training instead: --train --gpus 8; see --train --help",
    )
    parser.add_argument("--size", default="1088x1920", help="HR height x width, padded to multiples of 32")
    parser.add_argument("--frames", type=int, default=49, help="frames of the clip, padded to 8k+1, in one chunk")
    parser.add_argument("--steps", type=int, default=1, help="diffusion steps")
    parser.add_argument("--path", help="paper, turbo, or paper,turbo (default: all paths of the model)")
    parser.add_argument("--model", default="2b", choices=["nano", *presets.SIZES], help="shape of the model")
    parser.add_argument("--autoencoder", default="0.9.0", choices=AUTOENCODERS, help="its layout")
    parser.add_argument("--window", default="auto", help="edge of an attention window in tokens, 0 for none")
    parser.add_argument("--no-text", action="store_true", help="without LTX's text branch, as when there is no prompt")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(words)
    try:
        height, width = (int(side) for side in options.size.lower().split("x"))
        if min(height, width, options.frames, options.steps) < 1:
            raise ValueError
    except ValueError:
        got = f"--size {options.size} --frames {options.frames} --steps {options.steps}"
        parser.error(f"--size takes HEIGHTxWIDTH and --frames, --steps a count, all at least 1; got {got}")
    window = int(options.window) if options.window.isdecimal() else options.window
    paths = options.path.split(",") if options.path else ["turbo"] if options.model == "nano" else list(PATHS)
    choices = dict(autoencoder=options.autoencoder, window=window, text=not options.no_text)
    try:
        found = [
            budget((height, width), options.frames, options.steps, options.model, path=path, **choices)
            for path in paths
        ]
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return ERROR
    print(json.dumps([asdict(each) for each in found], indent=2) if options.json else text_of(found))
    return OK


if __name__ == "__main__":
    sys.exit(main())
