"""`python -m bench doctor SET`: compare the LR frames of a data set with its configuration."""

from __future__ import annotations

import sys

from frames.errors import ERROR, NOTHING_MEASURED, OK, REGRESSED, UserError, one_line
from frames.text import printable


def examine_set(words: list[str], config_dirs: tuple[str, ...]) -> int:
    """Print how the LR frames of each clip look degraded, and whether it fits the configuration; returns the exit code.

    Args:
        words: the name of a data set, and KEY=VALUE.
        config_dirs: folders with configurations of the user's own.
    Raises:
        UserError, ValueError, FileNotFoundError: one line, for exit code 3.
    """
    names = [word for word in words if "=" not in word]
    if len(names) != 1:
        raise UserError(f"which data set? `python -m bench doctor SET [KEY=VALUE ...]` takes one, not {len(names)}")
    import numpy as np

    from bench.config import compose
    from bench.doctor.lr import examine_lr
    from bench.targets import open_dataset
    from frames.input_quality import estimate

    config = compose([f"data={names[0]}", *(word for word in words if "=" in word)], config_dirs)
    clips = open_dataset(config).clips()
    found, failed = 0, 0
    for clip in clips:
        try:
            if clip.refusal:
                raise ValueError(clip.refusal)
            looks = estimate(np.moveaxis(np.stack(clip.judged_lr()), -1, 1))
        except (ValueError, FileNotFoundError) as error:
            failed += 1
            print(f"{printable(clip.name)}: {one_line(error)}", file=sys.stderr)
            continue
        finding = examine_lr(looks.kind, str(config.degradation.name), clip.lr_origin.startswith("given"))
        print(printable(f"{clip.name}: LR frames ({clip.lr_origin}): {looks.reason}"))
        if finding is not None:
            found += 1
            print(f"  {finding.kind}: {finding.text}")
    if failed:
        return ERROR
    return REGRESSED if found else OK if clips else NOTHING_MEASURED
