"""How a documented command is run in a test: for real where it can be, and if not, checked as far as it can be."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

from documented import Command
from sandbox import CAPITALS

from bench import assets, config
from bench.__main__ import main
from bench.run import device

ROOT = Path(__file__).parents[2]

GATES = {"check": {0, 1}, "compare": {0}, "submit": {0, 1}}
"""A gate's verdict on runs made up in a second is not what a document promises: worse (1) is an answer, too."""

OF_THE_HUB = {"diffusers", "ltx_upsampler"}
"""Methods that are not run: their models are gigabytes. Their options must exist; tests/baselines has tiny ones."""

SMALL = {
    "data": {  # data set: what makes it small; every clip of the sets in the sandbox is tiny already
        "sample": ("data.clips=[city]", "data.frames=2"),
        "sample_real": ("data.clips=[city]", "data.frames=2"),
        "images4k": ("data.size=[96,64]",),
        "vid4": ("data.frames=1",),
        "reds4": ("data.frames=1",),
    },
    "always": ("timing=once", "metrics=[psnr]"),
}


def run(command: Command, capture: Callable[[], str]) -> None:
    """Run one command in the current folder.

    Raises:
        AssertionError: it failed, or no rule here covers it; the message says where it stands and what to do.
    """
    try:
        words = shlex.split(command.text)
    except ValueError as error:
        raise AssertionError(_explain(command, f"no shell would take it: {error}")) from None
    program = words[0]
    assert program in RUNNERS, _explain(command, f"no rule for '{program}'; add one to tests/documentation/runners.py")
    unknown = set(re.findall(r"\b[A-Z][A-Z_]{2,}\b", re.sub(r"\$\{?\w+\}?", "", command.text))) - CAPITALS
    assert not unknown or not _for_real(words), _explain(
        command,
        f"{', '.join(sorted(unknown))}: unknown placeholder; name a path that tests/documentation/sandbox.py has",
    )
    RUNNERS[program](command, words[1:], capture)


def _bench(command: Command, words: list[str], capture: Callable[[], str]) -> None:
    """In this process, small. A command alone, in running text, is a name: then its help must exist."""
    if not words or command.mention and len(words) == 1 and words[0] != "list":
        words = [*words, "--help"]
    name = words[0]
    if words[:2] == ["data", "fetch"]:  # not run: it uses the network. Its groups must exist
        unknown = set(words[2:]) - set(assets.groups())
        assert not unknown, _explain(command, f"unknown groups {unknown}; there are {assets.groups()}")
        return
    if words[:2] == ["list", "--cost"]:  # it measures for a minute
        words = [*words, "--help"]
    if name == "run" and any(word.partition("=")[2] in OF_THE_HUB for word in words if word.startswith("method=")):
        words = [word.replace("device=cuda", "device=cpu") for word in words[1:]]
        assert config.expand(words), _explain(command, "nothing to run")
        return
    if name == "run":
        words = small(words)
    if name == "envelope" and "--help" not in words:  # a trial is a process: the plan is made, no trial
        words = [*words, "--dry-run"]
    config.members.cache_clear()  # a reader's next command is a new process, and sees files written meanwhile
    # a plot is half of a tiny run's time, and the command `plot` draws one for real
    without_plot = mock.patch("bench.commands.plot.write", return_value=[]) if name == "run" else nullcontext()
    with without_plot:
        try:
            code = main(words)
        except SystemExit as stop:  # argparse
            code = stop.code or 0
    said = capture()
    allowed = GATES.get(name, {0})
    assert code in allowed, _explain(command, f"exit code {code} of `python -m bench {shlex.join(words)}`", said)


def small(words: list[str]) -> list[str]:
    """The same run on few and small frames, once; what the command itself says about that is kept."""
    if "--help" in words:
        return words
    words = [word.replace("device=cuda", "device=cpu") for word in words]
    if any(word.startswith("workers=slurm:") for word in words):  # tests/bench/launch/test_slurm.py has a cluster
        words = ["workers=0" if word.startswith("workers=slurm:") else word for word in words] + ["launch=slurm"]
    words = [re.sub(r"^workers=\d\d*$", few, word) for word in words]
    if any(word.startswith("launch.scorers=") for word in words):  # each has cores of its own
        words = [word.replace("workers=2", "workers=1") for word in words if not word.startswith("launch.scorers=")]
        words.append(f"launch.scorers={int(len(device.cores()) > 1)}")
    given = {word.partition("=")[0] for word in words}
    data = next((word.partition("=")[2] for word in words if word.startswith("data=")), "sample").split(",")
    added = list(SMALL["always"])
    if len(data) == 1:
        added += SMALL["data"].get(data[0], ())
    else:
        added.append("data.frames=1")
    if "out" not in given:  # else runs within one second would share a dated folder
        added.append(f"out=results/runs/{len(list(Path('results/runs').glob('*')))}")
    return words + [word for word in added if word.partition("=")[0] not in given]


def few(workers: re.Match[str]) -> str:
    """As many workers as a small machine has cores for."""
    return f"workers={min(int(workers[0].partition('=')[2]), 2, len(device.cores()))}"


def _python(command: Command, words: list[str], capture: Callable[[], str]) -> None:
    assert words[:1] == ["-m"] and len(words) > 1, _explain(command, "only `python -m MODULE` has a rule")
    module, rest = words[1], words[2:]
    rule = _rule(module)
    assert rule, _explain(command, f"no rule for python -m {module} in tests/documentation/runners.py")
    rule(command, module, rest, capture)


