"""`python -m bench prune`: free the space of stored predictions, times and scores that nobody used lately."""

from __future__ import annotations

from pathlib import Path

from bench.commands.parser import Parser
from bench.paths import default_store
from frames.errors import OK


def main(argv: list[str]) -> int:
    parser = Parser("prune")
    parser.add_argument("--days", type=float, default=30, help="keep what was used in the last DAYS days (default 30)")
    parser.add_argument("--store", type=Path, default=default_store(), help="the store (default %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    arguments = parser.parse_args(argv)
    from bench.store.store import Store  # reads frames: `prune --help` does without

    entries, size = Store(arguments.store).prune(arguments.days, arguments.dry_run)
    print(f"{entries} entries, {size / 2**20:.1f} MiB {'would be ' if arguments.dry_run else ''}removed")
    return OK
