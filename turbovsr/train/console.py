"""What a person is told on stderr while training; one console, so that lines go above the progress bar."""

from __future__ import annotations

import torch.distributed as dist
from rich.console import Console

CONSOLE = Console(stderr=True, highlight=False, soft_wrap=True)


def note(line: str) -> None:
    """A line for the person, from the first process alone."""
    if not dist.is_initialized() or dist.get_rank() == 0:
        CONSOLE.print(line, markup=False)
