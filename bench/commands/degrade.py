"""`python -m bench data degrade SET OUT`: write LR frames with a manifest."""

from __future__ import annotations

import shlex
from collections.abc import Container
from pathlib import Path

from frames.errors import OK, UserError
from frames.text import printable

USAGE = "python -m bench data degrade SET --degradation NAME OUT [KEY=VALUE ...]"


def degrade(words: list[str], folders: tuple[str, ...]) -> int:
    """Write the LR frames of a data set, and return the exit code; clips that are there already are kept.

    Args:
        words: SET, OUT, KEY=VALUE and --degradation NAME, in any order.
        folders: of --config-dir.
    Raises:
        UserError, ValueError, FileNotFoundError: one line, for exit code 3.
    """
    names = [word for word in words if "=" not in word]
    if len(names) != 2:
        raise UserError(f"which set, and into which folder? {USAGE}")
    from omegaconf import OmegaConf

    from bench.config import compose
    from bench.datasets import lr_set
    from bench.targets import open_dataset

    config = compose([f"data={names[0]}", *(word for word in words if "=" in word)], folders)
    clips = open_dataset(config).clips()
    given = [clip.name for clip in clips if clip.lr_origin.startswith("given")]
    if given:
        raise UserError(f"clip {given[0]} has LR frames already, so none are made; where a set has both, data.lr=made")
    options = OmegaConf.to_container(config.degradation, resolve=True)
    assert isinstance(options, dict)
    usable = next(clip for clip in clips if not clip.refusal)
    recipe = lr_set.Manifest(
        data=str(config.data.name),
        scale=config.scale,
        origin=usable.lr_origin.removesuffix(" from GT"),
        degradation={str(key): value for key, value in options.items() if key not in ("_target_", "summary")},
        made_with=usable.lr_made_with,
    )
    out = Path(names[1])
    for number, (name, written) in enumerate(lr_set.write(recipe, clips, out), start=1):
        print(f"[{number}/{len(clips)}] {printable(name)}" + ("" if written else ": there already"), flush=True)
    print(
        f"{recipe.origin} LR frames of {names[0]} in {out}"
        + (f", made with {recipe.made_with}" * bool(recipe.made_with))
    )
    print("to use them: " + _use(names[0], out, config.data))
    return OK


def _use(name: str, out: Path, options: Container[str]) -> str:
    """The words that make a run read the LR frames in `out`, with GT where the set `name` can give it."""
    if "lr" in options:
        return f"data={name} {shlex.quote(f'data.lr={out}')}"
    folder = f"data=folder {shlex.quote(f'data.root={out}')}"
    return f"{folder} data.gt=GT" if "gt" in options else f"{folder}, without GT: {name} cuts its own when it is read"
