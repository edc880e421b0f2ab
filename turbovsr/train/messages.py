"""Messages on stderr during training. One console, so that lines are printed above the progress bar."""

from __future__ import annotations

import torch.distributed as dist
from rich.console import Console

from frames.text import printable

CONSOLE = Console(stderr=True, highlight=False, soft_wrap=True)


def info(line: str) -> None:
    """Print a line, in the first process only; control characters, which file names may hold, are escaped."""
    if not dist.is_initialized() or dist.get_rank() == 0:
        CONSOLE.print(printable(line), markup=False)
