"""A progress bar while the frames of a page are read, on terminals alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def shown(items: Sequence[Item], what: str) -> Iterable[Item]:
    """The items one by one, with a bar on stderr that goes away at the end."""
    console = Console(stderr=True)
    return track(
        items, f"{what} of {len(items)} clips", console=console, transient=True, disable=not console.is_terminal
    )
