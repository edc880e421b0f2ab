"""Composition of the configuration: from the words of the command line to plain dictionaries, by Hydra."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from frames.errors import UserError, did_you_mean
from frames.places import assets_folder
from frames.strict_yaml import read_mapping

CONF = Path(__file__).parent / "conf"
GROUPS = ("recipe", "model", "degradation")
PATHS = (
    "data",
    "out",
    "validate",
    "lpips",
    "vgg",
    "dists",
    "pairs",
    "weights",
    "prompt",
)  # options whose values name files or folders


def members(group: str, config_dir: Path | None = None) -> list[str]:
    """Names of the members of a config group, those in the user's folder included."""
    folders = [CONF / group] + ([config_dir / group] if config_dir else [])
    return sorted(file.stem for folder in folders for file in folder.glob("*.yaml"))


def compose_plain(words: list[str], config_dir: Path | None = None) -> dict[str, Any]:
    """Compose the configuration as plain dictionaries, without checking its options.

    Args:
        words: options as KEY=VALUE.
        config_dir: a folder with `recipe/`, `model/` or `degradation/` of the user's own.
    Raises:
        UserError: words that cannot be read, or an unknown member of a group.
        ValueError: a damaged file of the user's own.
    """
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if config_dir is not None and not config_dir.is_dir():
        raise UserError(f"--config-dir {config_dir}: no such folder")
    OmegaConf.register_new_resolver("assets", lambda name: str(assets_folder() / name), replace=True)
    paths, others = _split_paths(words)
    lines = _hydra_lines(others, config_dir)
    if config_dir is not None:
        lines.append(f"hydra.searchpath=[{_quoted(f'file://{config_dir.resolve()}')}]")
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            composed = compose("train", overrides=lines)
        plain = OmegaConf.to_container(composed, resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_first_line(error.__cause__ or error)) from error
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()} | paths


def _split_paths(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Separate options whose value is a path, which Hydra's grammar could misread, from all other words.

    The value of `out` is always a path. Those of `data`, `validate` and the weights are paths if such a file or folder
    exists, and otherwise in Hydra's grammar, as in data=[a,b].
    """
    paths: dict[str, Any] = {}
    others = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise UserError(f"'{word}': options are KEY=VALUE, as in recipe=nano data=PATH out=FOLDER")
        if key == "out":
            paths[key] = _unquoted(value)
        elif key in PATHS and value and _exists(value):
            paths[key] = [value] if key == "validate" else value
        else:
            paths.pop(key, None)
            others.append(word)
    return paths, others


def _exists(value: str) -> bool:
    try:
        return Path(value).exists()
    except (OSError, ValueError):  # too long, or a null character
        return False


def _hydra_lines(words: list[str], config_dir: Path | None) -> list[str]:
    """Check words, with clearer messages than Hydra's, and return them as Hydra overrides."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    lines = []
    for word in words:
        try:
            (item,) = OverridesParser.create().parse_overrides([word])
        except (HydraException, RecursionError, ValueError) as error:  # a number of thousands of digits
            key, _, value = word.partition("=")
            if key in PATHS:
                raise UserError(f"{key}: {value}: no such file or folder; several are written {key}=[a,b]") from error
            raise UserError(
                f"cannot read '{word[:200]}' ({_first_line(error)[:200]}); "
                "quote values with special characters: KEY='\"VALUE\"'"
            ) from error
        key = item.key_or_group
        if item.is_sweep_override():
            raise UserError(f"'{word}': one value at a time; write lists as {key}=[a,b]")
        if item.is_delete():
            raise UserError(f"'{word}': options cannot be deleted; set {key} to another value")
        if key in GROUPS:
            name = str(item.value())
            if name not in members(key, config_dir):
                own = "; your own files: --config-dir DIR with DIR/" + key + "/NAME.yaml" if "/" in name else ""
                raise UserError(f"unknown {key} '{name}'{did_you_mean(name, members(key, config_dir))}{own}")
            if config_dir is not None and (config_dir / key / f"{name}.yaml").is_file():
                read_mapping(config_dir / key / f"{name}.yaml")  # checks it: bounds, duplicate keys, encoding
            lines.append(word)
        elif key.startswith("hydra"):
            raise UserError(f"unknown option '{key}'; options of Hydra itself cannot be set")
        else:  # the dataclasses check whether the key exists: they know options that no file lists
            lines.append("++" + word.lstrip("+"))
    return lines


def _quoted(text: str) -> str:
    """Quote a text for Hydra's grammar, in which only backslashes before a quote are special."""
    return "'" + text.replace("'", "\\'") + "'"


def _unquoted(text: str) -> str:
    """Remove the quotes around a text, if there are any."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
