"""Config groups: the folders that hold their YAML files, and the members of each group by name.

The project's own `conf/` comes first, then the configs of installed packages, then the folders of `--config-dir`. A
package provides configs by an entry point of the group `bench.configs` that names the folder as if it were a module:

    [project.entry-points."bench.configs"]
    mypackage = "mypackage.conf"      # mypackage/conf/method/*.yaml, mypackage/conf/metric/*.yaml, ...

Nothing of such a package is imported here: its folder is found without running it.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from bench.paths import CONF
from frames.errors import UserError

ENTRY_POINTS = "bench.configs"
GROUPS = ("method", "data", "degradation", "protocol", "timing")
"""Groups that a run chooses from with GROUP=NAME; metrics are chosen by name with metrics=[...]."""


def search_path(config_dirs: tuple[str, ...] = ()) -> list[Path]:
    """Folders with config groups besides the project's own: those of installed packages, then the user's.

    Raises:
        UserError: an entry point names a folder that is not there.
    """
    found = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    return [*dict.fromkeys(map(_folder, found)), *map(Path, config_dirs)]


@cache
def members(group: str, config_dirs: tuple[str, ...] = ()) -> dict[str, Path]:
    """The members of a config group, by name: the project's, those of installed packages and of the user's folders.

    Raises:
        UserError: two folders have a member of one name; Hydra would take the first without a word.
    """
    found: dict[str, Path] = {}
    for folder in (CONF, *search_path(config_dirs)):
        for file in sorted((folder / group).glob("*.yaml")):
            if file.stem in found and found[file.stem] != file:
                raise UserError(f"{file}: there is a {group} '{file.stem}' already, {found[file.stem]}; rename one")
            found[file.stem] = file
    return found


def _folder(point: EntryPoint) -> Path:
    """`mypackage.conf` -> the folder conf/ inside mypackage, which is located but not imported."""
    package, *inner = point.module.split(".")
    spec = importlib.util.find_spec(package)
    for root in (spec.submodule_search_locations or ()) if spec else ():
        if Path(root, *inner).is_dir():
            return Path(root, *inner)
    whose = f" of {point.dist.name}" if point.dist else ""
    raise UserError(f"entry point {ENTRY_POINTS}: {point.name} = {point.value}{whose}: there is no such folder")
