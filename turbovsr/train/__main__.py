"""Train TurboVSR.

    python -m turbovsr.train recipe=NAME data=PATH out=FOLDER [stage=NAME|all] [KEY=VALUE ...] [--config-dir DIR]

Repeat the command to resume a stopped or killed training. `--print-config` shows the resolved configuration.

    python -m turbovsr.train recipe=trial data=my/pictures out=runs/trial          # minutes: does all of it work here?
    python -m turbovsr.train recipe=nano data=my/pictures out=runs/nano            # the whole system; `memory` follows
    python -m turbovsr.train recipe=nano degradation=realbasicvsr data=... out=... stages.joint.loop.steps=500
    accelerate launch --num_processes 2 -m turbovsr.train recipe=nano data=... out=...
    python -m turbovsr.train.plot runs/nano                                        # loss curves and scores
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from frames.command_line import guarded, importing, process
from frames.errors import ERROR, INTERRUPTED, OK, UserError, one_line
from frames.out_of_memory import is_out_of_memory
from turbovsr.train.composition import CONF, compose_plain, members

PROGRAM = "turbovsr.train"


def main(argv: list[str]) -> int:
    """Run the command and return its exit code. A user's mistake is one line on stderr."""
    return guarded(PROGRAM, lambda: _run(argv))


def _run(argv: list[str]) -> int:
    if not argv or {"-h", "--help", "help"} & set(argv):
        print(help_text())
        return OK if argv else ERROR
    argv, config_dir = _without_option(argv, "--config-dir")
    words = [word for word in argv if word != "--print-config"]
    plain = compose_plain(words, None if config_dir is None else Path(config_dir))
    if "--print-config" in argv:
        from omegaconf import OmegaConf

        print(OmegaConf.to_yaml(OmegaConf.create(plain)), end="")
        return OK
    return _train(plain)


def _train(plain: dict[str, Any]) -> int:
    """Train as a composed configuration says. Raises `UserError`, `ValueError` and `OSError`."""
    with importing():
        import cv2
        import torch

        from turbovsr.train import stages
        from turbovsr.train.config import build_config
        from turbovsr.train.distributed import local_device, processes
        from turbovsr.train.interrupt import Interrupted
        from turbovsr.train.messages import info

    config = build_config(plain)
    torch.set_num_threads(config.threads)
    cv2.setNumThreads(config.threads)
    try:
        device = local_device(config.device)
        with processes(device):
            stages.train(config, device)
        return OK
    except Interrupted as stop:
        info(f"{stop}; the same command resumes from there")
        return stop.exit_code
    except KeyboardInterrupt:
        info("interrupted between checkpoints; the same command resumes from the last one")
        return INTERRUPTED
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(f"out of memory; lower the stage's batch or crop ({one_line(error)[:200]})") from error


def help_text() -> str:
    """Usage, the members of the groups, and the options with their comments in `conf/train.yaml`."""
    lines = [(__doc__ or "").strip(), ""]
    for group in ("recipe", "model", "degradation"):
        lines.append(f"{group}: {', '.join(members(group))}")
    options = (CONF / "train.yaml").read_text(encoding="utf-8").split("\n\n", 1)[1]
    lines += ["", "Options (??? must be given):", ""] + [f"  {line}" for line in options.splitlines()]
    lines += ["", "Of a recipe: seed, video_share, and stages.NAME.KEY, see --print-config. All: docs/training.md"]
    return "\n".join(lines)


def _without_option(argv: list[str], name: str) -> tuple[list[str], str | None]:
    """Split `name VALUE` or `name=VALUE` off the words; returns the other words, and the value or None."""
    for index, word in enumerate(argv):
        if word == name:
            if index + 1 == len(argv):
                raise UserError(f"{name} needs a value")
            return argv[:index] + argv[index + 2 :], argv[index + 1]
        if word.startswith(f"{name}="):
            return argv[:index] + argv[index + 1 :], word.removeprefix(f"{name}=")
    return argv, None


if __name__ == "__main__":
    process(main)