def _asked_for_help(command: Command, module: str, words: list[str], capture: Callable[[], str]) -> None:
    """Not run: it measures for minutes. The module must start and know every flag that the document gives it."""
    assert _entry(module), _explain(command, f"there is no module {module}")
    code, said = _help(module, [], capture)
    if any(flag not in said for flag in _flags(words)) and not words[0].startswith("-"):
        code, said = _help(module, words[:1], capture)  # a subcommand's own
    assert code == 0, _explain(command, f"python -m {module} --help ended with {code}", said)
    for flag in _flags(words):
        assert flag in said, _explain(command, f"{module} has no flag {flag}", said)


def _flags(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if word.startswith("--")]


def _help(module: str, words: list[str], capture: Callable[[], str]) -> tuple[int, str]:
    return _main(module, [*words, "--help"]), capture()


def _entry(module: str) -> str | None:
    """The module that `python -m` runs: itself, or a package's `__main__`; None where there is none."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.submodule_search_locations is None:
        return spec and module
    return f"{module}.__main__" if importlib.util.find_spec(f"{module}.__main__") else None


def _main(module: str, words: list[str]) -> int:
    """A module's `main` in this process, with the words as it takes them: as an argument, or from sys.argv."""
    entry = importlib.import_module(_entry(module)).main
    with mock.patch.object(sys, "argv", [module, *words]):
        try:
            return entry(*([words] if inspect.signature(entry).parameters else [])) or 0
        except SystemExit as stop:  # argparse
            return stop.code or 0


def _upscaling(command: Command, module: str, words: list[str], capture: Callable[[], str]) -> None:
    """For real: frames in the sandbox are tiny. The command alone, in running text, is a name: its help must exist."""
    code = _main(module, words if words or not command.mention else ["--help"])
    assert code == 0, _explain(command, f"exit code {code}", capture())


def _training(command: Command, module: str, words: list[str], capture: Callable[[], str]) -> None:
    """Not run: it trains for minutes to hours (tests/turbovsr/train runs it, tiny). The options must be a valid
    configuration, which `--print-config` shows.
    """
    known = importlib.import_module(f"{module}.__main__").__doc__ or ""
    if "--print-config" in known:
        asked = "--help" if not words or "--help" in words else "--print-config"
        code = _main(module, [*words, asked])
        assert code == 0, _explain(command, f"exit code {code} with --print-config", capture())


def _launcher(command: Command, words: list[str], capture: Callable[[], str]) -> None:
    """`torchrun`, `accelerate launch`: one process instead of several, or the check that the module itself has."""
    assert "-m" in words, _explain(command, "without -m there is no rule")
    _python(command, words[words.index("-m") :], capture)


def _make(command: Command, words: list[str], capture: Callable[[], str]) -> None:
    """Not run: each sets up an environment of its own. The target must exist (`make --dry-run`)."""
    if shutil.which("make") is None:
        return
    done = subprocess.run(["make", "--dry-run", "-C", ROOT, *words], capture_output=True, text=True)
    assert done.returncode == 0, _explain(command, "make --dry-run failed", done.stderr)


def _pip(command: Command, words: list[str], capture: Callable[[], str]) -> None:
    """Not run: it would change the environment and use the network. `pip install .[EXTRA]` must name real extras."""
    assert words[0] == "install", _explain(command, "only `pip install` has a rule")
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    extras = {
        extra for word in words[1:] for found in re.findall(r"^\.\[([\w,]+)\]$", word) for extra in found.split(",")
    }
    assert extras <= set(known), _explain(command, f"unknown extras {extras - set(known)}; there are {set(known)}")


def _source(command: Command, words: list[str], capture: Callable[[], str]) -> None:
    """Not run: it sets up a shell. The file must be what `make setup` makes."""
    assert words == [".venv/bin/activate"], _explain(command, "`make setup` makes .venv/bin/activate alone")


def _not_run(command: Command, words: list[str], capture: Callable[[], str]) -> None:
    """`git clone`, `mkdocs build` (tests/documentation/test_site.py does that), `pytest`: nothing to check here."""


MODULES = {
    "bench": lambda command, _, words, capture: _bench(command, words, capture),
    "studies.*": _asked_for_help,
    "turbovsr": _upscaling,
    "turbovsr.train": _training,
    "turbovsr.train.prepare": _asked_for_help,
    "turbovsr.train.plot": _asked_for_help,
    "turbovsr.budget": _asked_for_help,
}
"""Modules that documents run with `python -m`; `name.*` stands for all modules of a package."""

RUNNERS = {
    "python": _python,
    "bench": _bench,
    "make": _make,
    "torchrun": _launcher,
    "accelerate": _launcher,
    "pip": _pip,
    "git": _not_run,
    "mkdocs": _not_run,
    "pytest": _not_run,
    "uv": _not_run,
    "source": _source,
}


def _for_real(words: list[str]) -> bool:
    """Whether the command is run, so that every path in it must exist."""
    rules = [RUNNERS[words[0]], *(rule for word in words if (rule := _rule(word)))]
    return not any(rule in (_make, _pip, _source, _not_run, _asked_for_help, _training) for rule in rules)


def _rule(module: str) -> Callable | None:
    return MODULES.get(module) or MODULES.get(f"{module.split('.')[0]}.*" if "." in module else "")


def _explain(command: Command, problem: str, said: str = "") -> str:
    last = "\n".join(said.strip().splitlines()[-12:])
    return f"{command.where}: {command.text}\n  {problem}" + (f"\n{last}" if last else "")
