"""Command line of the GPU runbook; see the package."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from frames.command_line import Parser, guarded, process
from frames.errors import UserError
from studies.outputs import out_folder

HELP = {
    "check": "CUDA against CPU, clocks, stages that add up (exit code 1 when one of them fails)",
    "headline": "a 2-second 1080p clip by all paths and other methods, a large image, the envelope",
    "profile": "top ten kernels of the slowest stage",
    "training": "a training step at the 2B shape: seconds, memory against the budget, MFU",
}
STAGES = ("condition", "denoise", "decode")


def main(arguments: list[str]) -> int:
    """Run one step; returns its exit code: 0 good, 1 a check fails, 2 nothing measured, 3 error, 4 no such device."""
    return guarded("studies.gpu", lambda: _step(arguments))


def _step(arguments: list[str]) -> int:
    from studies import gpu

    parser = Parser("python -m studies.gpu", (gpu.__doc__ or "").strip())
    commands = parser.add_subparsers(dest="step", required=True, metavar="{check,headline,profile,training}")
    for name, text in HELP.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--device", default="cuda")
        command.add_argument("--tiny", action="store_true", help="toy size, which tries the code and measures nothing")
        command.add_argument("--out", type=out_folder, default=Path("results") / "gpu", help="folder for JSON and log")
        command.add_argument("--limit-s", type=float, default=540, help="start no row after this many seconds")
        command.add_argument(
            "--cudnn-benchmark", action="store_true", help="let cuDNN choose convolutions by trial: a slower first call"
        )
        if name in ("headline", "training"):
            command.add_argument("--repeats", type=int, default=5)
        if name == "profile":
            command.add_argument("--compiled", action="store_true")
            command.add_argument("--stage", choices=STAGES, help="the stage to profile; default: the slowest")
    options = parser.parse_args(arguments)
    from studies.gpu.machine import choose_device, facts

    device = choose_device(options.device)
    if device.startswith("cpu") and not options.tiny:
        raise UserError("--device cpu: the full size needs hours there; add --tiny to try the code")
    from studies.gpu.record import Record

    torch.backends.cudnn.benchmark = options.cudnn_benchmark
    record = Record(options.step, options.out, facts(device, arguments), options.limit_s)
    code = _run(options, record, device)
    record.say(f"\n{record.json}\n{record.log}")
    return code


def _run(options: argparse.Namespace, record, device: str) -> int:
    if options.step == "check":
        from studies.gpu import check

        return check.run(record, device, options.tiny)
    if options.step == "headline":
        from studies.gpu import headline

        return headline.run(record, device, options.tiny, options.repeats)
    if options.step == "training":
        from studies.gpu import training

        return training.run(record, device, options.tiny, options.repeats)
    from studies.gpu import profiling

    return profiling.run(record, device, options.tiny, options.compiled, options.stage)


if __name__ == "__main__":
    process(main)
