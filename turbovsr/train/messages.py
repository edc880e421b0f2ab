"""Messages on stderr during training. One console, so that lines are printed above the progress bar."""

from __future__ import annotations

import torch.distributed as dist
from rich.console import Console

CONSOLE = Console(stderr=True, highlight=False, soft_wrap=True)


def info(line: str) -> None:
    """Print a line, in the first process only."""
    if not dist.is_initialized() or dist.get_rank() == 0:
        CONSOLE.print(line, markup=False)
