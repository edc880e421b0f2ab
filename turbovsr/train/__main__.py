"""Train TurboVSR.

    python -m turbovsr.train recipe=NAME data=PATH out=FOLDER [stage=NAME|all] [KEY=VALUE ...] [--config-dir DIR]

The same command goes on where a stopped or killed one was. `--print-config` shows the resolved configuration.

    python -m turbovsr.train recipe=trial data=my/pictures out=runs/trial          # minutes: does all of it work here?
    python -m turbovsr.train recipe=nano data=my/pictures out=runs/nano            # the shipped model's recipe
    python -m turbovsr.train recipe=nano degradation=realbasicvsr data=... out=... stages.joint.loop.steps=500
    accelerate launch --num_processes 2 -m turbovsr.train recipe=nano data=... out=...
    python -m turbovsr.train.plot runs/nano                                        # loss curves and scores
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import torch
from omegaconf import OmegaConf

from turbovsr.train import stages
from turbovsr.train.config import CONF, checked, compose_plain, members
from turbovsr.train.console import note
from turbovsr.train.distributed import local_device, processes
from turbovsr.train.interrupt import Interrupted
from turbovsr.train.schema import ConfigError

ERROR, INTERRUPTED = 3, 130


def main(argv: list[str]) -> int:
    """Train as the words say; returns the exit code. What a user did wrong is one line on stderr."""
    if not argv or {"-h", "--help", "help"} & set(argv):
        print(help_text())
        return 0 if argv else ERROR
    try:
        argv, config_dir = _without_option(argv, "--config-dir")
        plain = compose_plain([word for word in argv if word != "--print-config"], config_dir and Path(config_dir))
        if "--print-config" in argv:
            print(OmegaConf.to_yaml(plain), end="")
            return 0
        config = checked(plain)
        torch.set_num_threads(config.threads)
        cv2.setNumThreads(config.threads)
        device = local_device(config.device)
        with processes(device):
            stages.run(config, device)
        return 0
    except Interrupted as stop:
        note(f"{stop}; the same command goes on from there")
        return stop.exit_code
    except KeyboardInterrupt:
        note("interrupted before a checkpoint of this moment; the same command goes on from the last one")
        return INTERRUPTED
    except torch.OutOfMemoryError as error:
        print(f"turbovsr.train: out of GPU memory; lower the stage's batch or crop ({error})", file=sys.stderr)
        return ERROR
    except (ConfigError, ValueError, OSError) as error:
        if os.environ.get("TURBOVSR_TRACEBACK"):
            raise
        print(f"turbovsr.train: {' '.join(str(error).split())}", file=sys.stderr)
        return getattr(error, "exit_code", ERROR)


def help_text() -> str:
    """The usage, the members of the groups, and the options with their comments from the configuration itself."""
    lines = [__doc__.strip(), ""]
    for group in ("recipe", "model", "degradation"):
        lines.append(f"{group}: {', '.join(members(group))}")
    options = (CONF / "train.yaml").read_text().split("\n\n", 1)[1]
    lines += ["", "Options (??? must be given):", ""] + [f"  {line}" for line in options.splitlines()]
    lines += ["", "A recipe's own: seed, video_share, and stages.NAME.KEY, see --print-config. All: docs/training.md"]
    return "\n".join(lines)


def _without_option(argv: list[str], name: str) -> tuple[list[str], str | None]:
    """The words without `name VALUE`, and the value."""
    if name not in argv:
        return argv, None
    index = argv.index(name)
    if index + 1 == len(argv):
        raise ConfigError(f"{name} needs a value")
    return argv[:index] + argv[index + 2 :], argv[index + 1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
