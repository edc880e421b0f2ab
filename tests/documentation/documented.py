"""The commands that documents tell a reader to type, and the files they tell a reader to write.

Commands are the lines of fenced blocks tagged `sh`, lines of untagged blocks that begin with a program's name, and code
in running text that begins with one. Files are fenced blocks with a title: ```yaml title="mine/method/theirs.yaml".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = (
    "python",
    "python3",
    "bench",
    "make",
    "torchrun",
    "accelerate",
    "pip",
    "uv",
    "mkdocs",
    "git",
    "pytest",
    "source",
)
SHELLS = ("sh", "bash", "shell", "console", "zsh")
ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})\s*([^\s`{]*)(.*)$")


@dataclass(frozen=True)
class Command:
    """One line that a reader may type."""

    where: str  # "docs/gate.md:12"
    text: str
    mention: bool = False  # in running text, where `python -m bench table` may be no more than a name


@dataclass(frozen=True)
class Written:
    """A file that the document shows whole."""

    where: str
    name: str
    content: str


def documents() -> list[Path]:
    """Every document of the project, in the order of reading."""
    first = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    parts = [ROOT / "turbovsr" / "README.md", ROOT / "results" / "README.md"]
    return [*first, *sorted((ROOT / "docs").rglob("*.md")), *parts]


def steps(text: str, name: str) -> Iterator[Command | Written]:
    """The commands and files of a document, in its order."""
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        fence = FENCE.match(line)
        if not fence:
            yield from (Command(f"{name}:{number}", code, mention=True) for code in _inline(line))
            continue
        indent, ticks, tag, rest = fence.groups()
        block = []
        for _, inner in lines:
            if inner.strip() == ticks:
                break
            block.append(inner.removeprefix(indent))
        title = re.search(r'title="([^"]+)"', rest)
        if title:
            yield Written(f"{name}:{number}", title.group(1), "\n".join(block) + "\n")
        elif tag in SHELLS or not tag:
            yield from _commands(block, f"{name}:{number}", everything=tag in SHELLS)


def _inline(line: str) -> Iterator[str]:
    for code in re.findall(r"`([^`]+)`", line):
        if code.split()[0:1] and code.split()[0] in PROGRAMS and len(code.split()) > 1:
            yield code.replace("\\|", "|")


def _commands(block: list[str], where: str, everything: bool) -> Iterator[Command]:
    """Logical lines without comments; lines that end in a backslash go on."""
    for line in re.sub(r"\\\n\s*", "", "\n".join(block)).splitlines():
        text = re.sub(r"(^|\s)#.*$", "", line).strip().removeprefix("$ ")
        if text and (everything or text.split()[0] in PROGRAMS):
            yield Command(where, text)
